//! What a request needs to pass.

use http::Extensions;

use crate::middleware::lazy_session::LazySession;
use crate::middleware::session_rejection::{Realm, SessionRejection};
use crate::middleware::tagged::{LazyTagged, Tagged};
use crate::session::{Session, SessionState};

/// What a request needs to pass.
#[derive(Clone, Debug)]
pub(super) struct Requirement {
    pub(super) realm: Realm,
    /// Only an outage is rejected.
    pub(super) only_available: bool,
    find: fn(&Extensions) -> Option<LazySession>,
    attach: fn(&mut Extensions, &Session),
}

impl Requirement {
    pub(super) const fn new() -> Self {
        Self {
            realm: Realm::DEFAULT,
            only_available: false,
            find: LazySession::of,
            attach: |extensions, session| insert_once(extensions, || session.clone()),
        }
    }

    pub(super) fn tagged<T: 'static>(self) -> Self {
        Self {
            find: |extensions| Some(LazyTagged::<T>::of(extensions)?.into_session()),
            attach: |extensions, session| {
                insert_once(extensions, || Tagged::<T>::new(session.clone()));
            },
            ..self
        }
    }

    pub(super) fn find(&self, extensions: &Extensions) -> Result<LazySession, SessionRejection> {
        (self.find)(extensions).ok_or_else(SessionRejection::missing_layer)
    }

    /// Checks the session, and inserts it into the extensions if it passes.
    pub(super) fn check(
        &self,
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
                (self.attach)(extensions, session);
                Ok(())
            }
        }
    }
}

/// Inserts a value unless there is one of its type: an eager layer has inserted it already.
fn insert_once<T: Clone + Send + Sync + 'static>(
    extensions: &mut Extensions,
    value: impl FnOnce() -> T,
) {
    if extensions.get::<T>().is_none() {
        extensions.insert(value());
    }
}
