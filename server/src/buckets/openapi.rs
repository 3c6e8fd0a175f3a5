//! The parts of the OpenAPI document that the handlers share.
#![allow(dead_code, reason = "parameters are only for the OpenAPI document")]

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, OpenApi, OpenApiBuilder, RefOr, Required};
use utoipa::{IntoParams, IntoResponses};

use crate::error::ErrorBody;
use crate::operators::openapi::operations;

/// The names of the keys in the security schemes.
pub(super) const BUCKET_KEY: &str = "bucket_key";
pub(super) const MASTER_KEY: &str = "master_key";

/// The first calls, in Markdown.
pub(crate) const INTRODUCTION: &str = include_str!("introduction.md");

/// Path parameter of all operations.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct BucketPath {
    /// The name of the bucket; not `settings`.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "shop")]
    bucket: String,
}

/// Path parameter of an operation on a session.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct SessionPath {
    /// The id of the session.
    #[param(format = "uuid", example = "1b4e28ba-2fa1-4d12-883f-0016d3cca427")]
    id: String,
}

/// The precondition of a write.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct Precondition {
    /// `*`, or the versions (`ETag`) that may be overwritten.
    #[param(rename = "If-Match", nullable = false, example = "*")]
    if_match: Option<String>,
}

/// The bucket whose settings are requested.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OfBucket {
    /// The name of the bucket.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "shop", nullable = false)]
    bucket: Option<String>,
}

/// How an API key is deleted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Grace {
    /// How long the key remains valid: a duration from `1s` to `7days`. Without it the key is
    /// rejected immediately.
    #[param(example = "1h", nullable = false)]
    grace: Option<String>,
}

/// Error response to malformed requests.
#[derive(IntoResponses)]
#[response(status = 400, description = "The request is malformed.")]
pub(super) struct BadRequest(ErrorBody<'static>);

/// Error response to operations on a session that does not exist.
#[derive(IntoResponses)]
#[response(status = 404, description = "There is no such session.")]
pub(super) struct NoSession(ErrorBody<'static>);

/// Returns a document with the security schemes: one for each kind of key, not for each place that
/// a key may be sent in.
pub(super) fn security_schemes() -> OpenApi {
    let mut components = ComponentsBuilder::new();
    for (kind, text) in [
        (
            BUCKET_KEY,
            "The API key of the bucket. Also accepted in `X-API-KEY` or `?api_key=`.",
        ),
        (
            MASTER_KEY,
            "A master key of the service. Also accepted in `X-API-KEY` or `?api_key=`.",
        ),
    ] {
        let header = ApiKeyValue::with_description("X-SESSION-KEY", text);
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(header));
        components = components.security_scheme(kind, scheme);
    }
    let components = Some(components.build());
    OpenApiBuilder::new().components(components).build()
}

/// Documents that each operation needs `key`, and that each body may be empty.
pub(super) fn complete(document: &mut OpenApi, key: &str) {
    let no_scopes: [&str; 0] = [];
    let requirement = SecurityRequirement::new(key, no_scopes);
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        operation.security = Some(vec![requirement.clone()]);
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.required = Some(Required::False);
        }
    }
}
