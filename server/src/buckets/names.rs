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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BucketName(Box<str>);

/// The name of a session: its bucket and its UUID. The session need not exist.
pub(crate) struct SessionRef {
    pub(crate) bucket: BucketName,
    pub(crate) uuid: Uuid,
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
}

impl SessionRef {
    /// Returns the id of the session's record. UUIDs have a fixed length, so no two names share an
    /// id.
    pub(crate) fn id(&self) -> SessionId {
        let mut buffer = Uuid::encode_buffer();
        let uuid = self.uuid.hyphenated().encode_lower(&mut buffer);
        SessionId::parse([self.bucket.as_str(), "-", uuid].concat())
            .expect("names and UUIDs consist of characters of ids")
    }
}

/// Parses the id of a session: a hyphenated UUID in upper or lower case.
pub(crate) fn parse_uuid(id: &str) -> Option<Uuid> {
    // `try_parse` accepts other notations, with which a session would have several paths.
    let hyphenated = id.len() == uuid::fmt::Hyphenated::LENGTH;
    Uuid::try_parse(id).ok().filter(|_| hyphenated)
}

impl<S: Send + Sync> FromRequestParts<S> for BucketName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        bucket(&params(parts, state).await?)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SessionRef {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = params(parts, state).await?;
        let bucket = bucket(&params)?;
        // No session has an id that is not a UUID. None has a random one either.
        let uuid = parse_uuid(param(&params, "id")).unwrap_or_else(Uuid::new_v4);
        Ok(Self { bucket, uuid })
    }
}

/// Returns the parameters of the path, percent-decoded.
/// Errors: 400.
async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, ApiError> {
    let params = RawPathParams::from_request_parts(parts, state).await;
    params.map_err(|_| ApiError::bad_request("the path is not UTF-8; percent-encode UTF-8"))
}

fn bucket(params: &RawPathParams) -> Result<BucketName, ApiError> {
    BucketName::parse(param(params, "bucket")).ok_or_else(|| {
        ApiError::bad_request(
            "a bucket name is 1 to 64 letters, digits, `_` or `-`, and not `settings`",
        )
    })
}

fn param<'a>(params: &'a RawPathParams, name: &str) -> &'a str {
    let mut found = params.iter().filter(|(key, _)| *key == name);
    found.next().unwrap_or_default().1
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for good in [uuid, &uuid.to_uppercase()] {
            assert_eq!(parse_uuid(good).unwrap().to_string(), uuid);
        }
        let simple = uuid.replace('-', "");
        let (braced, urn) = (format!("{{{uuid}}}"), format!("urn:uuid:{uuid}"));
        for bad in [
            "",
            &simple,
            &braced,
            &urn,
            &uuid.replace('2', "*"),
            &uuid[1..],
        ] {
            assert_eq!(parse_uuid(bad), None, "{bad}");
        }
    }
}
