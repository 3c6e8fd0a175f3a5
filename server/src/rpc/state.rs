//! State of the RPC API's methods.

use http::HeaderMap;
use jwt_redis_session::endpoints::JwksService;
use jwt_redis_session::{Claims, SessionId, Sessions};

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::{Client, SharedSecret, reject_other_origins};
use crate::start_error::StartError;

/// The claim that names the session.
pub(super) const SESSION_ID: &str = "sessionId";
/// The claim that holds the version of the session.
pub(super) const SESSION_VERSION: &str = "sessionVersion";

/// The lower bound of the limit of a session's size, in bytes.
const MIN_SIZE: usize = 1 << 20;
/// The largest size of what the library adds to a record, in bytes.
const OVERHEAD: usize = 4096;
/// The longest part of a client's version that an error repeats, in characters.
const MAX_ECHO: usize = 64;

pub(super) struct RpcState {
    pub(super) sessions: Sessions,
    pub(super) app: AppState,
    /// The public keys of tokens.
    pub(super) jwks: JwksService,
    secret: SharedSecret,
}

/// Builds the sessions of the configured version, which are owned by users.
pub(crate) fn sessions(app: &AppState) -> Result<Sessions, StartError> {
    let settings = &app.settings.rpc;
    let part = format!("rpc:{}", settings.session_version);
    let ttl = settings.session_ttl;
    Ok(app
        .sessions(&part, Some(app.keyring.clone().into()), ttl)
        .max_size(settings.max_payload.max(MIN_SIZE) + OVERHEAD)
        .build()?)
}

impl RpcState {
    pub(super) fn new(app: &AppState) -> Result<Self, StartError> {
        Ok(Self {
            sessions: sessions(app)?,
            jwks: JwksService::new(app.keyring.clone()),
            app: app.clone(),
            secret: SharedSecret::new(app.settings.rpc.secret.clone()),
        })
    }

    /// Returns the claim [`SESSION_ID`], which the service never parses.
    pub(super) fn session_id(&self, user: &str, id: &SessionId) -> String {
        format!("{}_{user}_{}", self.version(), id.as_str())
    }

    pub(super) fn version(&self) -> &str {
        &self.app.settings.rpc.session_version
    }

    /// Checks the shared secret, if one is configured.
    /// Errors: 403 for a request from another site; 401, or 429 after too many failures.
    pub(super) fn authorize(&self, client: Client, headers: &HeaderMap) -> Result<(), ApiError> {
        reject_other_origins(headers)?;
        self.secret.check(&self.app.failures, client, headers)
    }

    /// Checks the version in a call or a token.
    /// Errors: 400 if it is not the configured one.
    pub(super) fn check_version(&self, version: &str) -> Result<(), ApiError> {
        if version == self.version() {
            return Ok(());
        }
        // Escaped, because not every character is safe in logs and terminals.
        let sent: String = version.escape_debug().take(MAX_ECHO).collect();
        let ours = self.version();
        Err(ApiError::bad_request(format!(
            "sessionVersion {sent} does not match {ours}"
        )))
    }

    /// Returns the session id in a token. The session need not exist.
    /// Errors: 400 for an invalid token or another version; 429 after too many failures.
    pub(super) fn verify(&self, client: Client, token: &str) -> Result<SessionId, ApiError> {
        let invalid = || ApiError::bad_request("invalid token; send the one that create returned");
        let rejected = |reason| self.app.failures.token_rejected(client, reason, invalid());
        let verified = self.sessions.verify(token).map_err(rejected)?;
        let version = |claims: &Claims| claims.get::<String>(SESSION_VERSION);
        let version = verified.claims().map(version).transpose();
        // A token without a version was signed by an app that shares this keyspace, which implies
        // the version.
        if let Some(version) = version.map_err(|_| invalid())?.flatten() {
            self.check_version(&version)?;
        }
        Ok(verified.id().clone())
    }
}
