//! The sessions of one owner.

use jwt_redis_session::SessionEntry;
use serde::{Deserialize, Serialize};

use crate::admin::encoded;
use crate::admin::form::Form;
use crate::admin::owner_apis::OwnerApi;
use crate::error::ApiError;

/// An owner of sessions, in one API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) api: OwnerApi,
    pub(super) name: String,
}

/// An owner and the sessions of it, newest first.
pub(super) struct OwnerSessions {
    pub(super) owner: Owner,
    pub(super) entries: Vec<SessionEntry>,
}

impl Owner {
    /// Reads the owner that a form acts on. The form names it itself: another tab may have chosen
    /// another owner since the page was rendered.
    ///
    /// # Errors
    ///
    /// 400.
    pub(super) fn encoded_in(form: &Form) -> Result<Self, ApiError> {
        Ok(Self {
            api: OwnerApi::parse(form.field("door")?)?,
            name: encoded::decode(form.field("owner")?)?,
        })
    }

    /// Reads the owner that an operator typed.
    ///
    /// # Errors
    ///
    /// 400.
    pub(super) fn typed_in(form: &Form) -> Result<Self, ApiError> {
        Ok(Self {
            api: OwnerApi::parse(form.field("door")?)?,
            name: form.field("owner")?.to_owned(),
        })
    }
}
