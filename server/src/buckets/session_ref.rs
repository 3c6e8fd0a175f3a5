//! The name of a session: its bucket and its UUID.

use jwt_redis_session::SessionId;
use uuid::Uuid;

use crate::buckets::name::BucketName;

/// The name of a session, which need not exist.
pub(crate) struct SessionRef {
    pub(crate) bucket: BucketName,
    pub(crate) uuid: Uuid,
}

impl SessionRef {
    /// Draws a new name.
    pub(crate) fn random(bucket: BucketName) -> Self {
        let uuid = Uuid::new_v4();
        Self { bucket, uuid }
    }

    /// Parses the id of a session.
    ///
    /// # Errors
    ///
    /// Returns the bucket if no session can have this id.
    pub(crate) fn parse(bucket: BucketName, id: &str) -> Result<Self, BucketName> {
        match parse(id) {
            Some(uuid) => Ok(Self { bucket, uuid }),
            None => Err(bucket),
        }
    }

    /// Returns the id of the session's record. UUIDs have a fixed length, so no two names share an
    /// id.
    pub(super) fn id(&self) -> SessionId {
        let mut buffer = Uuid::encode_buffer();
        let uuid = self.uuid.hyphenated().encode_lower(&mut buffer);
        SessionId::parse([self.bucket.as_str(), "-", uuid].concat())
            .expect("names and UUIDs have the characters of ids")
    }
}

/// Parses a hyphenated UUID, in upper or lower case; no other notation is accepted.
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
