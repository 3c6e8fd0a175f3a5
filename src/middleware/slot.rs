//! Reading a session from the request extensions.

use http::Extensions;

use super::lazy_session::LazySession;
use super::tagged::{LazyTagged, Tagged};
use crate::session::Session;

/// Access to a session in the request extensions: the nearest one, or that of a tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) find: fn(&Extensions) -> Option<LazySession>,
    /// Inserts the session itself if it is given, and otherwise the one to load.
    pub(super) insert: fn(&mut Extensions, &LazySession, Option<&Session>),
}

impl Slot {
    /// The session of the nearest layer.
    pub(super) const NEAREST: Self = Self {
        find: LazySession::of,
        insert: |extensions, lazy, session| match session {
            Some(session) => replace::<_, LazySession>(extensions, session.clone()),
            None => replace::<_, Session>(extensions, lazy.clone()),
        },
    };

    /// The session of the layer with this tag.
    pub(super) const fn tagged<T: 'static>() -> Self {
        Self {
            find: |extensions| Some(LazyTagged::<T>::of(extensions)?.into_session()),
            insert: |extensions, lazy, session| match session {
                Some(session) => {
                    let tagged = Tagged::<T>::new(session.clone());
                    replace::<_, LazyTagged<T>>(extensions, tagged);
                }
                None => {
                    let tagged = LazyTagged::<T>::new(lazy.clone());
                    replace::<_, Tagged<T>>(extensions, tagged);
                }
            },
        }
    }
}

/// Inserts `new`, and removes the `Other` form that an outer layer may have inserted.
fn replace<New, Other>(extensions: &mut Extensions, new: New)
where
    New: Clone + Send + Sync + 'static,
    Other: Send + Sync + 'static,
{
    extensions.insert(new);
    // The lookups prefer a loaded session, so one of an outer layer would hide a lazy one.
    extensions.remove::<Other>();
}
