//! A form that an operator has sent.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use http::StatusCode;

use crate::admin::desk::Desk;
use crate::admin::form::Form;
use crate::admin::operator::Operator;
use crate::admin::refusal::Refusal;
use crate::error::ApiError;
use crate::http::refuse_other_origins;

/// The name of the field that holds the operator's [`FormToken`](super::operator::FormToken).
pub(super) const FORM_TOKEN: &str = "form_token";

/// Proof that an operator has sent a form of ours.
pub(super) struct Submitted {
    pub(super) operator: Operator,
    pub(super) form: Form,
}

impl FromRequest<Arc<Desk>> for Submitted {
    type Rejection = Refusal;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        refuse_other_origins(&parts.headers)?;
        let operator = Operator::from_request_parts(&mut parts, desk).await?;
        let form = Form::read(&desk.shared, body).await?;
        if !operator.form_token().equals(form.field(FORM_TOKEN)?) {
            return Err(Refusal::from(ApiError::new(
                StatusCode::FORBIDDEN,
                "this form is not of your session: open the page anew",
            )));
        }
        Ok(Self { operator, form })
    }
}
