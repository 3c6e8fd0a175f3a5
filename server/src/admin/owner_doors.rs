//! The doors whose sessions have owners.

use jwt_redis_session::Sessions;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::shared::Shared;
use crate::start_error::StartError;
use crate::{rpc, users};

/// A door whose sessions have owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OwnerDoor {
    Rpc,
    Users,
}

/// Those of them that are open.
#[derive(Debug)]
pub(super) struct OwnerDoors {
    rpc: Option<Sessions>,
    users: Option<Sessions>,
}

impl OwnerDoor {
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

    /// Reads a field of a form.
    ///
    /// # Errors
    ///
    /// 400.
    pub(super) fn parse(name: &str) -> Result<Self, ApiError> {
        let mut all = Self::ALL.into_iter();
        all.find(|door| door.name() == name)
            .ok_or_else(|| ApiError::bad_request("there is no such door"))
    }
}

impl OwnerDoors {
    pub(super) fn new(shared: &Shared) -> Result<Self, StartError> {
        let settings = &shared.settings;
        let (rpc, users) = (settings.rpc.enabled, settings.users.enabled);
        Ok(Self {
            rpc: rpc.then(|| rpc::sessions(shared)).transpose()?,
            users: users.then(|| users::sessions(shared)).transpose()?,
        })
    }

    pub(super) fn open(&self) -> impl Iterator<Item = OwnerDoor> {
        let mut all = OwnerDoor::ALL.to_vec();
        all.retain(|door| self.of(*door).is_some());
        all.into_iter()
    }

    /// The sessions behind a door.
    ///
    /// # Errors
    ///
    /// 400 if the door is shut.
    pub(super) fn sessions(&self, door: OwnerDoor) -> Result<&Sessions, ApiError> {
        self.of(door)
            .ok_or_else(|| ApiError::bad_request("this door is not open"))
    }

    const fn of(&self, door: OwnerDoor) -> Option<&Sessions> {
        match door {
            OwnerDoor::Rpc => self.rpc.as_ref(),
            OwnerDoor::Users => self.users.as_ref(),
        }
    }
}
