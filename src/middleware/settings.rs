//! Configuration of the layer, and the steps that need it.

use http::header::{CACHE_CONTROL, REFERRER_POLICY};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue};

use super::lazy_session::LazySession;
use super::read_body::ReadLimits;
use super::tagged::LazyTagged;
use super::vary::Vary;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::source::{BodyLookup, BodySearchError, TokenSources};
use crate::token::Verified;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// Configuration that all requests of a layer share.
#[derive(Clone, Debug)]
pub(super) struct Settings<P> {
    pub(super) sessions: Sessions,
    pub(super) sources: TokenSources<P>,
    pub(super) limits: ReadLimits,
    /// `None` adds no `Vary`.
    pub(super) vary: Option<Vary>,
    pub(super) lazy: bool,
    pub(super) tag: Option<Tag>,
}

/// How to insert a session under a tag, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    attach: fn(&LazySession, &mut Extensions),
    attach_loaded: fn(&Session, &mut Extensions),
}

impl Tag {
    pub(super) fn of<T: 'static>() -> Self {
        Self {
            attach: LazyTagged::<T>::attach,
            attach_loaded: LazyTagged::<T>::attach_loaded,
        }
    }
}

/// What is known of the session of a request without the store.
pub(super) enum Authentication {
    /// The token is valid; only the store can say whether its session exists.
    Verified(Verified),
    /// The token is invalid.
    Rejected(TokenRejection),
    /// There is no token, or the body was not searched for one.
    Absent(Option<UnsearchedBody>),
}

impl From<Result<Verified, TokenRejection>> for Authentication {
    fn from(verified: Result<Verified, TokenRejection>) -> Self {
        verified.map_or_else(Self::Rejected, Self::Verified)
    }
}

impl<P> Settings<P> {
    /// Looks for a token in headers, cookies and query, and verifies it; `None` if there is none.
    pub(super) fn authenticate(&self, head: &Parts) -> Option<Authentication> {
        Some(match self.sources.find(head).transpose()? {
            Ok(token) => self.sessions.verify(&token).into(),
            Err(reason) => Authentication::Rejected(reason),
        })
    }

    /// Verifies the token that was found in a body.
    pub(super) fn authenticate_body(&self, found: BodyLookup) -> Authentication {
        match found {
            Ok(Some(token)) => self.sessions.verify(token.as_str()).into(),
            Ok(None) => Authentication::Absent(None),
            Err(BodySearchError::Rejected(reason)) => Authentication::Rejected(reason),
            Err(BodySearchError::Unsearched(reason)) => Authentication::Absent(Some(reason)),
        }
    }

    /// Inserts the session into the request extensions, for inner services.
    pub(super) fn attach(&self, session: &LazySession, extensions: &mut Extensions) {
        match session.loaded().filter(|_| !self.lazy) {
            Some(session) => {
                LazySession::attach_loaded(&session, extensions);
                self.tag
                    .inspect(|tag| (tag.attach_loaded)(&session, extensions));
            }
            None => {
                session.attach(extensions);
                self.tag.inspect(|tag| (tag.attach)(session, extensions));
            }
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
