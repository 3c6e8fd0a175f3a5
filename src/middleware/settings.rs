//! What all requests under a layer share.

use http::Extensions;

use super::read::ReadLimits;
use super::vary::Vary;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::source::TokenSources;

/// What all requests under a layer share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) sessions: Sessions,
    pub(super) sources: TokenSources,
    pub(super) limits: ReadLimits,
    /// `None` adds no `Vary`.
    pub(super) vary: Option<Vary>,
    pub(super) attach: Attach,
}

/// Puts a handle where inner services find it.
pub(super) type Attach = fn(&mut Extensions, &Session);

impl Settings {
    pub(super) fn new(sessions: Sessions) -> Self {
        Self {
            sessions,
            sources: TokenSources::default(),
            limits: ReadLimits::default(),
            vary: None,
            attach: attach_nearest,
        }
    }
}

/// The layer nearest to the handler is the last to do so, and wins.
pub(super) fn attach_nearest(extensions: &mut Extensions, session: &Session) {
    extensions.insert(session.clone());
}
