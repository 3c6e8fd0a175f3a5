//! The content of a verified token.

use super::claims::Claims;
use crate::id::SessionId;

/// Content of a verified token: the session id and the claims.
///
/// The store was not read: the session may be destroyed, expired, or of another keyspace.
/// So **this is not a login**. Use it for a response or a log; only
/// [`Sessions::open`](crate::Sessions::open) authenticates. `Debug` prints no claim, and a short
/// hash of the id.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) id: SessionId,
    pub(super) claims: Option<Claims>,
}

impl Verified {
    /// Returns the id of the session, which may not exist.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns the claims of the token; `None` for an opaque token, which has none.
    #[must_use]
    pub const fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// Returns the id and the claims.
    pub(crate) fn into_parts(self) -> (SessionId, Option<Claims>) {
        (self.id, self.claims)
    }
}
