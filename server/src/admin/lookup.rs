//! Finds a session of any API.

use jwt_redis_session::{Session, SessionError, SessionId, Sessions};
use uuid::Uuid;

use crate::admin::state::{AdminState, OwnerApi};
use crate::buckets::{self, BucketName, SessionRef};
use crate::optional::optional;

/// The number of buckets that are searched in one round trip.
const BUCKETS_AT_ONCE: usize = 100;

/// A session that an operator has searched for.
pub(super) enum Found<'a> {
    InBucket(SessionRef, Session),
    Owned(&'a OwnerApi, SessionId),
}

/// Returns the session that `text` names: the id of a session in `bucket` (or, if that is `None`,
/// in any bucket that has a key), or an id or token of another API. No session is refreshed.
/// Errors: those of [`Sessions::get_many`].
pub(super) async fn find<'a>(
    state: &'a AdminState,
    text: &str,
    bucket: Option<BucketName>,
) -> Result<Option<Found<'a>>, SessionError> {
    if let Some(uuid) = buckets::parse_uuid(text) {
        let names = match bucket {
            Some(bucket) => vec![bucket],
            None => keyed(state).await?,
        };
        for names in names.chunks(BUCKETS_AT_ONCE) {
            if let Some(found) = in_buckets(state, uuid, names).await? {
                return Ok(Some(found));
            }
        }
    }
    owned(state, text).await
}

async fn keyed(state: &AdminState) -> Result<Vec<BucketName>, SessionError> {
    let keyed = state.keys.list().await?.into_iter();
    Ok(keyed.map(|bucket| bucket.name).collect())
}

async fn in_buckets<'a>(
    state: &AdminState,
    uuid: Uuid,
    buckets: &[BucketName],
) -> Result<Option<Found<'a>>, SessionError> {
    let name = |bucket: &BucketName| SessionRef {
        bucket: bucket.clone(),
        uuid,
    };
    let ids: Vec<_> = buckets.iter().map(|bucket| name(bucket).id()).collect();
    let loaded = state.buckets.get_many(&ids).await;
    for (bucket, loaded) in buckets.iter().zip(loaded) {
        if let Some(session) = optional(loaded)? {
            return Ok(Some(Found::InBucket(name(bucket), session)));
        }
    }
    Ok(None)
}

async fn owned<'a>(state: &'a AdminState, text: &str) -> Result<Option<Found<'a>>, SessionError> {
    let mut candidates = Vec::new();
    for api in &state.owner_apis {
        let verified = api.sessions.verify(text).ok();
        let by_token = verified.map(|verified| verified.id().clone());
        // `getActiveSessions` reports ids as `{version}_{user}_{id}`.
        let (_, suffix) = text.rsplit_once('_').unwrap_or_default();
        let by_id = [text, suffix].into_iter().flat_map(SessionId::parse);
        candidates.extend(by_token.into_iter().chain(by_id).map(|id| (api, id)));
    }
    let lookups = candidates.iter().map(|(api, id)| (&api.sessions, id));
    let loaded = Sessions::get_across(lookups).await;
    for ((api, id), loaded) in candidates.into_iter().zip(loaded) {
        if optional(loaded)?.is_some() {
            return Ok(Some(Found::Owned(api, id)));
        }
    }
    Ok(None)
}
