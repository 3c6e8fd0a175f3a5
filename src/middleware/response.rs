//! What a session does to the head of a response.

use std::sync::Arc;

use http::header::{CACHE_CONTROL, REFERRER_POLICY};
use http::{HeaderMap, HeaderValue};

use super::settings::Settings;
use crate::session::Session;

/// What is known about a request by the time its response comes.
pub(super) struct Aftermath {
    pub(super) settings: Arc<Settings>,
    /// The address that came in carried a token, so other places may hold it too.
    pub(super) in_query: bool,
}

impl Aftermath {
    /// Keeps the response out of caches it must not be in, and the address out of `Referer`.
    ///
    /// What the app has set itself stays as it is.
    pub(super) fn apply(&self, session: &Session, headers: &mut HeaderMap) {
        let usage = session.usage();
        if usage.revealed || self.in_query {
            let no_store = HeaderValue::from_static("no-store");
            headers.entry(CACHE_CONTROL).or_insert(no_store);
        }
        if self.in_query {
            let no_referrer = HeaderValue::from_static("no-referrer");
            headers.entry(REFERRER_POLICY).or_insert(no_referrer);
        }
        if let Some(vary) = self.settings.vary.as_ref().filter(|_| usage.consulted) {
            vary.add_to(headers);
        }
    }
}
