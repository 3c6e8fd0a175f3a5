//! What the handlers of this door share.

use crate::buckets::api_keys::ApiKeys;
use crate::buckets::caller::Caller;
use crate::buckets::master_keys::MasterKeys;
use crate::buckets::name::BucketName;
use crate::buckets::sessions::BucketSessions;
use crate::error::ApiError;
use crate::http::Client;
use crate::shared::Shared;
use crate::start_error::StartError;

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
            masters: MasterKeys::new(&shared.settings.buckets.master_keys),
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

    /// One answer for whatever is wrong with a key, so that it tells nothing.
    pub(super) fn refuse(&self, client: Client) -> ApiError {
        let refusal = ApiError::unauthorized(
            "the API key is missing or wrong",
            "ApiKey realm=\"sessiond\"",
        );
        self.shared.failures.failed(client, refusal)
    }
}
