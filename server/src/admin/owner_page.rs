//! The page with the sessions of an owner.

use jwt_redis_session::SessionEntry;
use maud::{Markup, html};

use crate::admin::form_token::FormToken;
use crate::admin::owner_apis::OwnerApis;
use crate::admin::owner_sessions::{Owner, OwnerSessions};
use crate::admin::page::{self, Note, Section};
use crate::admin::{encoded, text};

/// The largest number of sessions shown.
const MOST: usize = 100;
/// The largest data shown per session, in bytes before escaping.
const MOST_DATA: usize = 2 << 10;

pub(super) fn render(
    token: &FormToken,
    note: &Note<'_>,
    apis: &OwnerApis,
    listed: Option<&OwnerSessions>,
) -> Markup {
    let content = html! {
        section.card aria-labelledby="choose" {
            h2 #choose { "Find an owner" }
            @if apis.enabled().next().is_none() {
                p.help { "No API is enabled whose sessions have owners." }
            } @else {
                (search(token, apis, listed))
            }
        }
        @if let Some(listed) = listed { (sessions(token, listed)) }
    };
    page::section(Section::Owners, token, note, &content)
}

fn search(token: &FormToken, apis: &OwnerApis, listed: Option<&OwnerSessions>) -> Markup {
    let chosen = listed.map(|listed| &listed.owner);
    html! {
        form.stack method="post" action="/admin/owners" {
            (page::hidden(token))
            div.field {
                label for="door" { "API" }
                select #door name="door" {
                    @for api in apis.enabled() {
                        option value=(api.name())
                            selected[chosen.is_some_and(|owner| owner.api == api)] {
                            (api.title())
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

fn sessions(token: &FormToken, OwnerSessions { owner, entries }: &OwnerSessions) -> Markup {
    html! {
        section.card aria-labelledby="sessions" {
            h2 #sessions { "Sessions of " bdi { (text::visible(&owner.name)) } }
            p.help { (owner.api.title()) " · " (text::count_sessions(entries.len()))
                @if entries.len() > MOST { ", the newest " (MOST) " are shown" } }
            @if !entries.is_empty() {
                (table(token, owner, entries))
                (end_all(token, owner, entries.len()))
            }
        }
    }
}

fn table(token: &FormToken, owner: &Owner, entries: &[SessionEntry]) -> Markup {
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
                td data-label="Created" { (text::time(entry.created_at())) }
                td data-label="Ends if unused" { (text::time(entry.expires_at())) }
                td.act { (end(token, owner, entry)) }
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

fn end(token: &FormToken, owner: &Owner, entry: &SessionEntry) -> Markup {
    let id = entry.id().as_str();
    html! {
        form method="post" action="/admin/owners/end" {
            (owner_fields(token, owner))
            input type="hidden" name="id" value=(id);
            button.quiet.danger aria-label={ "End session " (id) } { "End" }
        }
    }
}

fn end_all(token: &FormToken, owner: &Owner, count: usize) -> Markup {
    let form = html! {
        form method="post" action="/admin/owners/end-all" {
            (owner_fields(token, owner))
            button.danger { "End " (text::count_sessions(count)) }
        }
    };
    page::confirmed(
        "End all sessions…",
        "The owner is logged out everywhere, and the data of these sessions is gone.",
        &form,
    )
}

fn owner_fields(token: &FormToken, owner: &Owner) -> Markup {
    html! {
        (page::hidden(token))
        input type="hidden" name="door" value=(owner.api.name());
        input type="hidden" name="owner" value=(encoded::encode(&owner.name));
    }
}
