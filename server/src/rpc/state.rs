//! State of the RPC API's methods.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;
use jwt_redis_session::{Claims, SessionId, Sessions};

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::{Client, SharedSecret, refuse_other_sites};
use crate::settings::RpcSettings;
use crate::start_error::StartError;

/// The claim with the name that clients use for a session.
pub(crate) const SESSION_ID: &str = "sessionId";
/// The claim with the version of the sessions.
pub(crate) const SESSION_VERSION: &str = "sessionVersion";

/// The smallest limit of a session's size, whatever the limit of requests.
const MIN_SIZE: usize = 1 << 20;
/// The largest size of what the library adds to a record.
const OWN_SIZE: usize = 4096;
/// The longest part of a client's version that an error repeats, in bytes.
const ECHO: usize = 64;

/// State of the RPC API's methods: the sessions of the configured version.
#[derive(Debug)]
pub(crate) struct RpcState {
    pub(crate) sessions: Sessions,
    app: AppState,
    secret: SharedSecret,
}

/// Builds the sessions of the configured version. Their owner is the user.
pub(crate) fn sessions(app: &AppState) -> Result<Sessions, StartError> {
    let settings = &app.settings.rpc;
    let part = format!("rpc:{}", settings.session_version);
    let ttl = settings.session_ttl;
    Ok(app
        .sessions(&part, app.keyring()?, ttl)
        .max_size(settings.max_payload.max(MIN_SIZE) + OWN_SIZE)
        .build()?)
}

impl RpcState {
    pub(crate) fn new(app: &AppState) -> Result<Self, StartError> {
        Ok(Self {
            sessions: sessions(app)?,
            app: app.clone(),
            secret: SharedSecret::new(app.settings.rpc.secret.clone()),
        })
    }

    pub(crate) fn settings(&self) -> &RpcSettings {
        &self.app.settings.rpc
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        self.app.body_timeout()
    }

    /// Returns the name that clients use for a session. It is never parsed.
    pub(crate) fn session_id(&self, user: &str, id: &SessionId) -> String {
        format!("{}_{user}_{}", self.version(), id.as_str())
    }

    pub(crate) fn version(&self) -> &str {
        &self.settings().session_version
    }

    /// Checks the shared secret, if one is configured.
    ///
    /// # Errors
    ///
    /// 403 for a request from another site; 401, or 429 after too many failures.
    pub(crate) fn authorize(&self, client: Client, headers: &HeaderMap) -> Result<(), ApiError> {
        refuse_other_sites(headers)?;
        let checked = self.secret.check(headers);
        checked.map_err(|refusal| self.app.failures.failed(client, refusal))
    }

    /// Checks the version in a call or a token.
    ///
    /// # Errors
    ///
    /// 400 if it is not the configured one.
    pub(crate) fn check_version(&self, version: &str) -> Result<(), ApiError> {
        if version == self.version() {
            return Ok(());
        }
        let (sent, ours) = (printable(version), self.version());
        Err(ApiError::bad_request(format!(
            "sessionVersion {sent} does not match {ours}"
        )))
    }

    /// Returns the id in a token, whether or not the session exists.
    ///
    /// A token without a version was signed by an app that shares this keyspace: the keyspace
    /// implies the version.
    ///
    /// # Errors
    ///
    /// 400 for an invalid token or another version; 429 for a client that too often sends what was
    /// never a token.
    pub(crate) fn verify(&self, client: Client, token: &str) -> Result<SessionId, ApiError> {
        let invalid = || ApiError::bad_request("invalid token");
        let refused = |reason| self.app.failures.refused(client, reason, invalid());
        let verified = self.sessions.verify(token).map_err(refused)?;
        let claim = |claims: &Claims| claims.get::<String>(SESSION_VERSION);
        match verified.claims().map(claim).transpose() {
            Ok(version) => {
                if let Some(version) = version.flatten() {
                    self.check_version(&version)?;
                }
                Ok(verified.id().clone())
            }
            Err(_) => Err(invalid()),
        }
    }
}

/// Returns the start of `text`, safe for logs and terminals.
fn printable(text: &str) -> Cow<'_, str> {
    let fits = |char: char| char.is_alphanumeric() || char.is_ascii_graphic();
    if text.len() <= ECHO && text.chars().all(fits) {
        return Cow::Borrowed(text);
    }
    let fit = |char| if fits(char) { char } else { '?' };
    text.chars().take(ECHO).map(fit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_back_is_short_and_harmless() {
        assert_eq!(printable("v2.1-β"), "v2.1-β");
        assert_eq!(printable("a\r\nb\u{1b}[31m \u{202e}"), "a??b?[31m??");
        assert_eq!(printable(&"é".repeat(1000)).chars().count(), 64);
    }
}
