//! The owner of a session.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Result, SessionError};
use crate::json::Text;

/// The longest owner, in bytes of UTF-8.
const MAX_LEN: usize = 512;

/// A checked owner: 1 to 512 bytes of UTF-8, compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
// Shared, so that a copied record copies no text.
pub(crate) struct Owner(Arc<str>);

impl Owner {
    /// Accepts `owner` if it is neither empty nor too long.
    pub(crate) fn parse(owner: &str) -> Result<Self> {
        let fits = (1..=MAX_LEN).contains(&owner.len());
        fits.then(|| Self(owner.into()))
            .ok_or(SessionError::InvalidOwner)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(owner) = Text::deserialize(deserializer)?;
        Self::parse(&owner).map_err(D::Error::custom)
    }
}
