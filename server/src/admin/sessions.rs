//! Admin page that shows and ends one session of a bucket.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use jwt_redis_session::Session;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::error::PageError;
use crate::admin::form::Submitted;
use crate::admin::form_token::FormToken;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note, Section};
use crate::admin::state::AdminState;
use crate::admin::{keys, text};
use crate::buckets::{self, BucketName, SessionRef};
use crate::optional::optional;

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
    render(operator.form_token(), &note, &form, &html! {})
}

/// Shows a session without refreshing its TTL.
pub(super) async fn show(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted<SessionForm>,
) -> Result<Response, PageError> {
    let token = operator.form_token();
    if let Some(name) = form.session()
        && let Some(session) = optional(state.buckets.get_without_touch(&name.id()).await)?
    {
        let session = render_session(token, &name, &session)?;
        return Ok(render(token, &Note::None, &form, &session).into_response());
    }
    let note = Note::alert("there is no such session in this bucket");
    let page = render(token, &note, &form, &html! {});
    Ok((StatusCode::NOT_FOUND, page).into_response())
}

/// Ends the session of the form and redirects to the page with a notice.
pub(super) async fn end(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted<SessionForm>,
) -> Result<Redirect, PageError> {
    let ended = match form.session() {
        Some(name) => state.buckets.destroy(&name.id()).await?,
        None => false,
    };
    if ended {
        tracing::info!("an operator has ended a session of a bucket");
    }
    operator.notify(text::ended(ended)).await;
    Ok(Redirect::to("/admin/sessions"))
}

fn render(token: &FormToken, note: &Note, form: &SessionForm, session: &Markup) -> Markup {
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
    page::section(Section::Sessions, token, note, &content)
}

fn render_session(
    token: &FormToken,
    name: &SessionRef,
    session: &Session,
) -> Result<Markup, PageError> {
    let end = html! {
        form method="post" action="/admin/sessions/end" {
            (page::hidden(token))
            input type="hidden" name="bucket" value=(name.bucket.as_str());
            input type="hidden" name="id" value=(name.uuid);
            button.danger { "End this session" }
        }
    };
    Ok(html! {
        section.card aria-labelledby="session" {
            h2 #session { "Session" }
            dl {
                div { dt { "Bucket" } dd { (name.bucket.as_str()) } }
                div { dt { "Id" } dd { code { (name.uuid) } } }
                div { dt { "Created" } dd { (text::time(session.created_at())) } }
                div { dt { "Expires if unused" } dd { (text::time(session.expires_at())) } }
            }
            h3 { "Data" }
            (text::data(&buckets::data(session)?, MAX_DATA))
            (page::confirmed("End session…", "Its data is deleted permanently.", &end))
        }
    })
}
