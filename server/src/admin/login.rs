//! Login and logout of operators.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};

use crate::admin::cookie::OverTls;
use crate::admin::form::Form;
use crate::admin::operator::Operator;
use crate::admin::page::{self, Note};
use crate::admin::refusal::{Refusal, with_page};
use crate::admin::state::AdminState;
use crate::admin::submitted::Submitted;
use crate::error::ApiError;
use crate::http::{Client, refuse_other_origins};

/// Shows the login form.
pub(super) async fn form() -> Response {
    page::answer(StatusCode::OK, login_page(&Note::default()))
}

/// Logs in with a master key.
pub(super) async fn log_in(
    State(state): State<Arc<AdminState>>,
    client: Client,
    over_tls: OverTls,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    refuse_other_origins(&headers)?;
    let form = Form::read(&state.app, body).await?;
    let Some(key) = state.masters.verify(form.field("key")?.as_bytes()) else {
        return Ok(refused(&state, client));
    };
    let token = Operator::log_in(&state, &key).await?;
    tracing::info!("an operator has logged in");
    let mut response = page::redirect("/admin");
    let cookie = over_tls.cookie(&token);
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Logs the operator out.
pub(super) async fn log_out(
    over_tls: OverTls,
    Submitted { operator, .. }: Submitted,
) -> Result<Response, Refusal> {
    operator.log_out().await?;
    let mut response = page::redirect("/admin/login");
    let cookie = over_tls.forget();
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

fn refused(state: &AdminState, client: Client) -> Response {
    let refusal = ApiError::unauthorized(
        "this is not a master key of the service",
        "MasterKey realm=\"sessiond\"",
    );
    let refusal = state.app.failures.failed(client, refusal);
    let page = login_page(&Note::alert(refusal.message()));
    with_page(refusal, page)
}

fn login_page(note: &Note<'_>) -> Markup {
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
