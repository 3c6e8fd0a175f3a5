//! The owner of a session.

use std::sync::Arc;

/// The longest owner, in bytes of UTF-8.
pub(crate) const MAX_OWNER_LEN: usize = 512;

/// A checked owner: 1 to 512 bytes of UTF-8, compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
// Shared, so that a copied record copies no text.
pub(crate) struct Owner(Arc<str>);

impl Owner {
    /// Accepts `owner` if it is neither empty nor too long.
    pub(crate) fn parse(owner: &str) -> Option<Self> {
        (1..=MAX_OWNER_LEN)
            .contains(&owner.len())
            .then(|| Self(owner.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
