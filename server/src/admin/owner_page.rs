//! The page with the sessions of an owner.

use jwt_redis_session::SessionEntry;
use maud::{Markup, html};

use crate::admin::form_token::FormToken;
use crate::admin::owner::Owner;
use crate::admin::page::{self, Note, Section};
use crate::admin::state::AdminState;
use crate::admin::text;

/// The largest number of sessions shown.
const MAX_SESSIONS: usize = 100;
/// The largest data shown per session, in bytes before escaping.
const MAX_DATA: usize = 2 << 10;

/// An owner with all sessions, newest first.
pub(super) struct OwnerSessions {
    pub(super) owner: Owner,
    pub(super) entries: Vec<SessionEntry>,
}

pub(super) fn render(
    token: &FormToken,
    note: &Note,
    state: &AdminState,
    listed: Option<&OwnerSessions>,
) -> Markup {
    let content = html! {
        section.card aria-labelledby="choose" {
            h2 #choose { "Find an owner" }
            @if state.owner_apis.is_empty() {
                p.help { "Only sessions of the RPC and users APIs have owners, and both are disabled." }
            } @else {
                (search(token, state, listed))
            }
        }
        @if let Some(listed) = listed { (sessions(token, listed)) }
    };
    page::section(Section::Owners, token, note, &content)
}

fn search(token: &FormToken, state: &AdminState, listed: Option<&OwnerSessions>) -> Markup {
    let chosen = listed.map(|listed| listed.owner.api);
    html! {
        form.stack method="post" action="/admin/owners" {
            (page::hidden(token))
            div.field {
                label for="api" { "API" }
                select #api name="api" {
                    @for (api, _) in &state.owner_apis {
                        option value=(api.name()) selected[chosen == Some(*api)] { (api.title()) }
                    }
                }
            }
            div.field {
                label for="owner" { "Owner" }
                input #owner name="owner" required maxlength="512"
                    autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-describedby="owner-help";
                p.help #owner-help { "Exactly as the application sends it. Case matters." }
            }
            div { button { "List sessions" } }
        }
    }
}

fn sessions(token: &FormToken, OwnerSessions { owner, entries }: &OwnerSessions) -> Markup {
    let count = text::count_sessions(entries.len());
    let end_all = html! {
        form method="post" action="/admin/owners/end-all" {
            (owner_fields(token, owner))
            button.danger { "End " (count) }
        }
    };
    let warning =
        "Logs the owner out everywhere and deletes the data of these sessions permanently.";
    html! {
        section.card aria-labelledby="sessions" {
            h2 #sessions { "Sessions of " bdi { (text::visible(&owner.name)) } }
            p.help { (owner.api.title()) " · " (count)
                @if entries.len() > MAX_SESSIONS { ", the newest " (MAX_SESSIONS) " are shown" } }
            @if !entries.is_empty() {
                (table(token, owner, entries))
                (page::confirmed("End all sessions…", warning, &end_all))
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
                th scope="col" { "Expires if unused" }
                th scope="col" { span.unseen { "Actions" } }
            } }
            tbody { @for entry in entries.iter().take(MAX_SESSIONS) { tr {
                th scope="row" { code { (entry.id().as_str()) } (data(entry)) }
                td data-label="Created" { (text::time(entry.created_at())) }
                td data-label="Expires if unused" { (text::time(entry.expires_at())) }
                td.act { (end(token, owner, entry)) }
            } } }
        }
    }
}

fn data(entry: &SessionEntry) -> Markup {
    html! {
        @if !entry.data().keys().is_empty() {
            details.data {
                summary { "Data" }
                (text::data(&entry.data().to_raw_json(), MAX_DATA))
            }
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

fn owner_fields(token: &FormToken, owner: &Owner) -> Markup {
    html! {
        (page::hidden(token))
        input type="hidden" name="api" value=(owner.api.name());
        input type="hidden" name="owner" value=(owner.encoded_name());
    }
}
