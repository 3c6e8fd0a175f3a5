//! Configuration of the layer, and the steps that need it.

use http::header::{CACHE_CONTROL, REFERRER_POLICY};
use http::{Extensions, HeaderMap, HeaderValue};

use super::lazy_session::LazySession;
use super::read_body::ReadLimits;
use super::slot::Slot;
use super::vary::Vary;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::source::{BodySearchError, TokenSources};
use crate::token::Verified;

/// Configuration that all requests of a layer share.
#[derive(Clone, Debug)]
pub(super) struct Settings<P> {
    pub(super) sessions: Sessions,
    pub(super) sources: TokenSources<P>,
    pub(super) limits: ReadLimits,
    /// `None` adds no `Vary`.
    pub(super) vary: Option<Vary>,
    pub(super) lazy: bool,
    pub(super) tag: Option<Slot>,
}

/// Result of verifying the token of a request, without the store.
pub(super) enum Authentication {
    /// The token is valid; only the store can say whether its session exists.
    Verified(Verified),
    /// There is no token, or an invalid one.
    Known(Session),
}

impl<P> Settings<P> {
    /// Verifies the token that was found, if any.
    pub(super) fn authenticate(
        &self,
        found: Result<Option<impl AsRef<str>>, impl Into<BodySearchError>>,
    ) -> Authentication {
        let sessions = &self.sessions;
        Authentication::Known(match found.map_err(Into::into) {
            Ok(Some(token)) => match sessions.verify(token.as_ref()) {
                Ok(verified) => return Authentication::Verified(verified),
                Err(reason) => sessions.rejected(reason),
            },
            Ok(None) => sessions.absent(None),
            Err(BodySearchError::Rejected(reason)) => sessions.rejected(reason),
            Err(BodySearchError::Unsearched(reason)) => sessions.absent(Some(reason)),
        })
    }

    /// Inserts the session into the request extensions, for inner services.
    pub(super) fn attach(&self, lazy: &LazySession, extensions: &mut Extensions) {
        // Inside of a lazy layer even a known session is behind `LazySession`, so that a handler
        // finds the same type for each request.
        let session = lazy.loaded().filter(|_| !self.lazy);
        for slot in [Some(Slot::NEAREST), self.tag].into_iter().flatten() {
            (slot.insert)(extensions, lazy, session.as_ref());
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
        let access = session.access();
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
