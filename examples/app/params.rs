//! Parameters of a request: in the query, a form or a JSON object.

use axum::extract::{Form, FromRequest, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::{Json, RequestExt};
use serde_json::{Map, Value};

use crate::error::AppError;

/// The parameters in the query, and over them those in a form or a JSON object; never the token.
pub(crate) struct Params(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = AppError;

    async fn from_request(mut request: Request, _: &S) -> Result<Self, AppError> {
        let query = request.extract_parts::<Query<Map<String, Value>>>().await;
        let Query(mut params) = query.map_err(|e| AppError::new(e.status(), e.body_text()))?;
        let content_type = request.headers().get(CONTENT_TYPE);
        let content_type = content_type.map_or(&b""[..], |value| value.as_bytes());
        let body: Map<String, Value> = if content_type.starts_with(b"application/json") {
            let body = Json::from_request(request, &()).await;
            body.map_err(|e| AppError::new(e.status(), e.body_text()))?
                .0
        } else if content_type.starts_with(b"application/x-www-form-urlencoded") {
            let body = Form::from_request(request, &()).await;
            body.map_err(|e| AppError::new(e.status(), e.body_text()))?
                .0
        } else {
            Map::new()
        };
        params.extend(body);
        params.remove("accessToken");
        Ok(Self(params))
    }
}
