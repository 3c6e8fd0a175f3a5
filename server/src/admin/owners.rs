//! Admin page that shows and ends the sessions of an owner.

use axum::extract::RawQuery;
use axum::response::{IntoResponse, Redirect, Response};
use jwt_redis_session::session::{ListCursor, SessionPage};
use jwt_redis_session::{SessionEntry, SessionId};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::admin::form::Submitted;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note, PageError, Section};
use crate::admin::state::OwnerApi;
use crate::admin::text;
use crate::error::ApiError;
use crate::secret::Secret;

/// The field of the operator's session that holds the chosen owner.
const CHOSEN: &str = "owner";
/// The number of sessions on a page. All their data is in memory while it is rendered.
const PAGE: usize = 25;
/// The largest data shown per session, in bytes before escaping.
const MAX_DATA: usize = 2 << 10;

/// An owner of sessions in one API. A form about a session names the owner too: another tab may
/// have chosen another one since the page was rendered.
#[derive(Serialize, Deserialize)]
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

/// Lists the sessions of the owner that was last chosen: those behind the parameter `cursor`.
pub(super) async fn list(
    operator: Operator,
    RawQuery(query): RawQuery,
) -> Result<Markup, PageError> {
    let cursor = cursor(query.as_deref().unwrap_or_default())?;
    let chosen: Option<Owner> = operator.session.get(CHOSEN).unwrap_or_default();
    let mut listed = None;
    // The API may have been disabled since the owner was chosen.
    if let Some(Owner { api, name }) = chosen
        && let Ok(api) = operator.state.owner_api(&api)
    {
        let list = api.sessions.list(&name).newest_first().with_data();
        let page = list.page(cursor.as_ref(), PAGE).await?;
        let is_first = cursor.is_none();
        listed = Some(OwnerSessions {
            api,
            name,
            page,
            is_first,
        });
    }
    let note = operator.take_note().await;
    Ok(render(&operator, &note, listed.as_ref()))
}

fn cursor(query: &str) -> Result<Option<ListCursor>, ApiError> {
    let mut cursors = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "cursor");
    let cursor = cursors.next().map(|(_, cursor)| cursor.parse());
    let cursor = cursor.transpose();
    cursor.map_err(|_| ApiError::bad_request("this is not the address of a page of sessions"))
}

/// Chooses an owner.
pub(super) async fn choose(
    Submitted { operator, form }: Submitted<Owner>,
) -> Result<Response, PageError> {
    operator.state.owner_api(&form.api)?;
    if !(1..=512).contains(&form.name.len()) {
        let error = ApiError::bad_request("an owner is 1 to 512 bytes of UTF-8");
        let page = |note: &_| render(&operator, note, None);
        return Ok(page::rejection(error, page));
    }
    operator.session.insert(CHOSEN, form)?;
    operator.session.update().await?;
    Ok(Redirect::to("/admin/owners").into_response())
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
    Ok(Redirect::to("/admin/owners"))
}

/// Ends all sessions of an owner.
pub(super) async fn end_all(
    Submitted { operator, form }: Submitted<Owner>,
) -> Result<Redirect, PageError> {
    let api = operator.state.owner_api(&form.api)?;
    let ended = api.sessions.destroy_all(&form.decoded_name()?).await?;
    let api = api.name;
    tracing::info!(api, ended, "an operator has ended all sessions of an owner");
    let notice = format!("{} ended.", text::count_sessions(ended));
    operator.notify(&notice).await;
    Ok(Redirect::to("/admin/owners"))
}

fn render(operator: &Operator, note: &Note, listed: Option<&OwnerSessions<'_>>) -> Markup {
    let (token, apis) = (&operator.form_token, &operator.state.owner_apis);
    let content = html! {
        section.card aria-labelledby="choose" {
            h2 #choose { "Find an owner" }
            @if apis.is_empty() {
                p.help { "Only sessions of the RPC and users APIs have owners, and both are disabled." }
            } @else {
                (search(token, apis, listed.map(|listed| listed.api.name)))
            }
        }
        @if let Some(listed) = listed { (sessions(token, listed)) }
    };
    page::section(Section::OWNERS, token, note, &content)
}

fn search(token: &Secret, apis: &[OwnerApi], chosen: Option<&str>) -> Markup {
    html! {
        form.stack method="post" action="/admin/owners" {
            (page::hidden(token))
            div.field {
                label for="api" { "API" }
                select #api name="api" {
                    @for api in apis {
                        option value=(api.name) selected[chosen == Some(api.name)] { (api.title) }
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
            @if !is_first { p { a href="/admin/owners" { "Latest sessions" } } }
            @if let Some(next) = next {
                p { a href={ "/admin/owners?cursor=" (next) } { "Older sessions" } }
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
                th scope="row" { code { (entry.id().as_str()) } (data(entry)) }
                td data-label="Created" { (text::time(entry.created_at())) }
                td data-label="Expires if unused" { (text::time(entry.expires_at())) }
                td.act { (end_button(token, owner, entry.id().as_str())) }
            } } }
        }
    }
}

fn data(entry: &SessionEntry) -> Markup {
    html! {
        @if let Some(data) = entry.data().filter(|data| !data.keys().is_empty()) {
            details.data {
                summary { "Data" }
                (text::data(&data.to_raw_json(), MAX_DATA))
            }
        }
    }
}

fn end_button(token: &Secret, [api, name]: [(&str, &str); 2], id: &str) -> Markup {
    let button = html! {
        button.quiet.danger aria-label={ "End session " (id) } { "End" }
    };
    let fields = [api, name, ("id", id)];
    page::post(token, "/admin/owners/end", &fields, &button)
}
