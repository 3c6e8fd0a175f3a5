//! Owners of sessions.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// An API whose sessions have owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OwnerApi {
    Rpc,
    Users,
}

/// An owner of sessions, in one API.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) api: OwnerApi,
    #[serde(rename = "owner")]
    pub(super) name: String,
}

impl OwnerApi {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rpc => "rpc",
            Self::Users => "users",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Rpc => "RPC: a user id",
            Self::Users => "Users: a username",
        }
    }
}

impl Owner {
    /// Returns the name for a hidden field. A browser would change line ends and drop characters
    /// that HTML cannot hold.
    pub(super) fn encoded_name(&self) -> String {
        utf8_percent_encode(&self.name, NON_ALPHANUMERIC).to_string()
    }

    /// Decodes an owner from its [`encoded_name`](Self::encoded_name).
    /// Errors: 400.
    pub(super) fn decode(self) -> Result<Self, ApiError> {
        let name = percent_decode_str(&self.name).decode_utf8();
        let name = name.map_err(|_| ApiError::bad_request("the form cannot be read"))?;
        Ok(Self {
            name: name.into_owned(),
            ..self
        })
    }
}
