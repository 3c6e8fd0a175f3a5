//! The OpenAPI document.

use utoipa::IntoResponses;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use crate::error::ErrorBody;

/// The document without the operations of the APIs.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "sessiond",
        description = include_str!("introduction.md"),
    ),
    servers((url = "/", description = "This service.")),
    tags(
        (name = "buckets", description = "Sessions in buckets, over REST."),
        (name = "rpc", description = "Sessions behind signed tokens, over RPC."),
        (name = "users", description = "Sessions of users, with bearer tokens."),
        (name = "introspection", description = "The state of tokens, for gateways."),
        (name = "operators", description = "Health and metrics."),
    ),
    components(schemas(ErrorBody<'_>)),
)]
pub(crate) struct Document;

/// The error responses that every operation may return.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the responses")]
enum CommonResponses {
    /// The path does not have this method.
    #[response(status = 405, headers(("Allow" = String, description = "The methods of the path.")))]
    MethodNotAllowed(ErrorBody<'static>),
    /// Internal error. The log of the service contains the cause, with the id of the request.
    #[response(status = 500)]
    Internal(ErrorBody<'static>),
    /// The store is not available, or the request took too long.
    #[response(status = 503, headers(("Retry-After" = u64, description = "Seconds until a retry.")))]
    Unavailable(ErrorBody<'static>),
}

/// Returns the document as JSON, with the first calls of the enabled APIs in its introduction, and
/// the common responses added to each operation.
pub(crate) fn json(mut openapi: OpenApi, first_calls: &[&str]) -> String {
    let introduction = openapi.info.description.get_or_insert_default();
    for calls in first_calls {
        *introduction += "\n";
        *introduction += calls;
    }
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        let responses = &mut operation.responses.responses;
        for (status, response) in CommonResponses::responses() {
            responses.entry(status).or_insert(response);
        }
    }
    openapi.to_pretty_json().expect("the document is JSON")
}

/// Returns the operations of a path.
pub(crate) fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut path.get,
        &mut path.put,
        &mut path.post,
        &mut path.delete,
    ];
    all.into_iter().flatten()
}
