//! The name of a session in a bucket.

use axum::extract::FromRequestParts;
use http::request::Parts;
use jwt_redis_session::SessionId;
use uuid::Uuid;

use crate::buckets::name::{self, BucketName};
use crate::error::ApiError;

/// The name of a session in a bucket, which may be there or not.
#[derive(Clone)]
pub(crate) struct SessionRef {
    pub(crate) bucket: BucketName,
    pub(crate) uuid: Uuid,
}

impl SessionRef {
    /// A name that no session has yet.
    pub(crate) fn random(bucket: BucketName) -> Self {
        let uuid = Uuid::new_v4();
        Self { bucket, uuid }
    }

    /// Accepts `id` if a session can have it.
    pub(crate) fn parse(bucket: BucketName, id: &str) -> Option<Self> {
        let uuid = parse(id)?;
        Some(Self { bucket, uuid })
    }

    /// The id of its record. The UUID has a fixed length, so no two names share an id.
    pub(super) fn id(&self) -> SessionId {
        let mut buffer = Uuid::encode_buffer();
        let uuid = self.uuid.hyphenated().encode_lower(&mut buffer);
        SessionId::parse([self.bucket.as_str(), "-", uuid].concat())
            .expect("names and UUIDs have the characters of ids")
    }
}

/// What the path of a request names.
#[derive(Clone)]
pub(super) enum Named {
    Session(SessionRef),
    /// What stands for the id is no UUID, so there is no such session in this bucket.
    Nothing(BucketName),
}

impl Named {
    pub(super) const fn bucket(&self) -> &BucketName {
        match self {
            Self::Session(SessionRef { bucket, .. }) | Self::Nothing(bucket) => bucket,
        }
    }

    pub(super) const fn session(&self) -> Option<&SessionRef> {
        match self {
            Self::Session(session) => Some(session),
            Self::Nothing(_) => None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = name::params(parts, state).await?;
        let bucket = BucketName::in_path(&params)?;
        let uuid = name::param(&params, "id").and_then(parse);
        Ok(match uuid {
            Some(uuid) => Self::Session(SessionRef { bucket, uuid }),
            None => Self::Nothing(bucket),
        })
    }
}

/// Accepts a UUID as we write them, in letters of any case, and no other way of writing it.
fn parse(id: &str) -> Option<Uuid> {
    let hyphenated = id.len() == uuid::fmt::Hyphenated::LENGTH;
    Uuid::try_parse(id).ok().filter(|_| hyphenated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r40_ids_are_uuids_in_one_form() {
        let uuid = "1b4e28ba-2fa1-4d12-883f-0016d3cca427";
        assert_eq!(parse(uuid).unwrap().to_string(), uuid);
        assert_eq!(parse(&uuid.to_uppercase()).unwrap().to_string(), uuid);
        for bad in [
            "",
            "1b4e28ba2fa14d12883f0016d3cca427",
            "{1b4e28ba-2fa1-4d12-883f-0016d3cca427}",
            "urn:uuid:1b4e28ba-2fa1-4d12-883f-0016d3cca427",
            "1b4e28ba-2fa1-4d12-883f-0016d3cca42\0",
            "1b4e28ba-2fa1-4d12-883f-0016d3cca42",
            "1b4e28ba-2fa1-4d12-883f-0016d3cca42*",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn r41_no_two_sessions_share_an_id() {
        let name = |bucket: &str| BucketName::parse(bucket).unwrap();
        let short = SessionRef::random(name("a"));
        let long = SessionRef::random(name(&format!("a-{}", short.uuid)));
        assert_ne!(short.id(), long.id());
        assert_eq!(long.id().as_str().len(), short.id().as_str().len() + 37);
        let longest = SessionRef::random(name(&"a".repeat(64)));
        assert_eq!(longest.id().as_str().len(), 64 + 1 + 36);
    }
}
