//! The OpenAPI document and a page to browse it.

use axum::Router;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Only resources of this service. The scripts of Swagger UI set styles and `data:` images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Serves `document` at `/openapi.json` and Swagger UI at `/docs`, which works offline.
pub(crate) fn router(document: &str) -> Router {
    let text = Bytes::copy_from_slice(document.as_bytes());
    let document = get(move || async move { ([(CONTENT_TYPE, "application/json")], text) });
    // Collapses the schemas: each operation shows its own.
    let config = Config::from("/openapi.json").default_models_expand_depth(0);
    let page = SwaggerUi::new("/docs").config(config);
    Router::new()
        .merge(page)
        .layer(map_response(add_headers))
        .route("/openapi.json", document)
}

async fn add_headers(response: Response) -> impl IntoResponse {
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, response)
}
