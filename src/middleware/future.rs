//! The response future of [`JwtRedisSession`](crate::JwtRedisSession).

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::cookie_use::CookieUse;
use super::credential::Credential;
use super::lazy_session::LazySession;
use super::read_body::ReadBody;
use super::settings::{ResponseContext, Settings};
use crate::session::Session;
use crate::source::{BodyLookup, FoundToken};

pin_project! {
    /// Response future for [`JwtRedisSessionService`](super::JwtRedisSessionService), the service of
    /// [`JwtRedisSession`](crate::JwtRedisSession).
    ///
    /// It may be dropped at any point.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        pub(super) state: State<S, B>,
        pub(super) settings: Arc<Settings>,
        pub(super) context: ResponseContext,
    }
}

pin_project! {
    // The options are `None` only after the future is done.
    #[project = StateProjection]
    pub(super) enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        // Boxed: large, and rare. `inner` is the service that was polled ready, because only that
        // one may be called.
        ReadingBody {
            read: Pin<Box<ReadBody<B>>>,
            poll_read: PollRead<B>,
            head: Option<Parts>,
            inner: S,
        },
        Loading { load: Load, request: Option<Request<B>>, inner: S },
        Calling { #[pin] response: S::Future, session: LazySession },
    }
}

/// [`ReadBody::poll`]. The service chooses it, so that the future takes bodies that are not
/// [`ReplayBody`](super::ReplayBody) as well.
pub(super) type PollRead<B> =
    fn(Pin<&mut ReadBody<B>>, &mut Context<'_>) -> Poll<(B, BodyLookup<'static>)>;

/// The read of a session from the store: an `async fn`, whose type has no name.
type Load = Pin<Box<dyn Future<Output = Session> + Send>>;

impl<S, B> State<S, B>
where
    S: Service<Request<B>> + Clone,
{
    /// Loads the session of the credential, or calls the inner service if it need not be loaded.
    pub(super) fn authenticated(
        settings: &Settings,
        credential: Result<Credential, Session>,
        request: Request<B>,
        inner: &mut S,
    ) -> Self {
        let session = match credential {
            Err(session) => session.into(),
            Ok(credential) if settings.lazy => {
                LazySession::new(settings.sessions.clone(), credential)
            }
            Ok(credential) => {
                let sessions = settings.sessions.clone();
                return Self::Loading {
                    load: Box::pin(async move { credential.open(&sessions).await }),
                    request: Some(request),
                    inner: take_ready(inner),
                };
            }
        };
        Self::calling(settings, session, request, inner)
    }

    fn calling(
        settings: &Settings,
        session: LazySession,
        mut request: Request<B>,
        inner: &mut S,
    ) -> Self {
        settings.attach(&session, request.extensions_mut());
        let response = inner.call(request);
        Self::Calling { response, session }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::ReadingBody {
                    read,
                    poll_read,
                    head,
                    inner,
                } => {
                    let (body, found) = ready!(poll_read(read.as_mut(), cx));
                    let head = head.take().expect("polled after completion");
                    let request = Request::from_parts(head, body);
                    let credential = authenticate_body(this.settings, this.context, found);
                    State::authenticated(this.settings, credential, request, inner)
                }
                StateProjection::Loading {
                    load,
                    request,
                    inner,
                } => {
                    let session = ready!(load.as_mut().poll(cx)).into();
                    let request = request.take().expect("polled after completion");
                    State::calling(this.settings, session, request, inner)
                }
                StateProjection::Calling { response, session } => {
                    let mut response = ready!(response.poll(cx))?;
                    let status = response.status();
                    this.settings.set_headers(
                        session,
                        *this.context,
                        status,
                        response.headers_mut(),
                    );
                    return Poll::Ready(Ok(response));
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

/// Checks the token that was found in the body, if there is one.
fn authenticate_body(
    settings: &Settings,
    context: &mut ResponseContext,
    found: BodyLookup<'_>,
) -> Result<Credential, Session> {
    if !matches!(found, Ok(Ok(None)) | Err(_)) {
        context.cookie = CookieUse::Unused;
    }
    let found = found.map(|found| found.map(|text| text.map(FoundToken::Token)));
    settings.authenticate(found, context.cookie)
}

/// Takes the service that was polled ready, and leaves a clone of it, which is not ready.
pub(super) fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    mem::replace(inner, clone)
}
