//! The names of buckets and sessions, and their extractors from the path.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use jwt_redis_session::SessionId;
use uuid::Uuid;

use crate::error::ApiError;

/// The name that no bucket can have: `/session/settings` is a route.
const RESERVED: &str = "settings";

/// The longest name of a bucket.
const MAX_LEN: usize = 64;

/// The name of a bucket: 1 to 64 of `A-Z a-z 0-9 _ -`, but not `settings`.
///
/// So a name cannot contain the separators of keys in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketName(Box<str>);

/// The name of a session: its bucket and its UUID. The session need not exist.
pub(crate) struct SessionRef {
    pub(crate) bucket: BucketName,
    pub(crate) uuid: Uuid,
}

/// The session in the path of a request.
pub(super) enum PathSession {
    Session(SessionRef),
    /// The id is not a UUID, so the bucket has no such session.
    NotUuid(BucketName),
}

impl BucketName {
    /// Returns `None` if no bucket can have the name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let good =
            (1..=MAX_LEN).contains(&name.len()) && name.bytes().all(legal) && name != RESERVED;
        good.then(|| Self(name.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn in_path(params: &RawPathParams) -> Result<Self, ApiError> {
        Self::parse(param(params, "bucket")).ok_or_else(|| {
            ApiError::bad_request(
                "a bucket name is 1 to 64 letters, digits, `_` or `-`, and not `settings`",
            )
        })
    }
}

impl SessionRef {
    /// Generates the name of a new session.
    pub(super) fn random(bucket: BucketName) -> Self {
        let uuid = Uuid::new_v4();
        Self { bucket, uuid }
    }

    /// Parses the id of a session: a hyphenated UUID in upper or lower case.
    /// Errors: the bucket, if no session can have this id.
    pub(crate) fn parse(bucket: BucketName, id: &str) -> Result<Self, BucketName> {
        // `try_parse` accepts other notations, with which a session would have several paths.
        let hyphenated = id.len() == uuid::fmt::Hyphenated::LENGTH;
        match Uuid::try_parse(id) {
            Ok(uuid) if hyphenated => Ok(Self { bucket, uuid }),
            _ => Err(bucket),
        }
    }

    /// Returns the id of the session's record. UUIDs have a fixed length, so no two names share an
    /// id.
    pub(super) fn id(&self) -> SessionId {
        let mut buffer = Uuid::encode_buffer();
        let uuid = self.uuid.hyphenated().encode_lower(&mut buffer);
        SessionId::parse([self.bucket.as_str(), "-", uuid].concat())
            .expect("names and UUIDs consist of characters of ids")
    }
}

impl PathSession {
    pub(super) const fn bucket(&self) -> &BucketName {
        match self {
            Self::Session(SessionRef { bucket, .. }) | Self::NotUuid(bucket) => bucket,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BucketName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Self::in_path(&params(parts, state).await?)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = params(parts, state).await?;
        let bucket = BucketName::in_path(&params)?;
        let parsed = SessionRef::parse(bucket, param(&params, "id"));
        Ok(parsed.map_or_else(Self::NotUuid, Self::Session))
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, ApiError> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| ApiError::bad_request("the path is not UTF-8"))
}

/// Returns the value of a path parameter, percent-decoded.
fn param<'a>(params: &'a RawPathParams, name: &str) -> &'a str {
    let found = params.iter().find(|(key, _)| *key == name);
    found.map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str) -> BucketName {
        BucketName::parse(name).unwrap()
    }

    #[test]
    fn bucket_names_have_few_characters() {
        let (longest, too_long) = ("a".repeat(MAX_LEN), "a".repeat(MAX_LEN + 1));
        for good in ["a", "settings2", "Settings", "my_bucket-1", "-", &longest] {
            assert!(BucketName::parse(good).is_some(), "{good}");
        }
        for bad in [
            "", "settings", "a/b", "a:b", "a b", "a\0", "..", "ä", "a\r\n", &too_long,
        ] {
            assert!(BucketName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn session_ids_are_hyphenated_uuids() {
        let uuid = "1b4e28ba-2fa1-4d12-883f-0016d3cca427";
        let parse = |id: &str| SessionRef::parse(bucket("a"), id).map(|name| name.uuid);
        for good in [uuid, &uuid.to_uppercase()] {
            assert_eq!(parse(good).unwrap().to_string(), uuid);
        }
        let braced = format!("{{{uuid}}}");
        let urn = format!("urn:uuid:{uuid}");
        for bad in [
            "",
            &uuid.replace('-', ""),
            &braced,
            &urn,
            &uuid.replace('2', "*"),
            &uuid[1..],
        ] {
            assert_eq!(parse(bad), Err(bucket("a")), "{bad}");
        }
    }

    #[test]
    fn no_two_sessions_share_a_record() {
        let id = |name: &str| SessionRef::random(bucket(name)).id().as_str().len();
        assert_eq!((id("a"), id(&"a".repeat(64))), (1 + 37, 64 + 37));
    }
}
