//! What the sessions of an owner look like.

use jwt_redis_session::SessionEntry;
use maud::{Markup, html};

use crate::admin::operator::{FormToken, Operator};
use crate::admin::owner_doors::OwnerDoors;
use crate::admin::owners::{Chosen, Listed};
use crate::admin::page::{self, Note, Section};
use crate::admin::{encoded, text};
use crate::unix_time;

/// How many sessions are shown.
const MOST: usize = 100;
/// How much is shown of the data of each, in bytes before it is escaped.
const MOST_DATA: usize = 2 << 10;

pub(super) fn render(
    operator: &Operator,
    note: &Note<'_>,
    doors: &OwnerDoors,
    listed: Option<&Listed>,
) -> Markup {
    let content = html! {
        section.card aria-labelledby="choose" {
            h2 #choose { "Find an owner" }
            @if doors.open().next().is_none() {
                p.help { "No door is open whose sessions have owners." }
            } @else {
                (search(operator.form_token(), doors, listed))
            }
        }
        @if let Some(listed) = listed { (sessions(operator.form_token(), listed)) }
    };
    page::section(Section::Owners, operator, note, &content)
}

fn search(token: &FormToken, doors: &OwnerDoors, listed: Option<&Listed>) -> Markup {
    let chosen = listed.map(|listed| &listed.chosen);
    html! {
        form.stack method="post" action="/admin/owners" {
            (page::hidden(token))
            div.field {
                label for="door" { "Door" }
                select #door name="door" {
                    @for door in doors.open() {
                        option value=(door.name())
                            selected[chosen.is_some_and(|chosen| chosen.door == door)] {
                            (door.title())
                        }
                    }
                }
            }
            div.field {
                label for="owner" { "Owner" }
                input #owner name="owner" required maxlength="512"
                    autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-describedby="owner-help";
                p.help #owner-help { "Exactly as the application writes it, in upper and lower case." }
            }
            div { button { "List sessions" } }
        }
    }
}

fn sessions(token: &FormToken, Listed { chosen, entries }: &Listed) -> Markup {
    html! {
        section.card aria-labelledby="sessions" {
            h2 #sessions { "Sessions of " bdi { (text::visible(&chosen.owner)) } }
            p.help { (chosen.door.title()) " · " (text::count_sessions(entries.len()))
                @if entries.len() > MOST { ", the newest " (MOST) " are shown" } }
            @if !entries.is_empty() {
                (table(token, chosen, entries))
                (end_all(token, chosen, entries.len()))
            }
        }
    }
}

fn table(token: &FormToken, chosen: &Chosen, entries: &[SessionEntry]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Session" }
                th scope="col" { "Created" }
                th scope="col" { "Ends if unused" }
                th scope="col" { span.unseen { "Actions" } }
            } }
            tbody { @for entry in entries.iter().take(MOST) { tr {
                th scope="row" { code { (entry.id().as_str()) } (data(entry)) }
                td data-label="Created" { (text::time(entry.created_at().and_then(unix_time::seconds))) }
                td data-label="Ends if unused" { (text::time(entry.expires_at().and_then(unix_time::seconds))) }
                td.act { (end(token, chosen, entry)) }
            } } }
        }
    }
}

fn data(entry: &SessionEntry) -> Markup {
    if entry.data().keys().is_empty() {
        return html! {};
    }
    let data = text::pretty(&entry.data().to_raw_json(), MOST_DATA);
    html! {
        details.data {
            summary { "Data" }
            pre tabindex="0" aria-label="Data" { (data.text) }
            @if let Some(cut) = data.cut() { p.help { (cut) } }
        }
    }
}

fn end(token: &FormToken, chosen: &Chosen, entry: &SessionEntry) -> Markup {
    let id = entry.id().as_str();
    html! {
        form method="post" action="/admin/owners/end" {
            (whom(token, chosen))
            input type="hidden" name="id" value=(id);
            button.quiet.danger aria-label={ "End session " (id) } { "End" }
        }
    }
}

fn end_all(token: &FormToken, chosen: &Chosen, count: usize) -> Markup {
    let form = html! {
        form method="post" action="/admin/owners/end-all" {
            (whom(token, chosen))
            button.danger { "End " (text::count_sessions(count)) }
        }
    };
    page::confirmed(
        "End all sessions…",
        "The owner is logged out everywhere, and the data of these sessions is gone.",
        &form,
    )
}

fn whom(token: &FormToken, chosen: &Chosen) -> Markup {
    html! {
        (page::hidden(token))
        input type="hidden" name="door" value=(chosen.door.name());
        input type="hidden" name="owner" value=(encoded::encode(&chosen.owner));
    }
}
