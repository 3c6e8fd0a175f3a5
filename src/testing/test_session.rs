//! A session with a token, for requests of a test.

use std::ops::Deref;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request, Uri};
use serde::Serialize;

use crate::session::Session;
use crate::sessions::Sessions;
use crate::token::Token;

/// Session of a test, with the token that its requests carry.
///
/// It dereferences to a [`Session`] with the data from its creation. [`reload`](Session::reload)
/// reads what a handler has stored since.
///
/// See the [module](crate::testing#a-test-of-a-handler) for an example.
#[derive(Clone, Debug)]
pub struct TestSession {
    session: Session,
    token: Token,
}

impl TestSession {
    /// Creates a session of `owner` with the fields of `data`, in sessions of any store.
    ///
    /// An owner is [logged in](Session::login), so the time of authentication is now. `owner` is
    /// `None` for a guest. `data` must serialize to a JSON object, such as `json!({})`, not `()`.
    ///
    /// # Panics
    ///
    /// If the session cannot be created.
    pub async fn create<'a>(
        sessions: &Sessions,
        owner: impl Into<Option<&'a str>>,
        data: impl Serialize,
    ) -> Self {
        let session = sessions.new_session();
        session.merge(data).expect("the data is a JSON object");
        let created = match owner.into() {
            Some(owner) => session.login(owner).await,
            None => session.create().await,
        };
        let token = created.expect("the session is created");
        Self { session, token }
    }

    /// Starts a request that carries the token as `Authorization: Bearer`.
    ///
    /// For an application with other token sources, put [`token`](Self::token) where it expects
    /// one.
    ///
    /// # Panics
    ///
    /// If `uri` is not a URI.
    pub fn request(&self, method: Method, uri: &str) -> http::request::Builder {
        let uri: Uri = uri.parse().expect("a URI");
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", self.token.as_str()))
            .expect("a token is visible ASCII");
        bearer.set_sensitive(true);
        let request = Request::builder().method(method).uri(uri);
        request.header(AUTHORIZATION, bearer)
    }

    /// Returns the token.
    #[must_use]
    pub const fn token(&self) -> &Token {
        &self.token
    }
}

impl Deref for TestSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}
