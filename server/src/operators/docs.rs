//! Where the document of the API is read.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Only what this service serves itself; Swagger UI sets styles and images in its scripts.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// `/openapi.json`, and `/docs` to browse it, which needs nothing from the internet.
pub(crate) fn router(document: &str) -> Router {
    let text = Bytes::copy_from_slice(document.as_bytes());
    let document = get(move || async move { ([(CONTENT_TYPE, "application/json")], text) });
    let page = SwaggerUi::new("/docs").config(Config::from("/openapi.json"));
    Router::new()
        .merge(page)
        .layer(axum::middleware::map_response(guard))
        .route("/openapi.json", document)
}

async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
