//! Extractor for the forms of operators.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use http::StatusCode;

use crate::admin::form::Form;
use crate::admin::form_token::FORM_TOKEN;
use crate::admin::operator::Operator;
use crate::admin::refusal::Refusal;
use crate::admin::state::AdminState;
use crate::error::ApiError;
use crate::http::refuse_other_origins;

/// Extractor that accepts a form only with the operator's form token, from this origin.
pub(super) struct Submitted {
    pub(super) operator: Operator,
    pub(super) form: Form,
}

impl FromRequest<Arc<AdminState>> for Submitted {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &Arc<AdminState>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        refuse_other_origins(&parts.headers)?;
        let operator = Operator::from_request_parts(&mut parts, state).await?;
        let form = Form::read(&state.app, body).await?;
        if !operator.form_token().equals(form.field(FORM_TOKEN)?) {
            return Err(Refusal::from(ApiError::new(
                StatusCode::FORBIDDEN,
                "this form is not of your session: open the page anew",
            )));
        }
        Ok(Self { operator, form })
    }
}
