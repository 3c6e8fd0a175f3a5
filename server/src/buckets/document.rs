//! What the handlers of this door have in common in the document of the API.

use std::collections::BTreeMap;

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{IntoParams, IntoResponses, Modify};

/// The document of this door before its handlers have added theirs.
#[derive(utoipa::OpenApi)]
#[openapi(modifiers(&Keys))]
pub(super) struct Document;

/// The keys that this door asks for.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let mut add = |name: &str, scheme: fn(ApiKeyValue) -> ApiKey, place, text| {
            let value = ApiKeyValue::with_description(place, text);
            components.add_security_scheme(name, SecurityScheme::ApiKey(scheme(value)));
        };
        let (bucket, master) = ("The API key of the bucket.", "A master key.");
        add("bucket_key", ApiKey::Header, "X-SESSION-KEY", bucket);
        add(
            "bucket_key_in_x_api_key",
            ApiKey::Header,
            "X-API-KEY",
            bucket,
        );
        add("bucket_key_in_query", ApiKey::Query, "api_key", bucket);
        add("master_key", ApiKey::Header, "X-SESSION-KEY", master);
        add(
            "master_key_in_x_api_key",
            ApiKey::Header,
            "X-API-KEY",
            master,
        );
        add("master_key_in_query", ApiKey::Query, "api_key", master);
    }
}

/// Where a bucket's key stands.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document")]
pub(super) struct BucketPath {
    /// The name of the bucket; not `settings`.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "shop")]
    bucket: String,
}

/// Where a session stands.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document")]
pub(super) struct SessionPath {
    /// The name of the bucket; not `settings`.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "shop")]
    bucket: String,
    /// The id of the session.
    #[param(format = "uuid", example = "1b4e28ba-2fa1-4d12-883f-0016d3cca427")]
    id: String,
}

/// What a client has seen before it writes.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document")]
pub(super) struct Condition {
    /// `*`, or the versions (`ETag`) that may be overwritten.
    #[param(rename = "If-Match", nullable = false, example = "*")]
    if_match: Option<String>,
}

/// The answers to requests that are refused whatever they ask for.
pub(super) struct Refused;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let plain = [
            ("400", "The request is malformed.", None),
            (
                "401",
                "The key is missing or wrong.",
                Some("WWW-Authenticate"),
            ),
            (
                "429",
                "Too many failed authentications.",
                Some("Retry-After"),
            ),
            ("500", "The service or what it stores is broken.", None),
            (
                "503",
                "The store is not available; try again.",
                Some("Retry-After"),
            ),
        ];
        let responses = plain.into_iter().map(|(status, text, header)| {
            let schema = Ref::from_schema_name("ErrorBody");
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let mut response = ResponseBuilder::new()
                .description(text)
                .content("application/json", content);
            if let Some(name) = header {
                response = response.header(name, HeaderBuilder::new().build());
            }
            (status.to_owned(), response.build().into())
        });
        responses.collect()
    }
}

/// Says what the attributes of the handlers cannot: that `HEAD` is wherever `GET` is, as the router
/// has it, and that a body may be missing.
pub(super) fn complete(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        item.head = item.head.take().or_else(|| item.get.as_ref().map(head));
        for operation in [&mut item.put, &mut item.post].into_iter().flatten() {
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                body.required = Some(Required::False);
            }
        }
    }
}

fn head(get: &Operation) -> Operation {
    let mut head = get.clone();
    head.operation_id = head.operation_id.map(|id| format!("{id}_head"));
    head.summary = Some("As GET, without the body.".to_owned());
    head.description = None;
    for response in head.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.content.clear();
        }
    }
    head
}
