//! Configuration of the layer, and the steps that need it.

use http::header::{CACHE_CONTROL, REFERRER_POLICY, SEC_WEBSOCKET_PROTOCOL};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, StatusCode};

#[cfg(feature = "cookie")]
use super::cookie::CookieWriter;
use super::cookie_use::CookieUse;
use super::credential::Credential;
use super::lazy_session::LazySession;
use super::read_body::ReadLimits;
use super::slot::Slot;
use super::vary::Vary;
use crate::session::{Access, Session};
use crate::sessions::Sessions;
use crate::source::{FoundToken, HeadLookup, TokenSources};
use crate::token::{Ticket, Token};
use crate::unsearched_body::UnsearchedBody;

/// Configuration that all requests of a layer share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) sessions: Sessions,
    /// With the marker that allows body fields; without them no body is read.
    pub(super) sources: TokenSources,
    pub(super) limits: ReadLimits,
    /// `None` adds no `Vary`.
    pub(super) vary: Option<Vary>,
    pub(super) lazy: bool,
    pub(super) tag: Option<Slot>,
    #[cfg(feature = "cookie")]
    pub(super) cookie: Option<CookieWriter>,
}

/// What the headers of a response depend on, as found in the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseContext {
    pub(super) cookie: CookieUse,
    pub(super) token_in_query: bool,
    /// The status that accepts a WebSocket handshake which has offered `bearer`.
    pub(super) selects_bearer_on: Option<StatusCode>,
}

impl Settings {
    /// Checks the token or the ticket that was found, without the store. Without a valid one,
    /// returns the session whose state is the reason.
    ///
    /// A lazy layer verifies a token when the session is loaded, unless the response clears the
    /// cookie of an invalid one even if the session is not used.
    pub(super) fn authenticate(
        &self,
        found: Result<HeadLookup<'_>, UnsearchedBody>,
        cookie: CookieUse,
    ) -> Result<Credential, Session> {
        let sessions = &self.sessions;
        match found {
            Ok(Ok(Some(found))) => {
                let credential = match found {
                    FoundToken::Token(token) if self.lazy && !cookie.is_cleared_if_invalid() => {
                        Ok(Credential::Unverified(Token::new(token)))
                    }
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
        // A lazy layer inserts even a known session as `LazySession`, so that a handler finds the
        // same type in every request.
        let session = lazy.get().filter(|_| !self.lazy);
        for slot in [Some(Slot::NEAREST), self.tag].into_iter().flatten() {
            (slot.insert)(extensions, session.cloned().ok_or_else(|| lazy.clone()));
        }
    }

    /// Keeps the response out of shared caches and the URI out of `Referer` headers, sets the
    /// cookie, and selects the subprotocol `bearer`.
    ///
    /// Headers that the application has set remain.
    pub(super) fn set_headers(
        &self,
        session: &LazySession,
        context: ResponseContext,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) {
        let ResponseContext {
            cookie,
            token_in_query,
            selects_bearer_on,
        } = context;
        let session = session.get();
        let mut access = session.map_or_else(Access::default, Session::take_access);
        if session.is_some_and(|session| self.write_cookie(cookie, &access, session, headers)) {
            // A cache would serve the cookie, or its removal, to other clients.
            headers.remove(CACHE_CONTROL);
            (access.state_read, access.data_read) = (true, true);
        }
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
        if selects_bearer_on == Some(status) {
            let bearer = HeaderValue::from_static("bearer");
            headers.entry(SEC_WEBSOCKET_PROTOCOL).or_insert(bearer);
        }
    }

    /// Returns how the cookie takes part in a request.
    #[cfg_attr(
        not(feature = "cookie"),
        expect(unused_variables, clippy::unused_self, reason = "there is no cookie")
    )]
    pub(super) fn cookie_use(&self, head: &Parts) -> CookieUse {
        #[cfg(feature = "cookie")]
        if let Some(cookie) = &self.cookie {
            return cookie.usage(&self.sources, head);
        }
        CookieUse::Unused
    }

    /// Sets or clears the cookie if that is due, and returns whether it did.
    #[cfg_attr(
        not(feature = "cookie"),
        expect(unused_variables, clippy::unused_self, reason = "there is no cookie")
    )]
    fn write_cookie(
        &self,
        usage: CookieUse,
        access: &Access,
        session: &Session,
        headers: &mut HeaderMap,
    ) -> bool {
        #[cfg(feature = "cookie")]
        if let Some(cookie) = &self.cookie {
            return cookie.write(usage, &access.token, session, headers);
        }
        false
    }
}
