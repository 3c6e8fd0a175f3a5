//! Admin pages that find, show and end one session.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Redirect, Response};
use jwt_redis_session::{Session, SessionId};
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::form::Submitted;
use crate::admin::lookup::{self, Found};
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note, PageError, Section};
use crate::admin::{keys, owners, text};
use crate::buckets::{self, BucketName, SessionRef};
use crate::error::ApiError;
use crate::optional::optional;
use crate::secret::Secret;

/// The longest text of session data shown, in bytes before HTML escaping.
const MAX_DATA: usize = 32 << 10;
/// The name of the buckets API in forms.
const BUCKETS: &str = "buckets";

#[derive(Deserialize)]
pub(super) struct FindForm {
    /// A session id or a token.
    session: Secret,
    /// Empty for any bucket.
    bucket: String,
}

#[derive(Deserialize)]
pub(super) struct EndForm {
    api: String,
    bucket: String,
    id: String,
}

/// Shows the form to find a session.
pub(super) async fn form(operator: Operator) -> Markup {
    let note = operator.take_note().await;
    render(&operator.form_token, &note, None)
}

/// Finds a session by its id or its token, in any API.
///
/// A session of an owner is shown under an address, which can be shared: its id gives no access. A
/// session of a bucket is not, because its id may be what the app gives to its clients.
pub(super) async fn find(
    Submitted { operator, form }: Submitted<FindForm>,
) -> Result<Response, PageError> {
    let (token, state) = (&operator.form_token, &operator.state);
    let bucket = Some(&*form.bucket).filter(|name| !name.is_empty());
    let bucket = bucket.map(|name| BucketName::parse(name).ok_or_else(not_found));
    let found = match bucket.transpose() {
        Ok(bucket) => lookup::find(state, form.session.expose().trim(), bucket).await?,
        Err(_) => None,
    };
    match found {
        Some(Found::Owned(api, id)) => {
            let address = format!("/admin/sessions/{}/{}", api.name, id.as_str());
            Ok(Redirect::to(&address).into_response())
        }
        Some(Found::InBucket(name, session)) => {
            let (bucket, id) = (name.bucket.as_str(), name.uuid.to_string());
            let facts = html! {
                div { dt { "API" } dd { "Buckets" } }
                div { dt { "Bucket" } dd { (bucket) } }
            };
            let end = end_form(token, [BUCKETS, bucket, &id]);
            let data = text::data(&buckets::data(&session)?, MAX_DATA);
            let session = details(&id, &session, &facts, &data, &end);
            Ok(render(token, &Note::None, Some(&session)).into_response())
        }
        None => Ok(page::rejection(not_found(), |note| {
            render(token, note, None)
        })),
    }
}

/// Shows a session of an API with owners, without refreshing its TTL.
pub(super) async fn show(
    operator: Operator,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, PageError> {
    let token = &operator.form_token;
    let Path((api, id)) = path.map_err(|_| not_found())?;
    let api = operator.state.owner_api(&api)?;
    let id = SessionId::parse(&id).map_err(|_| not_found())?;
    let Some(session) = optional(api.sessions.get_without_touch(&id).await)? else {
        return Ok(page::rejection(not_found(), |note| {
            render(token, note, None)
        }));
    };
    let facts = html! {
        div { dt { "API" } dd { (api.title) } }
        @if let Some(owner) = session.owner() {
            div { dt { "Owner" } dd { a href=(owners::address(api, &owner)) {
                bdi { (text::visible(&owner)) }
            } } }
        }
    };
    let end = end_form(token, [api.name, "", id.as_str()]);
    let data = text::data(&session.to_text(), MAX_DATA);
    let note = operator.take_note().await;
    let session = details(id.as_str(), &session, &facts, &data, &end);
    Ok(render(token, &note, Some(&session)).into_response())
}

/// Ends the session of the form and redirects to the form with a notice.
pub(super) async fn end(
    Submitted { operator, form }: Submitted<EndForm>,
) -> Result<Redirect, PageError> {
    let state = &operator.state;
    let ended = if form.api == BUCKETS {
        let bucket = BucketName::parse(&form.bucket);
        match bucket.zip(buckets::parse_uuid(&form.id)) {
            Some((bucket, uuid)) => {
                let name = SessionRef { bucket, uuid };
                state.buckets.destroy(&name.id()).await?
            }
            None => false,
        }
    } else {
        let api = state.owner_api(&form.api)?;
        match SessionId::parse(&form.id) {
            Ok(id) => api.sessions.destroy(&id).await?,
            Err(_) => false,
        }
    };
    if ended {
        tracing::info!(api = form.api, "an operator has ended a session");
    }
    operator.notify(text::ended(ended)).await;
    Ok(Redirect::to("/admin/sessions"))
}

fn not_found() -> ApiError {
    ApiError::not_found("there is no such session: it may have ended, or the bucket is another one")
}

fn render(token: &Secret, note: &Note, session: Option<&Markup>) -> Markup {
    let content = html! {
        section.card aria-labelledby="find" {
            h2 #find { "Find a session" }
            form.stack.search method="post" action="/admin/sessions" {
                (page::hidden(token))
                div.field {
                    label for="session-id" { "Session id or token" }
                    input #session-id.code name="session" required maxlength="8192"
                        autocomplete="off" autocapitalize="none" spellcheck="false"
                        aria-describedby="session-help" autofocus[session.is_none()];
                    p.help #session-help {
                        "Of any API. Viewing a session does not extend it."
                    }
                }
                (keys::name_field(
                    &html! { "Bucket " span.help { "(optional)" } },
                    "Only for a session whose bucket has no key.",
                    false,
                ))
                div { button { "Find" } }
            }
        }
        @if let Some(session) = session { (session) }
    };
    page::section(Section::SESSIONS, token, note, &content)
}

fn end_form(token: &Secret, [api, bucket, id]: [&str; 3]) -> Markup {
    let fields = [("api", api), ("bucket", bucket), ("id", id)];
    let button = html! { button.danger { "End this session" } };
    page::post(token, "/admin/sessions/end", &fields, &button)
}

fn details(id: &str, session: &Session, facts: &Markup, data: &Markup, end: &Markup) -> Markup {
    html! {
        section.card aria-labelledby="session" {
            h2 #session { "Session" }
            dl {
                (facts)
                div { dt { "Created" } dd { (text::time(session.created_at())) } }
                div { dt { "Expires if unused" } dd { (text::time(session.expires_at())) } }
                div.wide { dt { "Id" } dd.copied { code data-copy="the session id" { (id) } } }
            }
            h3 { "Data" }
            (data)
            (page::confirmed("End session…", "Its data is deleted permanently.", end))
        }
    }
}
