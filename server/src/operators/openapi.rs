//! The document of the API.

use http::StatusCode;
use utoipa::Modify;
use utoipa::OpenApi as _;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, ObjectBuilder, OpenApi, Ref, RefOr, Response, Type};

use crate::error::ErrorBody;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "sessiond",
        description = "Server-side sessions over HTTP, for apps in any language.\n\n\
            Every answer has a header `X-Request-Id`: that of the request if it is fit for a \
            log, else a fresh one.",
    ),
    servers((url = "/", description = "This service.")),
    tags(
        (name = "buckets", description = "Sessions in buckets, over REST."),
        (name = "rpc", description = "Sessions behind signed tokens, over RPC."),
        (name = "users", description = "Sessions of users, with bearer tokens."),
        (name = "operators", description = "Health and metrics."),
    ),
    components(schemas(ErrorBody<'_>)),
)]
struct Document;

/// Returns the document before the APIs add their operations.
pub(crate) fn document() -> OpenApi {
    Document::openapi()
}

/// The whole document as JSON, with what holds for every operation added to each.
pub(crate) fn json(openapi: &OpenApi) -> String {
    let mut openapi = openapi.clone();
    CommonAnswers.modify(&mut openapi);
    openapi.to_pretty_json().expect("the document is JSON")
}

/// What any operation can answer, whatever it does; and words for answers that have none.
struct CommonAnswers;

impl Modify for CommonAnswers {
    fn modify(&self, openapi: &mut OpenApi) {
        for operation in openapi.paths.paths.values_mut().flat_map(operations) {
            add(operation, StatusCode::METHOD_NOT_ALLOWED, wrong_method());
            add(operation, StatusCode::INTERNAL_SERVER_ERROR, failed());
            add(operation, StatusCode::SERVICE_UNAVAILABLE, unavailable());
            for (status, response) in &mut operation.responses.responses {
                describe(status, response);
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut path.get,
        &mut path.put,
        &mut path.post,
        &mut path.delete,
        &mut path.options,
        &mut path.head,
        &mut path.patch,
        &mut path.trace,
    ];
    all.into_iter().flatten()
}

/// Adds a response unless the operation documents its own.
fn add(operation: &mut Operation, status: StatusCode, response: Response) {
    let responses = &mut operation.responses.responses;
    responses
        .entry(status.as_str().to_owned())
        .or_insert_with(|| response.into());
}

/// OpenAPI demands a description of each answer.
fn describe(status: &str, response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else {
        return;
    };
    if response.description.is_empty() {
        let status = status.parse::<StatusCode>().ok();
        let reason = status.and_then(|status| status.canonical_reason());
        reason
            .unwrap_or("An answer.")
            .clone_into(&mut response.description);
    }
}

fn wrong_method() -> Response {
    let mut response = error("The path has no such method.");
    let allow = header("The methods that it has.", Type::String);
    response.headers.insert("Allow".to_owned(), allow);
    response
}

fn failed() -> Response {
    error("A fault of the service; its log tells more, under the request's id.")
}

fn unavailable() -> Response {
    let mut response = error("The store is not available, or the request took too long.");
    let after = header(
        "The seconds to wait before the next attempt.",
        Type::Integer,
    );
    response.headers.insert("Retry-After".to_owned(), after);
    response
}

fn error(description: &str) -> Response {
    let mut response = Response::new(description);
    let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
    response
        .content
        .insert("application/json".to_owned(), body.into());
    response
}

fn header(description: &str, value: Type) -> RefOr<utoipa::openapi::Header> {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(value)))
        .description(Some(description))
        .build()
        .into()
}
