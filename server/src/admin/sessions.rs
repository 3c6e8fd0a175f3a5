//! One session of a bucket.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jwt_redis_session::Session;
use maud::{Markup, html};

use crate::admin::form::Form;
use crate::admin::form_token::FormToken;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note, Section};
use crate::admin::refusal::Refusal;
use crate::admin::state::AdminState;
use crate::admin::submitted::Submitted;
use crate::admin::{keys, text};
use crate::buckets::{self, SessionRef};

/// How much is shown of a session's data, in bytes before it is escaped.
const MOST_DATA: usize = 32 << 10;

/// The form to look a session up with.
pub(super) async fn form(operator: Operator) -> Response {
    let notice = operator.take_notice().await;
    let note = Note::notice(notice.as_deref());
    let page = render(operator.form_token(), &note, ("", ""), None);
    page::answer(StatusCode::OK, page)
}

/// Shows a session, which does not live longer for it.
pub(super) async fn look(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let asked = (form.field("bucket")?, form.field("id")?.trim());
    let found = match named(&form) {
        Some(name) => state.buckets.look(&name).await?.map(|found| (name, found)),
        None => None,
    };
    let Some((name, session)) = found else {
        let note = Note::alert("there is no such session in this bucket");
        let page = render(operator.form_token(), &note, asked, None);
        return Ok(page::answer(StatusCode::NOT_FOUND, page));
    };
    let shown = show(operator.form_token(), &name, &session)?;
    let page = render(operator.form_token(), &Note::default(), asked, Some(shown));
    Ok(page::answer(StatusCode::OK, page))
}

/// Ends a session.
pub(super) async fn end(
    State(state): State<Arc<AdminState>>,
    Submitted { operator, form }: Submitted,
) -> Result<Response, Refusal> {
    let ended = match named(&form) {
        Some(name) => state.buckets.end(&name).await?,
        None => false,
    };
    let notice = if ended {
        tracing::info!("an operator has ended a session of a bucket");
        "The session has ended."
    } else {
        "There was no such session any more."
    };
    operator.notify(notice).await;
    Ok(page::redirect("/admin/sessions"))
}

fn named(form: &Form) -> Option<SessionRef> {
    let bucket = keys::bucket(form).ok()?;
    SessionRef::parse(bucket, form.field("id").ok()?.trim()).ok()
}

fn render(
    token: &FormToken,
    note: &Note<'_>,
    (bucket, id): (&str, &str),
    shown: Option<Markup>,
) -> Markup {
    let content = html! {
        section.card aria-labelledby="look" {
            h2 #look { "Look a session up" }
            form.stack method="post" action="/admin/sessions" {
                (page::hidden(token))
                (keys::name_field(bucket))
                div.field {
                    label for="id" { "Session id" }
                    input #id.code name="id" value=(id) required maxlength="64"
                        autocomplete="off" autocapitalize="none" spellcheck="false"
                        aria-describedby="id-help";
                    p.help #id-help { "The UUID under which its client knows it. Looking does not make it live longer." }
                }
                div { button { "Look up" } }
            }
        }
        @if let Some(shown) = shown { (shown) }
    };
    page::section(Section::Sessions, token, note, &content)
}

fn show(token: &FormToken, name: &SessionRef, session: &Session) -> Result<Markup, Refusal> {
    let data = text::pretty(&buckets::data(session)?, MOST_DATA);
    Ok(html! {
        section.card aria-labelledby="session" {
            h2 #session { "Session" }
            dl {
                div { dt { "Bucket" } dd { (name.bucket.as_str()) } }
                div { dt { "Id" } dd { code { (name.uuid) } } }
                div { dt { "Created" } dd { (text::time(session.created_at())) } }
                div { dt { "Ends if unused" } dd { (text::time(session.expires_at())) } }
            }
            h3 #data { "Data" }
            pre tabindex="0" aria-labelledby="data" { (data.text) }
            @if let Some(cut) = data.cut() { p.help { (cut) } }
            (ending(token, name))
        }
    })
}

fn ending(token: &FormToken, name: &SessionRef) -> Markup {
    let form = html! {
        form method="post" action="/admin/sessions/end" {
            (page::hidden(token))
            input type="hidden" name="bucket" value=(name.bucket.as_str());
            input type="hidden" name="id" value=(name.uuid);
            button.danger { "End this session" }
        }
    };
    page::confirmed("End session…", "Its data is gone then, for ever.", &form)
}
