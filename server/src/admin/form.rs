//! Extractor for forms.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::{Form, RequestExt as _};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::admin::operator::Operator;
use crate::admin::page::PageError;
use crate::admin::state::SharedState;
use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::{read_body, reject_other_origins};
use crate::secret::Secret;

/// The largest form, in bytes; an owner takes up to 3 × 512.
const MAX_FORM: usize = 16 << 10;

/// Extractor that accepts a form only with the operator's form token, from this origin.
pub(super) struct Submitted<T> {
    pub(super) operator: Operator,
    pub(super) form: T,
}

#[derive(Deserialize)]
struct WithToken<T> {
    form_token: Secret,
    #[serde(flatten)]
    form: T,
}

/// Reads a form within its limits. A field that is missing or sent twice is an error.
/// Errors: 408, 413, 400.
pub(super) async fn read_form<T: DeserializeOwned>(
    app: &AppState,
    request: Request,
) -> Result<T, ApiError> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, MAX_FORM, app.body_timeout()).await?;
    let request = Request::from_parts(parts, Body::from(body));
    let form = Form::from_request(request, &()).await;
    form.map(|Form(form)| form).map_err(|_| {
        ApiError::bad_request("the form cannot be read; reload the page and submit it again")
    })
}

impl<T: DeserializeOwned> FromRequest<SharedState> for Submitted<T> {
    type Rejection = PageError;

    async fn from_request(mut request: Request, state: &SharedState) -> Result<Self, PageError> {
        // Before the body is read: another site must not make this service buffer forms.
        reject_other_origins(request.headers())?;
        let operator: Operator = request.extract_parts_with_state(state).await?;
        let WithToken { form_token, form } = read_form(&state.app, request).await?;
        if !operator.form_token.equals(form_token.expose().as_bytes()) {
            let message = "this form has expired; reload the page and try again";
            return Err(ApiError::new(StatusCode::FORBIDDEN, message).into());
        }
        Ok(Self { operator, form })
    }
}
