//! The sessions of one layer among several.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use http::Extensions;

use crate::session::Session;

/// The handle of the layer that was [tagged](crate::JwtRedisSession::tagged) with `T`.
///
/// Where several layers stand around a handler, [`Session`] is that of the nearest one, and each
/// tagged one is reached by its tag: as an extractor in axum, or with [`Tagged::of`].
///
/// ```
/// # use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, Sessions, Tagged, TokenSources};
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
pub struct Tagged<T> {
    session: Session,
    tag: PhantomData<fn() -> T>,
}

impl<T: 'static> Tagged<T> {
    /// The handle that the layer tagged with `T` has left in the extensions of a request.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    pub(super) fn attach(extensions: &mut Extensions, session: &Session) {
        extensions.insert(Self::new(session.clone()));
    }
}

impl<T> Tagged<T> {
    const fn new(session: Session) -> Self {
        let tag = PhantomData;
        Self { session, tag }
    }

    /// The handle itself.
    #[must_use]
    pub fn into_session(self) -> Session {
        self.session
    }
}

impl<T> Deref for Tagged<T> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl<T> Clone for Tagged<T> {
    fn clone(&self) -> Self {
        Self::new(self.session.clone())
    }
}

impl<T> fmt::Debug for Tagged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tagged").field(&self.session).finish()
    }
}
