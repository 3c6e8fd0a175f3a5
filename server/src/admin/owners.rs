//! Admin page that shows and ends the sessions of an owner.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Redirect, Response};
use jwt_redis_session::session::{ListCursor, SessionPage};
use jwt_redis_session::{SessionEntry, SessionId};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;

use crate::admin::form::Submitted;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note, PageError, Section};
use crate::admin::state::OwnerApi;
use crate::admin::text;
use crate::error::ApiError;
use crate::secret::Secret;

/// The number of sessions on a page. All their data is in memory while it is rendered.
const PAGE: usize = 25;
/// The largest data shown per session, in bytes before escaping.
const MAX_DATA: usize = 2 << 10;

/// The owner in the address of the page, if any.
#[derive(Deserialize)]
pub(super) struct Search {
    api: Option<String>,
    owner: Option<String>,
    cursor: Option<String>,
}

/// An owner of sessions in one API, in a form.
#[derive(Deserialize)]
pub(super) struct Owner {
    api: String,
    #[serde(rename = "owner")]
    name: String,
}

#[derive(Deserialize)]
pub(super) struct EndForm {
    #[serde(flatten)]
    owner: Owner,
    id: String,
}

/// An owner with a page of sessions, of which the one that was used last is the first.
struct OwnerSessions<'a> {
    api: &'a OwnerApi,
    name: String,
    page: SessionPage,
    is_first: bool,
}

impl Owner {
    /// Decodes the name in a hidden field, which [`sessions`] encodes.
    /// Errors: 400.
    fn decoded_name(&self) -> Result<String, ApiError> {
        let name = percent_decode_str(&self.name).decode_utf8();
        let name = name.map_err(|_| ApiError::bad_request("the form cannot be read"))?;
        Ok(name.into_owned())
    }
}

/// Returns the address of the page of an owner.
pub(super) fn address(api: &OwnerApi, name: &str) -> String {
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("/admin/owners?api={}&owner={name}", api.name)
}

/// Lists the sessions of the owner in the address: those behind the cursor, if it contains one.
pub(super) async fn list(
    operator: Operator,
    search: Result<Query<Search>, QueryRejection>,
) -> Result<Response, PageError> {
    let invalid = || ApiError::bad_request("this is not the address of an owner");
    let Query(search) = search.map_err(|_| invalid())?;
    let cursor = search.cursor.map(|cursor| cursor.parse::<ListCursor>());
    let cursor = cursor.transpose().map_err(|_| invalid())?;
    let mut listed = None;
    if let (Some(api), Some(name)) = (search.api, search.owner) {
        let api = operator.state.owner_api(&api)?;
        if !(1..=512).contains(&name.len()) {
            let error = ApiError::bad_request("an owner is 1 to 512 bytes of UTF-8");
            return Ok(page::rejection(error, |note| render(&operator, note, None)));
        }
        let list = api.sessions.list(&name).newest_first().with_data();
        let page = list.page(cursor.as_ref(), PAGE).await?;
        listed = Some(OwnerSessions {
            api,
            name,
            page,
            is_first: cursor.is_none(),
        });
    }
    let note = operator.take_note().await;
    Ok(render(&operator, &note, listed.as_ref()).into_response())
}

/// Ends one session of an owner.
pub(super) async fn end(
    Submitted { operator, form }: Submitted<EndForm>,
) -> Result<Redirect, PageError> {
    let name = form.owner.decoded_name()?;
    let id = SessionId::parse(&form.id)
        .map_err(|_| ApiError::bad_request("this is not a valid session id"))?;
    let api = operator.state.owner_api(&form.owner.api)?;
    let ended = api.sessions.destroy_owned(&name, &id).await?;
    if ended {
        let api = api.name;
        tracing::info!(api, "an operator has ended a session of an owner");
    }
    operator.notify(text::ended(ended)).await;
    Ok(Redirect::to(&address(api, &name)))
}

/// Ends all sessions of an owner.
pub(super) async fn end_all(
    Submitted { operator, form }: Submitted<Owner>,
) -> Result<Redirect, PageError> {
    let api = operator.state.owner_api(&form.api)?;
    let name = form.decoded_name()?;
    let ended = api.sessions.destroy_all(&name).await?;
    tracing::info!(
        api = api.name,
        ended,
        "an operator has ended all sessions of an owner"
    );
    let notice = format!("{} ended.", text::count_sessions(ended));
    operator.notify(&notice).await;
    Ok(Redirect::to(&address(api, &name)))
}

