//! Coming and going.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};

use crate::admin::cookie::OverTls;
use crate::admin::desk::Desk;
use crate::admin::form::Form;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note};
use crate::admin::refusal::{Refusal, with_page};
use crate::admin::submitted::Submitted;
use crate::error::ApiError;
use crate::http::{Client, refuse_other_origins};

/// The form to log in with.
pub(super) async fn form() -> Response {
    page::answer(StatusCode::OK, log_in(&Note::default()))
}

/// Lets in who shows a master key.
pub(super) async fn enter(
    State(desk): State<Arc<Desk>>,
    client: Client,
    over_tls: OverTls,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    refuse_other_origins(&headers)?;
    let form = Form::read(&desk.shared, body).await?;
    let Some(mark) = desk.masters.recognise(form.field("key")?.as_bytes()) else {
        return Ok(refused(&desk, client));
    };
    let token = Operator::log_in(&desk, &mark).await?;
    tracing::info!("an operator has logged in");
    let mut response = page::redirect("/admin");
    let cookie = over_tls.cookie(&token);
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Ends the operator's session.
pub(super) async fn leave(
    over_tls: OverTls,
    Submitted { operator, .. }: Submitted,
) -> Result<Response, Refusal> {
    operator.log_out().await?;
    let mut response = page::redirect("/admin/login");
    let cookie = over_tls.forget();
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

fn refused(desk: &Desk, client: Client) -> Response {
    let refusal = ApiError::unauthorized(
        "this is not a master key of the service",
        "MasterKey realm=\"sessiond\"",
    );
    let refusal = desk.shared.failures.failed(client, refusal);
    let page = log_in(&Note::alert(refusal.message()));
    with_page(refusal, page)
}

fn log_in(note: &Note<'_>) -> Markup {
    let content = html! {
        section.card {
            form.stack method="post" action="/admin/login" {
                div.field {
                    label for="key" { "Master key" }
                    input #key type="password" name="key" required
                        autocomplete="current-password" aria-describedby="key-help";
                    p.help #key-help { "One of " code { "buckets.master_keys" } " in the configuration." }
                }
                div { button { "Log in" } }
            }
        }
    };
    page::plain("Log in", note, &content)
}
