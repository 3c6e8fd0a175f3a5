//! What a token alone tells.

use super::claims::Claims;
use crate::id::SessionId;

/// What a good token tells by itself: which session it names, and its claims.
///
/// Nobody has asked the store. The session may have been destroyed, have expired or never have
/// been in this keyspace, so **this is no login**: what it says may go into an answer or a log,
/// and only [`Sessions::open`](crate::Sessions::open) lets anybody in. `Debug` prints no claim, and
/// of the id a short hash.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) id: SessionId,
    pub(super) claims: Option<Claims>,
}

impl Verified {
    /// The session that the token names, whether or not it lives.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// The claims of the token; `None` for an opaque one, which has none.
    #[must_use]
    pub const fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }

    /// Both of them.
    pub(crate) fn into_parts(self) -> (SessionId, Option<Claims>) {
        (self.id, self.claims)
    }
}
