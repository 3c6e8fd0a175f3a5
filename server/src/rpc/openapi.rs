//! The parts of the OpenAPI document that the routes share.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{IntoResponses, PartialSchema as _, ToSchema};

use crate::rpc::wire::CallErrorBody;

/// The first calls, in Markdown.
pub(crate) const INTRODUCTION: &str = include_str!("introduction.md");

/// The statuses of errors and their descriptions.
const ERRORS: &str = "\
400 An argument is wrong, or the session is gone.
401 The shared secret is missing or wrong.
403 Another site made the browser send this request (`Sec-Fetch-Site`, `Origin`).
404 There is no such method.
408 The body was not received in time.
409 Too many concurrent writes; nothing was changed. Retry later.
413 The body or the session is too large.
415 The `Content-Encoding` is neither gzip nor identity.
429 Too many failed authentications.
500 Internal error. The log of the service contains the cause.
503 The store is not available, or the request took too long.";

/// Error responses with the body `B`.
pub(super) struct Errors<B>(PhantomData<B>);

impl<B: ToSchema> IntoResponses for Errors<B> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let errors = ERRORS.lines().filter_map(|line| line.split_once(' '));
        let responses = errors.map(|(status, description)| {
            let content = Content::new(Some(Ref::from_schema_name(B::name())));
            let response = ResponseBuilder::new()
                .description(description)
                .content("application/json", content);
            (status.to_owned(), response.build().into())
        });
        responses.collect()
    }
}

/// Returns the part of the document that the routes share.
pub(super) fn document() -> OpenApi {
    let header = ApiKeyValue::with_description(
        "X-Sessiond-Secret",
        "The setting `rpc.secret`; not needed if it is not set.",
    );
    let components = ComponentsBuilder::new()
        .schema(CallErrorBody::name(), CallErrorBody::schema())
        .security_scheme("rpc_secret", SecurityScheme::ApiKey(ApiKey::Header(header)))
        .build();
    OpenApiBuilder::new().components(Some(components)).build()
}
