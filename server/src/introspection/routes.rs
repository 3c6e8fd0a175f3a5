//! The route of token introspection.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use jwt_redis_session::endpoints::{ClientSecrets, Introspection};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app_state::AppState;
use crate::error::{ApiError, ErrorBody};
use crate::http::{AuthenticationErrors, BodyErrors, Client, read_body};
use crate::private_json::private_json;
use crate::settings::SettingsError;
use crate::start_error::StartError;
use crate::{rpc, users};

/// The first call, in Markdown.
pub(crate) const INTRODUCTION: &str = include_str!("introduction.md");

/// The largest body, in bytes. A token has at most 8 KiB, which encoding can triple.
const MAX_BODY: usize = 32 << 10;

#[derive(Clone)]
struct IntrospectionState {
    introspection: Introspection,
    secrets: ClientSecrets,
    app: AppState,
}

pub(crate) fn router(app: &AppState) -> Result<OpenApiRouter, StartError> {
    Ok(OpenApiRouter::with_openapi(security_schemes())
        .routes(routes!(introspect))
        .with_state(IntrospectionState::new(app)?))
}

fn security_schemes() -> OpenApi {
    let scheme = |scheme, description: &str| {
        let http = HttpBuilder::new().scheme(scheme);
        SecurityScheme::Http(http.description(Some(description)).build())
    };
    let bearer = scheme(
        HttpAuthScheme::Bearer,
        "One of the setting `introspection.secrets`.",
    );
    let basic = scheme(
        HttpAuthScheme::Basic,
        "The same as password; the user name is not checked.",
    );
    let components = ComponentsBuilder::new()
        .security_scheme("introspection_bearer", bearer)
        .security_scheme("introspection_basic", basic);
    let components = Some(components.build());
    OpenApiBuilder::new().components(components).build()
}

impl IntrospectionState {
    fn new(app: &AppState) -> Result<Self, StartError> {
        let settings = &app.settings;
        let secrets = &settings.introspection.secrets;
        let secrets = ClientSecrets::new(secrets.iter().map(|secret| secret.expose()));
        let secrets =
            secrets.map_err(|error| SettingsError::new("introspection.secrets", error))?;
        let mut sessions = Vec::new();
        if settings.rpc.enabled {
            sessions.push(rpc::sessions(app)?);
        }
        if settings.users.enabled {
            sessions.push(users::sessions(app)?);
        }
        Ok(Self {
            introspection: Introspection::new(sessions, secrets.clone()),
            secrets,
            app: app.clone(),
        })
    }

    /// Checks the client secret.
    /// Errors: 401, or 429 after too many failures.
    fn authenticate(&self, client: Client, headers: &HeaderMap) -> Result<(), ApiError> {
        let sent = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let is_right = self.secrets.authenticate(headers).then_some(());
        let error = ApiError::unauthorized(
            "the header Authorization is missing or wrong; send one of introspection.secrets as \
             Bearer, or as the password of Basic",
            r#"Basic realm="sessiond", Bearer realm="sessiond""#,
        );
        let failures = &self.app.failures;
        failures.settle(client, sent.unwrap_or_default(), is_right, error)
    }
}

/// The form with the token.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only for the OpenAPI document")]
struct TokenForm {
    /// A token of the RPC or users API.
    #[schema(example = "eyJ…")]
    token: String,
    /// Ignored.
    token_type_hint: Option<String>,
}

/// The state of a token. An inactive one has only `active`.
#[derive(Serialize, ToSchema)]
struct TokenState {
    /// Whether the token gives a session.
    active: bool,
    /// The user of the session.
    #[schema(example = "jo")]
    sub: Option<String>,
    /// When the session ends if it is not used again, in Unix seconds.
    exp: Option<u64>,
    /// When the token was signed or, without a signature, the session created, in Unix seconds.
    iat: Option<u64>,
    /// The id of the session.
    jti: Option<String>,
    #[schema(example = "Bearer")]
    token_type: Option<String>,
}

/// Reports whether a token gives a session (RFC 7662).
///
/// The answer is `{"active":false}` for every token that gives none, whatever the reason. It does
/// not reset the time to live of the session. Client secrets are those of `introspection.secrets`.
#[utoipa::path(post, path = "/introspect", tag = "introspection", operation_id = "introspect",
    security(("introspection_bearer" = []), ("introspection_basic" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        AuthenticationErrors, BodyErrors,
        (status = 200, description = "The state of the token.", body = TokenState, examples(
            ("active" = (value = json!({"active": true, "sub": "jo", "exp": 1767225600,
                "iat": 1764547200, "jti": "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
                "token_type": "Bearer"}))),
            ("inactive" = (value = json!({"active": false}))),
        )),
        (status = 400, description = "The form does not have exactly one token.",
            body = ErrorBody<'_>),
    ))]
async fn introspect(
    State(state): State<IntrospectionState>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    // Before the body is read: others must not make the service buffer bodies.
    state.authenticate(client, &headers)?;
    check_type(&headers)?;
    let body = read_body(&headers, body, MAX_BODY, state.app.body_timeout()).await?;
    let mut fields = form_urlencoded::parse(&body).filter(|(name, _)| name == "token");
    let token = match (fields.next(), fields.next()) {
        (Some((_, token)), None) if !token.is_empty() => token,
        _ => {
            return Err(ApiError::bad_request(
                "the form must have one field `token`; send it once",
            ));
        }
    };
    let info = state.introspection.introspect(&token).await?;
    Ok(private_json(StatusCode::OK, info))
}

/// Errors: 415 if the body is no form.
fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let essence = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
    let is_form = essence.is_some_and(|it| {
        let it = it.trim_ascii();
        it.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    });
    is_form.then_some(()).ok_or_else(|| {
        let message = "the body is not a form; send application/x-www-form-urlencoded";
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    })
}
