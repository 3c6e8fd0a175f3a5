//! What an operation starts with: the session and the changes to store in it.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{JsonErrorKind, Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Lifetime, Merge, Remaining, Rotation};
use crate::record::{Changes, Device, Meta, Owner, Record, SessionData};
use crate::session::lifetime_change::LifetimeChange;
use crate::token::{AUTH_TIME, Claims};

/// Change of the owner that is not stored yet.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum OwnerChange {
    #[default]
    Keep,
    Clear,
    Set(Owner),
    /// An owner was rejected and the error ignored: no session is stored without its owner.
    Invalid,
}

impl OwnerChange {
    /// Returns the metadata after the change.
    fn apply(&self, meta: Meta) -> Result<Meta> {
        let owner = match self {
            Self::Keep => return Ok(meta),
            Self::Clear => None,
            Self::Set(owner) => Some(owner.clone()),
            Self::Invalid => return Err(SessionError::InvalidOwner),
        };
        // Only the former owner has authenticated.
        let authenticated = meta.authenticated.filter(|_| owner == meta.owner);
        Ok(Meta {
            owner,
            authenticated,
            ..meta
        })
    }
}

/// The device that is not stored yet; an empty one removes that of the session.
pub(crate) type DeviceChange = Option<Arc<Device>>;

/// The active session when an operation began.
pub(crate) struct Current {
    pub(crate) id: SessionId,
    pub(crate) claims: Option<Claims>,
    pub(crate) record: Record,
    pub(crate) remaining: Remaining,
}

impl Current {
    /// Returns the absolute end that a rotation must not move, in Unix seconds: the earlier one of
    /// the record and the token, or else that of a new session.
    pub(crate) fn end(&self, lifecycle: &Lifecycle) -> Option<i64> {
        // A record by Node has no end, but its token may have one.
        let token = self.claims.as_ref().and_then(Claims::expires_at_unix);
        let known = [lifecycle.end(&self.record), token];
        let new = || lifecycle.lifetime.expires(lifecycle.now());
        known.into_iter().flatten().min().or_else(new)
    }

    /// Returns the application's claims of the token.
    fn custom_claims(&self, lifecycle: &Lifecycle) -> Result<Map<String, Value>> {
        let claims = self.claims.as_ref();
        let claims = claims.map_or_else(|| Ok(Map::new()), Claims::custom);
        let encode = |_| SessionError::encode(Some("claims".to_owned()), JsonErrorKind::Type);
        let mut claims = claims.map_err(encode)?;
        if lifecycle.auth_time {
            // The new token gets the current time of authentication.
            claims.remove(AUTH_TIME);
        }
        Ok(claims)
    }

    /// Returns a rotation of this session, which moves the application's claims to the new token.
    pub(crate) fn rotation<'a>(
        &self,
        lifecycle: &Lifecycle,
        merge: Merge<'a>,
    ) -> Result<Rotation<'a>> {
        Ok(Rotation {
            old: self.id.clone(),
            seen: self.record.clone(),
            claims: self.custom_claims(lifecycle)?,
            merge,
            grace: None,
            login: None,
            revoked: true,
            ended: Vec::new(),
        })
    }
}

/// The changes that an operation stores.
pub(crate) struct Pending {
    pub(crate) changes: Arc<Changes>,
    pub(crate) owner: OwnerChange,
    pub(crate) lifetime: LifetimeChange,
    /// The lifetime of the configuration.
    pub(crate) configured: Lifetime,
    /// When the owner has authenticated just now, in Unix seconds.
    pub(crate) authenticated: Option<i64>,
    pub(crate) device: DeviceChange,
    /// When the operation began, in Unix milliseconds.
    pub(crate) began: i64,
    /// The latest absolute end that the record may have, in Unix seconds.
    pub(crate) end: Option<i64>,
}

impl Pending {
    /// Leaves a change of owner pending.
    pub(crate) fn without_owner(self) -> Self {
        let owner = OwnerChange::Keep;
        Self { owner, ..self }
    }

    /// Leaves all changes of the metadata pending.
    pub(crate) fn data_only(self) -> Self {
        let device = None;
        Self { device, ..self }.without_owner()
    }

    /// Returns the record `before` with the changes.
    pub(crate) fn merge(&self, before: &Record) -> Result<Record> {
        let data = SessionData::new(Some(before.clone()), Arc::clone(&self.changes));
        let mut meta = self.meta(before)?;
        meta.expires = [meta.expires, self.end].into_iter().flatten().min();
        Ok(data.to_record(meta))
    }

    /// Returns the metadata of `before` with the changes.
    ///
    /// Everything else is as in the store, so that a stale handle never restores a former owner or
    /// max age.
    pub(crate) fn meta(&self, before: &Record) -> Result<Meta> {
        let meta = &before.meta;
        let created = || self.configured.expires(meta.created?);
        self.change(meta.clone(), meta.expires.or_else(created))
    }

    /// Returns `meta`, of a session that ends at `end` (Unix seconds), with the changes.
    fn change(&self, meta: Meta, end: Option<i64>) -> Result<Meta> {
        let now = self.began.div_euclid(1000);
        let mut meta = self.lifetime.apply(self.owner.apply(meta)?, end, now);
        meta.authenticated = self.authenticated.or(meta.authenticated);
        if let Some(device) = &self.device {
            meta.device = Some(Arc::clone(device)).filter(|device| !device.is_empty());
        }
        Ok(meta)
    }

    /// Returns the record of a new session with the changes.
    pub(crate) fn new_record(&self, lifecycle: &Lifecycle) -> Result<Record> {
        let now = self.began.div_euclid(1000);
        let expires = lifecycle.lifetime.expires(now);
        let meta = Meta {
            created: Some(now),
            expires,
            ..Meta::default()
        };
        let data = SessionData::new(None, Arc::clone(&self.changes));
        Ok(data.to_record(self.change(meta, expires)?))
    }
}