fn render(operator: &Operator, note: &Note, listed: Option<&OwnerSessions<'_>>) -> Markup {
    let (token, apis) = (&operator.form_token, &operator.state.owner_apis);
    let content = html! {
        section.card aria-labelledby="choose" {
            h2 #choose { "Find an owner" }
            @if apis.is_empty() {
                p.help { "Only sessions of the RPC and users APIs have owners, and both are disabled." }
            } @else {
                (search(apis, listed))
            }
        }
        @if let Some(listed) = listed { (sessions(token, listed)) }
    };
    page::section(Section::OWNERS, token, note, &content)
}

fn search(apis: &[OwnerApi], listed: Option<&OwnerSessions<'_>>) -> Markup {
    let (chosen, name) = listed.map_or((None, ""), |listed| (Some(listed.api.name), &*listed.name));
    // A field cannot hold every character, so another owner would be submitted again.
    let name = Some(name).filter(|name| text::visible(name) == *name);
    html! {
        form.stack.search.owner method="get" action="/admin/owners" {
            div.field {
                label for="api" { "API" }
                select #api name="api" {
                    @for api in apis {
                        option value=(api.name) selected[chosen == Some(api.name)] { (api.title) ": " (api.owner) }
                    }
                }
            }
            div.field {
                label for="owner" { "Owner" }
                input #owner name="owner" value=[name] required maxlength="512"
                    autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-describedby="owner-help" autofocus[listed.is_none()];
                p.help #owner-help { "Exactly as the application sends it. Case matters." }
            }
            div { button { "List sessions" } }
        }
    }
}

fn sessions(token: &Secret, listed: &OwnerSessions<'_>) -> Markup {
    let OwnerSessions {
        api,
        name,
        page,
        is_first,
    } = listed;
    let SessionPage { entries, next, .. } = page;
    let count = text::count_sessions(entries.len());
    let is_all = *is_first && next.is_none();
    // A browser would change line ends and drop characters that HTML cannot hold.
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
    let owner = [("api", api.name), ("owner", &*encoded)];
    let button =
        html! { button.danger { @if is_all { "End " (count) } @else { "End all sessions" } } };
    let end_all = page::post(token, "/admin/owners/end-all", &owner, &button);
    let warning =
        "Logs the owner out everywhere and deletes the data of these sessions permanently.";
    html! {
        section.card aria-labelledby="sessions" {
            h2 #sessions { "Sessions of " bdi { (text::visible(name)) } }
            p.help { (api.title) " · " (count)
                @if !is_all { " on this page, the one that was used last first" } }
            @if !entries.is_empty() {
                (table(token, owner, entries))
            }
            @if !is_first { p { a href=(address(api, name)) { "Latest sessions" } } }
            @if let Some(next) = next {
                p { a href={ (address(api, name)) "&cursor=" (next) } { "Older sessions" } }
            }
            @if !entries.is_empty() || !is_all {
                (page::confirmed("End all sessions…", warning, &end_all))
            }
        }
    }
}

fn table(token: &Secret, owner: [(&str, &str); 2], entries: &[SessionEntry]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Session" }
                th scope="col" { "Created" }
                th scope="col" { "Expires if unused" }
                th scope="col" { span.unseen { "Actions" } }
            } }
            tbody { @for entry in entries { tr {
                th scope="row" { (session_link(owner[0], entry.id().as_str())) (data(entry)) }
                td data-label="Created" { (text::time(entry.created_at())) }
                td data-label="Expires if unused" { (text::time(entry.expires_at())) }
                td.act { (end_button(token, owner, entry.id().as_str())) }
            } } }
        }
    }
}

fn session_link((_, api): (&str, &str), id: &str) -> Markup {
    html! { a href={ "/admin/sessions/" (api) "/" (id) } { code { (id) } } }
}

fn data(entry: &SessionEntry) -> Markup {
    html! {
        @if let Some(data) = entry.data().filter(|data| !data.keys().is_empty()) {
            details.data {
                summary { "Data" }
                (text::data(&data.to_text(), MAX_DATA))
            }
        }
    }
}

fn end_button(token: &Secret, [api, name]: [(&str, &str); 2], id: &str) -> Markup {
    let button = html! { button.danger { "End this session" span.unseen { " " (id) } } };
    let fields = [api, name, ("id", id)];
    let end = page::post(token, "/admin/owners/end", &fields, &button);
    page::confirmed("End…", "Its data is deleted permanently.", &end)
}
