//! The bodies of calls and answers, for the document of the API.
#![allow(dead_code, reason = "only their schemas are used")]

use utoipa::ToSchema;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, OpenApi, OpenApiBuilder};

/// A call of the first generation.
#[derive(ToSchema)]
pub(crate) struct NamedCall {
    /// The method.
    #[schema(example = "create")]
    name: String,
    /// The arguments: a text that holds JSON. A list is the arguments, anything else the only
    /// one; absent, null or empty: none.
    #[schema(example = r#"{"session":{"cart":3},"userId":"jo"}"#)]
    args: Option<String>,
}

/// A call of the second generation.
#[derive(ToSchema)]
pub(crate) struct PathCall {
    /// The arguments: a text that holds JSON. A list is the arguments, anything else the only
    /// one; absent, null or empty: none.
    #[schema(example = r#"[{"session":{"cart":3},"userId":"jo"}]"#)]
    args: Option<String>,
}

/// What a call gives back.
#[derive(ToSchema)]
pub(crate) struct CallResult {
    /// `create`: `{"token"}`; `get`: the fields, or null if the session has ended; `update` and
    /// `destroy`: `"OK"`; `getActiveSessions`: a list of `{"sessionId", "createdAt", "expiresAt",
    /// "session"}`; `destroyAll`: a number; `methods`: a list of `{"name", "docs"}`.
    #[schema(value_type = serde_json::Value, nullable)]
    result: serde_json::Value,
}

/// Why a call of the second generation was not done.
#[derive(ToSchema)]
pub(crate) struct CallErrorBody {
    /// What happened, for people.
    #[schema(example = "please specify a token")]
    error: String,
    /// 1000: the caller can do something about it; 4040: there is no such method; 5000: the caller
    /// cannot. Absent if the request as a whole took too long.
    #[schema(example = 1000, nullable = false)]
    code: Option<u16>,
    /// Whether the caller can do something about it. Absent if the request as a whole took too
    /// long.
    #[schema(example = true, nullable = false)]
    handled: Option<bool>,
}

/// Returns the part of the document that all methods share: the shared secret.
pub(crate) fn document() -> OpenApi {
    let header =
        ApiKeyValue::with_description("X-Sessiond-Secret", "Needed if `rpc.secret` is set.");
    let scheme = SecurityScheme::ApiKey(ApiKey::Header(header));
    let components = ComponentsBuilder::new().security_scheme("SharedSecret", scheme);
    OpenApiBuilder::new()
        .components(Some(components.build()))
        .build()
}
