//! The public keys that verify tokens.

use std::sync::Arc;

use axum::extract::State;
use http::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rpc::state::RpcState;

/// A JWK Set (RFC 7517, section 5).
#[derive(Serialize, ToSchema)]
pub(super) struct Jwks {
    #[schema(value_type = Vec<Object>, example = json!([{"crv": "Ed25519", "kty": "OKP",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": "sig", "alg": "EdDSA",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}]))]
    keys: Vec<()>,
}

/// Returns the public keys that verify the tokens of this API (RFC 7517).
///
/// The `kid` of a token names its key. The list is empty while `tokens.algorithm` is an HMAC. A
/// client that only verifies a token does not notice that its session has ended, and the token has
/// no `exp`. `POST /introspect` reports it.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "rpc", operation_id = "read_jwks",
    responses((status = 200, description = "The public keys.", body = Jwks,
        content_type = "application/jwk-set+json", headers(("Cache-Control" = String)))))]
pub(super) async fn jwks(State(state): State<Arc<RpcState>>) -> Response<String> {
    state.jwks.response()
}
