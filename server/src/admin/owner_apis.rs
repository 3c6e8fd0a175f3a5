//! The APIs whose sessions have owners.

use jwt_redis_session::Sessions;
use serde::{Deserialize, Serialize};

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::start_error::StartError;
use crate::{rpc, users};

/// An API whose sessions have owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OwnerApi {
    Rpc,
    Users,
}

/// The sessions of each [`OwnerApi`] that is enabled.
#[derive(Debug)]
pub(super) struct OwnerApis {
    rpc: Option<Sessions>,
    users: Option<Sessions>,
}

impl OwnerApi {
    const ALL: [Self; 2] = [Self::Rpc, Self::Users];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rpc => "rpc",
            Self::Users => "users",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Rpc => "RPC: a user id",
            Self::Users => "Users: a username",
        }
    }

    /// Parses a form field.
    ///
    /// # Errors
    ///
    /// 400.
    pub(super) fn parse(name: &str) -> Result<Self, ApiError> {
        let mut all = Self::ALL.into_iter();
        all.find(|api| api.name() == name)
            .ok_or_else(|| ApiError::bad_request("there is no such API"))
    }
}

impl OwnerApis {
    pub(super) fn new(app: &AppState) -> Result<Self, StartError> {
        let settings = &app.settings;
        let (rpc, users) = (settings.rpc.enabled, settings.users.enabled);
        Ok(Self {
            rpc: rpc.then(|| rpc::sessions(app)).transpose()?,
            users: users.then(|| users::sessions(app)).transpose()?,
        })
    }

    pub(super) fn enabled(&self) -> impl Iterator<Item = OwnerApi> {
        let all = OwnerApi::ALL.into_iter();
        all.filter(|api| self.get(*api).is_some())
    }

    /// Returns the sessions of an API.
    ///
    /// # Errors
    ///
    /// 400 if the API is disabled.
    pub(super) fn sessions(&self, api: OwnerApi) -> Result<&Sessions, ApiError> {
        self.get(api)
            .ok_or_else(|| ApiError::bad_request("this API is disabled"))
    }

    const fn get(&self, api: OwnerApi) -> Option<&Sessions> {
        match api {
            OwnerApi::Rpc => self.rpc.as_ref(),
            OwnerApi::Users => self.users.as_ref(),
        }
    }
}
