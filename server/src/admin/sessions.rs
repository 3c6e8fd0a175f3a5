//! Admin page that shows and ends one session of a bucket.

use axum::response::{IntoResponse, Redirect, Response};
use jwt_redis_session::Session;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::form::Submitted;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note, PageError, Section};
use crate::admin::{keys, text};
use crate::buckets::{self, BucketName, SessionRef};
use crate::error::ApiError;
use crate::optional::optional;
use crate::secret::Secret;

/// The longest text of session data shown, in bytes before HTML escaping.
const MAX_DATA: usize = 32 << 10;

#[derive(Default, Deserialize)]
pub(super) struct SessionForm {
    bucket: String,
    id: String,
}

impl SessionForm {
    fn session(&self) -> Option<SessionRef> {
        let bucket = BucketName::parse(&self.bucket)?;
        let uuid = buckets::parse_uuid(self.id.trim())?;
        Some(SessionRef { bucket, uuid })
    }
}

/// Shows the form to look up a session.
pub(super) async fn form(operator: Operator) -> Markup {
    let note = operator.take_note().await;
    let form = SessionForm::default();
    render(&operator.form_token, &note, &form, &html! {})
}

/// Shows a session without refreshing its TTL.
pub(super) async fn show(
    Submitted { operator, form }: Submitted<SessionForm>,
) -> Result<Response, PageError> {
    let token = &operator.form_token;
    if let Some(name) = form.session()
        && let Some(session) = optional(operator.state.buckets.get_without_touch(&name.id()).await)?
    {
        let session = details(token, &name, &session)?;
        return Ok(render(token, &Note::None, &form, &session).into_response());
    }
    let error = ApiError::not_found("there is no such session in this bucket");
    let page = |note: &Note| render(token, note, &form, &html! {});
    Ok(page::rejection(error, page))
}

/// Ends the session of the form and redirects to the page with a notice.
pub(super) async fn end(
    Submitted { operator, form }: Submitted<SessionForm>,
) -> Result<Redirect, PageError> {
    let ended = match form.session() {
        Some(name) => operator.state.buckets.destroy(&name.id()).await?,
        None => false,
    };
    if ended {
        tracing::info!("an operator has ended a session of a bucket");
    }
    operator.notify(text::ended(ended)).await;
    Ok(Redirect::to("/admin/sessions"))
}

fn render(token: &Secret, note: &Note, form: &SessionForm, session: &Markup) -> Markup {
    let content = html! {
        section.card aria-labelledby="look" {
            h2 #look { "Look up a session" }
            form.stack method="post" action="/admin/sessions" {
                (page::hidden(token))
                (keys::name_field(&form.bucket))
                div.field {
                    label for="id" { "Session id" }
                    input #id.code name="id" value=(form.id.trim()) required maxlength="64"
                        autocomplete="off" autocapitalize="none" spellcheck="false"
                        aria-describedby="id-help";
                    p.help #id-help { "The UUID that clients use. Viewing a session does not extend it." }
                }
                div { button { "Look up" } }
            }
        }
        (session)
    };
    page::section(Section::SESSIONS, token, note, &content)
}

fn details(token: &Secret, name: &SessionRef, session: &Session) -> Result<Markup, PageError> {
    let (bucket, id) = (name.bucket.as_str(), name.uuid.to_string());
    let fields = [("bucket", bucket), ("id", &id)];
    let button = html! { button.danger { "End this session" } };
    let end = page::post(token, "/admin/sessions/end", &fields, &button);
    Ok(html! {
        section.card aria-labelledby="session" {
            h2 #session { "Session" }
            dl {
                div { dt { "Bucket" } dd { (bucket) } }
                div { dt { "Id" } dd { code { (id) } } }
                div { dt { "Created" } dd { (text::time(session.created_at())) } }
                div { dt { "Expires if unused" } dd { (text::time(session.expires_at())) } }
            }
            h3 { "Data" }
            (text::data(&buckets::data(session)?, MAX_DATA))
            (page::confirmed("End session…", "Its data is deleted permanently.", &end))
        }
    })
}
