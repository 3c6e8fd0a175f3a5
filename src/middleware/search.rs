//! Finding the session of a request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Request;
use http::request::Parts;
use http_body::Body;

use super::body::SessionBody;
use super::read::ReadBody;
use super::settings::Settings;
use crate::session::Session;
use crate::source::{BodySearch, Outcome};

/// A session on its way from the store.
type Load = Pin<Box<dyn Future<Output = Session> + Send>>;

/// What the place where the token stands has led to.
pub(super) enum Verdict {
    Known(Session),
    Load(Load),
}

impl Settings {
    /// Makes a handle at once where the store need not be asked.
    pub(super) fn judge(&self, outcome: Outcome) -> Verdict {
        match outcome {
            Ok(None) => Verdict::Known(self.sessions.new_session()),
            Err(reason) => Verdict::Known(self.sessions.rejected(reason)),
            Ok(Some(hit)) => {
                tracing::trace!(source = hit.source.as_str(), "token found");
                let sessions = self.sessions.clone();
                let load = async move { sessions.from_token(hit.token.as_str()).await };
                Verdict::Load(Box::pin(load))
            }
        }
    }

    /// The request as inner services see it.
    pub(super) fn attached<B>(&self, mut request: Request<B>, session: &Session) -> Request<B> {
        (self.attach)(request.extensions_mut(), session);
        request
    }
}

/// A request that has to wait for its session.
///
/// The options are empty only once that step is over.
pub(super) enum Search<B: Body> {
    Read {
        head: Option<Parts>,
        read: Pin<Box<ReadBody<B>>>,
    },
    Load {
        request: Option<Request<SessionBody<B>>>,
        load: Load,
    },
}

impl<B: Body + Unpin> Search<B> {
    pub(super) fn read(settings: &Settings, head: Parts, body: B, search: BodySearch) -> Self {
        Self::Read {
            head: Some(head),
            read: Box::pin(ReadBody::new(body, search, settings.limits)),
        }
    }
}

impl<B: Body> Search<B> {
    pub(super) fn load(request: Request<SessionBody<B>>, load: Load) -> Self {
        Self::Load {
            request: Some(request),
            load,
        }
    }
}

impl<B: Body + Unpin> Search<B> {
    pub(super) fn poll(
        &mut self,
        settings: &Settings,
        cx: &mut Context<'_>,
    ) -> Poll<(Request<SessionBody<B>>, Session)> {
        loop {
            match self {
                Self::Read { head, read } => {
                    let (body, outcome) = ready!(read.as_mut().poll(cx));
                    let head = head.take().expect("polled after completion");
                    let request = Request::from_parts(head, body);
                    match settings.judge(outcome) {
                        Verdict::Known(session) => return Poll::Ready((request, session)),
                        Verdict::Load(load) => *self = Self::load(request, load),
                    }
                }
                Self::Load { request, load } => {
                    let session = ready!(load.as_mut().poll(cx));
                    let request = request.take().expect("polled after completion");
                    return Poll::Ready((request, session));
                }
            }
        }
    }
}
