//! What the page works with.

use std::time::Duration;

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::{Lifetime, OpaqueTokens, Sessions};

use crate::admin::owner_doors::OwnerDoors;
use crate::buckets::{ApiKeys, BucketSessions};
use crate::master_keys::MasterKeys;
use crate::shared::Shared;
use crate::start_error::StartError;

/// How long an operator stays logged in at most, however much is done.
const SHIFT: Duration = Duration::from_secs(12 * 3600);

/// What the page works with; all that it remembers is in the store, for any instance may answer.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) shared: Shared,
    /// Those of operators.
    pub(super) operators: Sessions,
    pub(super) masters: MasterKeys,
    pub(super) keys: ApiKeys,
    pub(super) buckets: BucketSessions,
    pub(super) doors: OwnerDoors,
}

impl Desk {
    pub(super) fn new(shared: &Shared) -> Result<Self, StartError> {
        Ok(Self {
            operators: operators(shared)?,
            masters: MasterKeys::new(shared),
            keys: ApiKeys::new(shared)?,
            buckets: BucketSessions::new(shared)?,
            doors: OwnerDoors::new(shared)?,
            shared: shared.clone(),
        })
    }
}

fn operators(shared: &Shared) -> Result<Sessions, ConfigError> {
    let ttl = shared.settings.admin.session_ttl;
    shared
        .sessions("admin", OpaqueTokens::new(), ttl)
        .lifetime(Lifetime::Both {
            idle: ttl,
            absolute: SHIFT,
        })
        .build()
}
