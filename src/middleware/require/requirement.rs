//! The condition for a request to pass.

use http::Extensions;

use crate::middleware::lazy_session::LazySession;
use crate::middleware::session_rejection::{Realm, SessionRejection};
use crate::middleware::slot::Slot;
use crate::session::{Session, SessionState};

/// Condition for a request to pass.
#[derive(Clone, Debug)]
pub(super) struct Requirement {
    pub(super) realm: Realm,
    /// Only an outage is rejected.
    pub(super) only_available: bool,
    pub(super) slot: Slot,
}

impl Requirement {
    pub(super) fn find(&self, extensions: &Extensions) -> Result<LazySession, SessionRejection> {
        (self.slot.find)(extensions).ok_or_else(SessionRejection::missing_layer)
    }

    /// Checks the session, and inserts it into the extensions if it passes.
    pub(super) fn check(
        &self,
        lazy: &LazySession,
        session: &Session,
        extensions: &mut Extensions,
    ) -> Result<(), SessionRejection> {
        let state = session.state();
        let is_available = !matches!(state, SessionState::Unavailable(_));
        match SessionRejection::of(&state) {
            Some(rejection) if !(self.only_available && is_available) => {
                Err(rejection.in_realm(&self.realm))
            }
            _ => {
                // A lazy layer has inserted only the session to load.
                (self.slot.insert)(extensions, lazy, Some(session));
                Ok(())
            }
        }
    }
}
