//! The session of one layer among several.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use http::Extensions;

use super::lazy_session::LazySession;
use crate::session::Session;

/// Session of the layer that is [tagged](crate::JwtRedisSession::tagged) with `T`.
///
/// With several layers around a handler, [`Session`] is the session of the nearest layer.
/// `Tagged<T>` is that of the layer with the tag `T`: as an extractor in axum, or with
/// [`Tagged::of`]. For lazy layers use [`LazyTagged`].
///
/// ```
/// # use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, Sessions, TokenSources};
/// # use jwt_redis_session::Tagged;
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let store = MemoryStore::new();
/// let users = Sessions::builder(store.clone(), keyring.clone()).build()?;
/// let admins = Sessions::builder(store, keyring).keyspace("admin:").build()?;
///
/// struct Admin;
/// let layers = (
///     JwtRedisSession::new(admins)
///         .sources(TokenSources::token_arg("adminToken")?)
///         .tagged::<Admin>(),
///     JwtRedisSession::new(users),
/// );
///
/// fn is_admin(request: &http::Request<()>) -> bool {
///     Tagged::<Admin>::of(request.extensions()).is_some_and(|session| session.is_active())
/// }
/// # assert!(!is_admin(&http::Request::new(())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Tagged<T, S = Session> {
    session: S,
    tag: PhantomData<fn() -> T>,
}

/// [`LazySession`] of the layer that is [tagged](crate::JwtRedisSession::tagged) with `T`.
pub type LazyTagged<T> = Tagged<T, LazySession>;

impl<T: 'static> Tagged<T> {
    /// Returns the session that the layer tagged with `T` inserted into the extensions of a
    /// request. `None` if that layer is lazy; see [`LazyTagged`].
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }
}

impl<T: 'static> LazyTagged<T> {
    /// Returns the session that the layer tagged with `T` inserted into the extensions of a
    /// request, whether that layer is lazy or not.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<Self> {
        match Tagged::<T>::of(extensions) {
            Some(tagged) => Some(Self::new(tagged.session.clone().into())),
            None => extensions.get().cloned(),
        }
    }
}

impl<T, S> Tagged<T, S> {
    pub(crate) const fn new(session: S) -> Self {
        let tag = PhantomData;
        Self { session, tag }
    }

    /// Returns the session itself.
    #[must_use]
    pub fn into_session(self) -> S {
        self.session
    }
}

impl<T, S> Deref for Tagged<T, S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.session
    }
}

impl<T, S: Clone> Clone for Tagged<T, S> {
    fn clone(&self) -> Self {
        Self::new(self.session.clone())
    }
}

impl<T, S: fmt::Debug> fmt::Debug for Tagged<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tagged").field(&self.session).finish()
    }
}
