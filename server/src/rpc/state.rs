//! What all methods share.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;
use jwt_redis_session::{Claims, SessionId, Sessions};

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::{Client, SharedSecret, refuse_other_sites};
use crate::settings::RpcSettings;
use crate::start_error::StartError;

/// The claim that carries the name under which clients know a session.
pub(crate) const SESSION_ID: &str = "sessionId";
/// The claim that says which version of the sessions a token is for.
pub(crate) const SESSION_VERSION: &str = "sessionVersion";

/// The least that a session may hold, however small the requests must be.
const MIN_SIZE: usize = 1 << 20;
/// What the core keeps in a record beside the session, at most.
const OWN_SIZE: usize = 4096;
/// How much of a version that a client made up is told back.
const ECHO: usize = 64;

/// What all methods share: the sessions of the configured version.
#[derive(Debug)]
pub(crate) struct RpcState {
    pub(crate) sessions: Sessions,
    app: AppState,
    secret: SharedSecret,
}

/// The sessions of the configured version; a user's belong to the user.
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
    pub(crate) fn open(app: &AppState) -> Result<Self, StartError> {
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

    /// The name under which clients know the session `id` of a user. It is never taken apart.
    pub(crate) fn session_id(&self, user: &str, id: &SessionId) -> String {
        format!("{}_{user}_{}", self.version(), id.as_str())
    }

    pub(crate) fn version(&self) -> &str {
        &self.settings().session_version
    }

    /// Lets a caller in that sends the secret of the state, if it has one.
    ///
    /// # Errors
    ///
    /// 403 for a browser that another site made call; 401, or 429 for one that fails too often.
    pub(crate) fn admit(&self, client: Client, headers: &HeaderMap) -> Result<(), ApiError> {
        refuse_other_sites(headers)?;
        let admitted = self.secret.check(headers);
        admitted.map_err(|refusal| self.app.failures.failed(client, refusal))
    }

    /// Checks the version that a caller, or a token, names.
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

    /// The session that a token names, whether or not it lives.
    ///
    /// A token without a version was made by an app that shares this keyspace, which alone says
    /// the version then.
    ///
    /// # Errors
    ///
    /// 400 for a token that is not good, whatever the reason, or for another version; 429 for a
    /// client that too often sends what is no token at all.
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

/// The beginning of `text`, fit for a log and a terminal.
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
