//! Reading a session from the request extensions.

use http::Extensions;

use super::lazy_session::LazySession;
use super::tagged::{LazyTagged, Tagged};
use crate::session::Session;

/// Access to a session in the request extensions: the nearest one, or that of a tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) find: fn(&Extensions) -> Option<LazySession>,
    /// Inserts a loaded session, or one that is still to load.
    pub(super) insert: fn(&mut Extensions, Result<Session, LazySession>),
}

impl Slot {
    /// The session of the nearest layer.
    pub(super) const NEAREST: Self = Self {
        find: LazySession::of,
        insert,
    };

    /// The session of the layer with this tag.
    pub(super) const fn tagged<T: 'static>() -> Self {
        Self {
            find: |extensions| Some(LazyTagged::<T>::of(extensions)?.into_session()),
            insert: |extensions, session| {
                let tagged = session.map(Tagged::<T>::new);
                insert(extensions, tagged.map_err(LazyTagged::<T>::new));
            },
        }
    }
}

/// Inserts one form of a session, and removes the other, which an outer layer may have inserted.
fn insert<Loaded, Lazy>(extensions: &mut Extensions, session: Result<Loaded, Lazy>)
where
    Loaded: Clone + Send + Sync + 'static,
    Lazy: Clone + Send + Sync + 'static,
{
    match session {
        Ok(loaded) => {
            extensions.remove::<Lazy>();
            extensions.insert(loaded);
        }
        Err(lazy) => {
            // The lookups prefer a loaded session, so one of an outer layer would hide this one.
            extensions.remove::<Loaded>();
            extensions.insert(lazy);
        }
    }
}
