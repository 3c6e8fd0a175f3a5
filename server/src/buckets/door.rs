//! What the handlers of this door share.

use jwt_redis_session::{Session, SessionError, Sessions};

use crate::buckets::api_keys::{ApiKeys, is_key};
use crate::buckets::caller::Caller;
use crate::buckets::name::BucketName;
use crate::buckets::session_ref::SessionRef;
use crate::buckets::sessions::BucketSessions;
use crate::error::ApiError;
use crate::http::Client;
use crate::lookup::found;
use crate::master_keys::MasterKeys;
use crate::shared::Shared;
use crate::start_error::StartError;

/// A session, if it is there.
pub(super) type Looked = Result<Option<Session>, SessionError>;

/// What the handlers of this door share.
pub(super) struct Door {
    pub(super) shared: Shared,
    pub(super) keys: ApiKeys,
    pub(super) masters: MasterKeys,
    pub(super) sessions: BucketSessions,
}

impl Door {
    pub(super) fn new(shared: &Shared) -> Result<Self, StartError> {
        Ok(Self {
            keys: ApiKeys::new(shared)?,
            masters: MasterKeys::new(shared),
            sessions: BucketSessions::new(shared)?,
            shared: shared.clone(),
        })
    }

    /// Lets the caller into `bucket` if it has its key.
    ///
    /// # Errors
    ///
    /// 401 if it does not, or 429 if that happens too often; 503 if the store cannot tell.
    pub(super) async fn admit(&self, caller: &Caller, bucket: &BucketName) -> Result<(), ApiError> {
        match &caller.key {
            Some(key) if self.keys.check(bucket, key).await? => Ok(()),
            _ => Err(self.refuse(caller.client)),
        }
    }

    /// As [`Door::admit`], and looks a session of the bucket up in the same round trip. Looking
    /// changes nothing, so it may be done for a stranger, too.
    ///
    /// # Errors
    ///
    /// As [`Door::admit`]; what the look has found is for later, for the request may have mistakes
    /// that are to be told first.
    pub(super) async fn admit_and_look(
        &self,
        caller: &Caller,
        name: &SessionRef,
    ) -> Result<Looked, ApiError> {
        let Some(key) = &caller.key else {
            return Err(self.refuse(caller.client));
        };
        let (keys, key_id) = self.keys.place(&name.bucket);
        let (sessions, id) = self.sessions.place(name);
        let looks = [(keys, &key_id), (sessions, &id)];
        let mut looked = Sessions::get_across(looks).await.into_iter();
        let mut next = || looked.next().unwrap_or(Err(SessionError::Interrupted));
        if !is_key(next(), key)? {
            return Err(self.refuse(caller.client));
        }
        Ok(found(next()))
    }

    /// One answer for whatever is wrong with a key, so that it tells nothing.
    pub(super) fn refuse(&self, client: Client) -> ApiError {
        let refusal = ApiError::unauthorized(
            "the API key is missing or wrong",
            "ApiKey realm=\"sessiond\"",
        );
        self.shared.failures.failed(client, refusal)
    }
}
