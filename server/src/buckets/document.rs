//! The parts of the OpenAPI document that the handlers share.

use std::collections::BTreeMap;

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{IntoParams, IntoResponses, Modify};

/// The names of the security schemes: by `X-SESSION-KEY`, by `X-API-KEY`, by query.
type Schemes = [&'static str; 3];

const BUCKET_KEY: Schemes = [
    "bucket_key",
    "bucket_key_in_x_api_key",
    "bucket_key_in_query",
];
const MASTER_KEY: Schemes = [
    "master_key",
    "master_key_in_x_api_key",
    "master_key_in_query",
];

/// The document of this API before the router adds the handlers.
#[derive(utoipa::OpenApi)]
#[openapi(modifiers(&Keys))]
pub(super) struct Document;

/// Adds the security schemes.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        for (schemes, text) in [
            (BUCKET_KEY, "The API key of the bucket."),
            (MASTER_KEY, "A master key."),
        ] {
            let value = |place| ApiKeyValue::with_description(place, text);
            let keys = [
                ApiKey::Header(value("X-SESSION-KEY")),
                ApiKey::Header(value("X-API-KEY")),
                ApiKey::Query(value("api_key")),
            ];
            for (name, key) in schemes.into_iter().zip(keys) {
                components.add_security_scheme(name, SecurityScheme::ApiKey(key));
            }
        }
    }
}

/// Path parameters of an API key.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "for the document")]
pub(super) struct BucketPath {
    /// The name of the bucket; not `settings`.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "shop")]
    bucket: String,
}

/// Path parameters of a session.
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

/// The precondition of a write.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "for the document")]
pub(super) struct Condition {
    /// `*`, or the versions (`ETag`) that may be overwritten.
    #[param(rename = "If-Match", nullable = false, example = "*")]
    if_match: Option<String>,
}

/// The error responses of every operation.
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

/// Adds what the attributes of the handlers would repeat or cannot say: the keys, that the router
/// answers `HEAD` wherever it answers `GET`, and that a body may be missing.
pub(super) fn complete(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let security = security(path);
        let methods = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
        ];
        for operation in methods.into_iter().flatten() {
            operation.security.clone_from(&security);
        }
        item.head = item.head.take().or_else(|| item.get.as_ref().map(head));
        for operation in [&mut item.put, &mut item.post].into_iter().flatten() {
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                body.required = Some(Required::False);
            }
        }
    }
}

/// Returns the keys that open a path.
fn security(path: &str) -> Option<Vec<SecurityRequirement>> {
    let schemes = match path {
        "/session/settings" => return None,
        path if path.starts_with("/api-key/") => MASTER_KEY,
        _ => BUCKET_KEY,
    };
    let no_scopes: [&str; 0] = [];
    let requirement = |scheme| SecurityRequirement::new(scheme, no_scopes);
    Some(schemes.map(requirement).into())
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
