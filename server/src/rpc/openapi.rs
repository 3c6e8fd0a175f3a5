//! The responses in the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{IntoResponses, PartialSchema as _};

use crate::rpc::wire::CallErrorBody;

const ERRORS: [(&str, &str); 10] = [
    ("400", "An argument is wrong, or the session is gone."),
    ("401", "The shared secret is missing or wrong."),
    (
        "403",
        "Another site made the browser send this request (`Sec-Fetch-Site`).",
    ),
    ("404", "There is no such method."),
    ("408", "The body was not received in time."),
    (
        "409",
        "Too many concurrent writes; nothing was changed. Retry later.",
    ),
    ("413", "The body or the session is too large."),
    ("429", "Too many failed authentications."),
    (
        "500",
        "Internal error. The log of the service contains the cause.",
    ),
    (
        "503",
        "The store is not available, or the request took too long.",
    ),
];

/// Error responses in version 1 of the wire format.
pub(super) struct ErrorsV1;

/// Error responses in version 2 of the wire format.
pub(super) struct ErrorsV2;

impl IntoResponses for ErrorsV1 {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        error_responses("ErrorBody")
    }
}

impl IntoResponses for ErrorsV2 {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        error_responses("CallErrorBody")
    }
}

fn error_responses(schema: &str) -> BTreeMap<String, RefOr<Response>> {
    let responses = ERRORS.into_iter().map(|(status, description)| {
        let content = Content::new(Some(Ref::from_schema_name(schema)));
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/json", content);
        (status.to_owned(), response.build().into())
    });
    responses.collect()
}

/// Returns the part of the document that the routes share.
pub(super) fn document() -> OpenApi {
    let header =
        ApiKeyValue::with_description("X-Sessiond-Secret", "Required if `rpc.secret` is set.");
    let scheme = SecurityScheme::ApiKey(ApiKey::Header(header));
    let components = ComponentsBuilder::new()
        .schema("CallErrorBody", CallErrorBody::schema())
        .security_scheme("SharedSecret", scheme);
    OpenApiBuilder::new()
        .components(Some(components.build()))
        .build()
}
