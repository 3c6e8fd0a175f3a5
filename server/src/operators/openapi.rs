//! The document of the API.

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "sessiond",
        description = "Server-side sessions over HTTP, for apps in any language.",
    ),
    tags(
        (name = "buckets", description = "Sessions in buckets, over REST."),
        (name = "rpc", description = "Sessions behind signed tokens, over RPC."),
        (name = "users", description = "Sessions of users, with bearer tokens."),
        (name = "operators", description = "Health and metrics."),
    ),
)]
struct Document;

/// The document before the doors have added theirs.
pub(crate) fn document() -> OpenApi {
    Document::openapi()
}

/// The document as JSON.
pub(crate) fn json(openapi: &OpenApi) -> String {
    openapi.to_pretty_json().expect("the document is JSON")
}

/// `/openapi.json`, and `/docs` to browse it, which needs nothing from the internet.
pub(crate) fn router(document: &str) -> Router {
    let text = Bytes::copy_from_slice(document.as_bytes());
    let document = get(move || async move { ([(CONTENT_TYPE, "application/json")], text) });
    let docs = SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json"));
    Router::new().route("/openapi.json", document).merge(docs)
}
