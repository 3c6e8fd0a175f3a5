//! Configuration of the layer, and the steps that need it.

use http::header::{CACHE_CONTROL, REFERRER_POLICY, SEC_WEBSOCKET_PROTOCOL};
use http::{Extensions, HeaderMap, HeaderValue};

use super::credential::Credential;
use super::lazy_session::LazySession;
use super::read_body::ReadLimits;
use super::slot::Slot;
use super::vary::Vary;
use crate::session::{Access, Session};
use crate::sessions::Sessions;
use crate::source::{FoundToken, HeadLookup};
use crate::token::Ticket;
use crate::unsearched_body::UnsearchedBody;

/// Configuration that all requests of a layer share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) sessions: Sessions,
    pub(super) limits: ReadLimits,
    /// `None` adds no `Vary`.
    pub(super) vary: Option<Vary>,
    pub(super) lazy: bool,
    pub(super) tag: Option<Slot>,
}

impl Settings {
    /// Checks the token or the ticket that was found, without the store. Without a valid one,
    /// returns the session whose state is the reason.
    pub(super) fn authenticate(
        &self,
        found: Result<HeadLookup<'_>, UnsearchedBody>,
    ) -> Result<Credential, Session> {
        let sessions = &self.sessions;
        match found {
            Ok(Ok(Some(found))) => {
                let credential = match found {
                    FoundToken::Token(token) => sessions.verify(&token).map(Credential::Token),
                    FoundToken::Ticket(text) => Ticket::parse(&text).map(Credential::Ticket),
                };
                credential.map_err(|reason| sessions.rejected(reason))
            }
            Ok(Ok(None)) => Err(sessions.absent(None)),
            Ok(Err(reason)) => Err(sessions.rejected(reason)),
            Err(reason) => Err(sessions.absent(Some(reason))),
        }
    }

    /// Inserts the session into the request extensions, for inner services.
    pub(super) fn attach(&self, lazy: &LazySession, extensions: &mut Extensions) {
        // Inside of a lazy layer even a known session is behind `LazySession`, so that a handler
        // finds the same type for each request.
        let session = lazy.get().filter(|_| !self.lazy);
        for slot in [Some(Slot::NEAREST), self.tag].into_iter().flatten() {
            (slot.insert)(extensions, session.cloned().ok_or_else(|| lazy.clone()));
        }
    }

    /// Keeps the response out of shared caches and the URI out of `Referer` headers.
    ///
    /// Headers that the application has set remain.
    pub(super) fn set_headers(
        &self,
        session: &LazySession,
        token_in_query: bool,
        headers: &mut HeaderMap,
    ) {
        let access = session.get().map_or_else(Access::default, Session::access);
        if access.data_read || token_in_query {
            let no_store = HeaderValue::from_static("no-store");
            headers.entry(CACHE_CONTROL).or_insert(no_store);
        }
        if token_in_query {
            let no_referrer = HeaderValue::from_static("no-referrer");
            headers.entry(REFERRER_POLICY).or_insert(no_referrer);
        }
        if let Some(vary) = self.vary.as_ref().filter(|_| access.state_read) {
            vary.add_to(headers);
        }
    }
}

/// Selects the subprotocol `bearer`, unless the application has selected another one.
pub(super) fn select_bearer(headers: &mut HeaderMap) {
    let bearer = HeaderValue::from_static("bearer");
    headers.entry(SEC_WEBSOCKET_PROTOCOL).or_insert(bearer);
}
