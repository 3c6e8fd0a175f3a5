//! State of the admin page's handlers.

use std::time::Duration;

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::{Lifetime, OpaqueTokens, Sessions};

use crate::admin::owner_apis::OwnerApis;
use crate::app_state::AppState;
use crate::buckets::{ApiKeys, BucketSessions};
use crate::master_keys::MasterKeys;
use crate::start_error::StartError;

/// The longest time that an operator stays logged in, however active.
const MAX_ADMIN_SESSION: Duration = Duration::from_secs(12 * 3600);

/// State of the admin page's handlers. Everything that outlives a request is in the store, so that
/// any instance can answer.
#[derive(Debug)]
pub(super) struct AdminState {
    pub(super) app: AppState,
    /// The sessions of operators.
    pub(super) operators: Sessions,
    pub(super) masters: MasterKeys,
    pub(super) keys: ApiKeys,
    pub(super) buckets: BucketSessions,
    pub(super) apis: OwnerApis,
}

impl AdminState {
    pub(super) fn new(app: &AppState) -> Result<Self, StartError> {
        Ok(Self {
            operators: operators(app)?,
            masters: MasterKeys::new(app),
            keys: ApiKeys::new(app)?,
            buckets: BucketSessions::new(app)?,
            apis: OwnerApis::new(app)?,
            app: app.clone(),
        })
    }
}

fn operators(app: &AppState) -> Result<Sessions, ConfigError> {
    let ttl = app.settings.admin.session_ttl;
    app.sessions("admin", OpaqueTokens::new(), ttl)
        .lifetime(Lifetime::Both {
            idle: ttl,
            absolute: MAX_ADMIN_SESSION,
        })
        .build()
}
