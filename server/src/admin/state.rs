//! State of the admin pages' handlers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jwt_redis_session::{Lifetime, OpaqueTokens, Sessions};

use crate::app_state::AppState;
use crate::buckets::{self, ApiKeys};
use crate::error::ApiError;
use crate::master_keys::MasterKeys;
use crate::start_error::StartError;
use crate::{rpc, users};

/// The longest time for which an active operator stays logged in.
const MAX_ADMIN_SESSION: Duration = Duration::from_secs(12 * 3600);

/// Everything that outlives a request is in the store, so that any instance can answer.
pub(super) struct AdminState {
    pub(super) app: AppState,
    /// The sessions of operators.
    pub(super) operators: Sessions,
    pub(super) masters: MasterKeys,
    pub(super) keys: ApiKeys,
    pub(super) buckets: Sessions,
    pub(super) owner_apis: Vec<OwnerApi>,
    /// When this instance started.
    pub(super) started: SystemTime,
}

/// The state of all handlers.
pub(super) type SharedState = Arc<AdminState>;

/// An enabled API whose sessions have owners.
pub(super) struct OwnerApi {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What an owner is in this API, for the pages.
    pub(super) owner: &'static str,
    pub(super) sessions: Sessions,
}

impl AdminState {
    pub(super) fn new(app: &AppState) -> Result<Self, StartError> {
        let ttl = app.settings.admin.session_ttl;
        let operators = app.sessions("admin", Some(OpaqueTokens::new().into()), ttl);
        let lifetime = Lifetime::Both {
            idle: ttl,
            absolute: MAX_ADMIN_SESSION,
        };
        let mut owner_apis = Vec::new();
        if app.settings.rpc.enabled {
            owner_apis.push(OwnerApi {
                name: "rpc",
                title: "RPC",
                owner: "a user id",
                sessions: rpc::sessions(app)?,
            });
        }
        if app.settings.users.enabled {
            owner_apis.push(OwnerApi {
                name: "users",
                title: "Users",
                owner: "a username",
                sessions: users::sessions(app)?,
            });
        }
        Ok(Self {
            operators: operators.lifetime(lifetime).build()?,
            masters: MasterKeys::new(app),
            keys: ApiKeys::new(app)?,
            buckets: buckets::sessions(app)?,
            owner_apis,
            started: SystemTime::now(),
            app: app.clone(),
        })
    }

    /// Returns the API of this name.
    /// Errors: 400 if it is disabled.
    pub(super) fn owner_api(&self, name: &str) -> Result<&OwnerApi, ApiError> {
        let mut apis = self.owner_apis.iter();
        apis.find(|api| api.name == name)
            .ok_or_else(|| ApiError::bad_request("this API is disabled"))
    }
}
