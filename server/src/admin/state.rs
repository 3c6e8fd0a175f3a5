//! State of the admin pages' handlers.

use std::time::Duration;

use jwt_redis_session::{Lifetime, OpaqueTokens, Sessions};

use crate::admin::owner::OwnerApi;
use crate::app_state::AppState;
use crate::buckets::{self, ApiKeys};
use crate::error::ApiError;
use crate::master_keys::MasterKeys;
use crate::start_error::StartError;
use crate::{rpc, users};

/// The longest time for which an active operator stays logged in.
const MAX_ADMIN_SESSION: Duration = Duration::from_secs(12 * 3600);

/// Everything that outlives a request is in the store, so that
/// any instance can answer.
pub(super) struct AdminState {
    pub(super) app: AppState,
    /// The sessions of operators.
    pub(super) operators: Sessions,
    pub(super) masters: MasterKeys,
    pub(super) keys: ApiKeys,
    pub(super) buckets: Sessions,
    /// The enabled APIs whose sessions have owners.
    pub(super) owner_apis: Vec<(OwnerApi, Sessions)>,
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
            owner_apis.push((OwnerApi::Rpc, rpc::sessions(app)?));
        }
        if app.settings.users.enabled {
            owner_apis.push((OwnerApi::Users, users::sessions(app)?));
        }
        Ok(Self {
            operators: operators.lifetime(lifetime).build()?,
            masters: MasterKeys::new(app),
            keys: ApiKeys::new(app)?,
            buckets: buckets::sessions(app)?,
            owner_apis,
            app: app.clone(),
        })
    }

    /// Returns the sessions of an API.
    /// Errors: 400 if the API is disabled.
    pub(super) fn owned_by(&self, api: OwnerApi) -> Result<&Sessions, ApiError> {
        let mut apis = self.owner_apis.iter();
        let found = apis.find(|(enabled, _)| *enabled == api);
        found
            .map(|(_, sessions)| sessions)
            .ok_or_else(|| ApiError::bad_request("this API is disabled"))
    }
}
