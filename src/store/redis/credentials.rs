//! Credentials that change while the application runs.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use redis::RedisConnectionInfo;

use crate::store::error::{Result, StoreError, StoreErrorKind};

type BoxError = Box<dyn Error + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = Result<(String, String), BoxError>> + Send>>;

/// Callback that returns the present user and password.
#[derive(Clone)]
pub(super) struct Provider(Arc<dyn Fn() -> Answer + Send + Sync>);

impl Provider {
    pub(super) fn new<F, A, E>(provider: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(String, String), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self(Arc::new(move || {
            let answer = provider();
            Box::pin(async { answer.await.map_err(Into::into) })
        }))
    }

    /// Calls the provider and returns `settings` with its user and password.
    pub(super) async fn apply(
        &self,
        settings: &RedisConnectionInfo,
    ) -> Result<RedisConnectionInfo> {
        let (user, password) = self.0().await.map_err(|error| {
            StoreError::new(StoreErrorKind::Auth)
                .with_detail("the credentials provider failed")
                .with_source(error)
        })?;
        Ok(with_credentials(settings, &user, &password))
    }
}

/// Returns `settings` with this user and password. An empty user is the default user.
pub(super) fn with_credentials(
    settings: &RedisConnectionInfo,
    user: &str,
    password: &str,
) -> RedisConnectionInfo {
    // Not a clone: a user that was set before cannot be removed.
    let settings = RedisConnectionInfo::default()
        .set_db(settings.db())
        .set_protocol(settings.protocol())
        .set_skip_set_lib_name();
    // Servers before version 6 accept the default user only without a name.
    let settings = match user {
        "" => settings,
        user => settings.set_username(user),
    };
    settings.set_password(password)
}
