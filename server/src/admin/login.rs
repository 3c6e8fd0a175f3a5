//! Login and logout of operators.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use maud::{Markup, html};
use serde::Deserialize;

use crate::admin::cookie;
use crate::admin::form::{Submitted, read_form};
use crate::admin::operator::{CHALLENGE, Operator};
use crate::admin::page::{self, Note, PageError};
use crate::admin::state::SharedState;
use crate::error::ApiError;
use crate::http::{Client, reject_other_origins};
use crate::secret::Secret;

#[derive(Deserialize)]
struct LoginForm {
    key: Secret,
}

/// Shows the login form.
pub(super) async fn form() -> Markup {
    login_page(&Note::None)
}

/// Logs in with a master key.
pub(super) async fn log_in(
    State(state): State<SharedState>,
    client: Client,
    request: Request,
) -> Result<Response, PageError> {
    // Otherwise another site could log the browser in with a key of its choice.
    reject_other_origins(request.headers())?;
    let form: LoginForm = read_form(&state.app, request).await?;
    let sent = form.key.expose().as_bytes();
    let error = ApiError::unauthorized("this is not a master key of the service", CHALLENGE);
    let verified = state.masters.verify(sent);
    let key = match state.app.failures.settle(client, sent, verified, error) {
        Ok(key) => key,
        Err(error) => return Ok(page::rejection(error, login_page)),
    };
    let token = Operator::log_in(&state, &key).await?;
    tracing::info!("an operator has logged in");
    let cookie = [(SET_COOKIE, cookie::set(client, Some(&token)))];
    Ok((cookie, Redirect::to("/admin")).into_response())
}

/// Logs the operator out.
pub(super) async fn log_out(
    client: Client,
    Submitted { operator, .. }: Submitted<()>,
) -> Result<Response, PageError> {
    operator.session.destroy().await?;
    let cookie = [(SET_COOKIE, cookie::set(client, None))];
    Ok((cookie, Redirect::to("/admin/login")).into_response())
}

fn login_page(note: &Note) -> Markup {
    let content = html! {
        section.card {
            form.stack method="post" action="/admin/login" {
                div.field {
                    label for="key" { "Master key" }
                    input #key type="password" name="key" required autofocus
                        autocomplete="current-password" aria-describedby="key-help";
                    p.help #key-help { "One of " code { "buckets.master_keys" } " in the configuration." }
                }
                div { button { "Log in" } }
            }
        }
    };
    page::plain("Log in", note, &content)
}
