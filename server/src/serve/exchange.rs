//! One request and its response.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use http::header::{CONNECTION, EXPECT, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use tokio::sync::watch;
use tower::Service as _;

use crate::app::{Routers, Surface};
use crate::http::{Peer, check_head};
use crate::serve::activity::{Activity, InProgress};
use crate::serve::request_body::RequestBody;
use crate::serve::response_body::ResponseBody;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// Answers the requests of one connection.
pub(super) struct Exchange {
    /// Read for each request: a reload replaces them.
    pub(super) routers: watch::Receiver<Routers>,
    pub(super) surface: Surface,
    pub(super) max_head_size: usize,
    /// The longest time to discard the rest of a body.
    pub(super) body_timeout: Duration,
    pub(super) peer: Peer,
    pub(super) activity: Arc<Activity>,
    /// The value of the header `Keep-Alive`.
    pub(super) keep_alive: HeaderValue,
    /// Whether the service accepts no more connections.
    pub(super) stopped: watch::Receiver<bool>,
}

impl Exchange {
    /// Passes a request to the router. What the handler does not read of the body is discarded
    /// before the response if it is short, or else after it.
    pub(super) async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let in_progress = self.activity.request(request.version());
        let (mut head, incoming) = request.into_parts();
        let (version, closes) = (head.version, requests_close(&head.headers));
        let awaits_continue = head.headers.contains_key(EXPECT);
        let mut router = self.route(&mut head);
        if incoming.is_end_stream() {
            let request = Request::from_parts(head, Body::empty());
            let Ok(response) = router.call(request).await;
            return Ok(self.finish(version, closes, true, response, in_progress));
        }
        let body = RequestBody::new(incoming);
        let request = Request::from_parts(head, Body::new(body.clone()));
        let Ok(response) = router.call(request).await;
        // Over HTTP/2 the next request does not wait for the rest of a body.
        let is_read = if version == Version::HTTP_2 {
            body.discard(self.body_timeout);
            true
        } else {
            body.finish(awaits_continue).await
        };
        Ok(self.finish(version, closes, is_read, response, in_progress))
    }

    /// Completes the head of a request, and returns the router for it.
    fn route(&self, head: &mut Parts) -> Router {
        head.extensions.insert(self.peer);
        if let Err(error) = check_head(head, self.max_head_size) {
            head.extensions.insert(error);
            return self.routers.borrow().rejecting.clone();
        }
        // Handlers look for the host there in all versions.
        if head.version == Version::HTTP_2
            && let Some(authority) = head.uri.authority()
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            head.headers.insert(HOST, host);
        }
        self.routers.borrow().of(self.surface).clone()
    }

    /// Adds the headers about the connection to a response.
    fn finish(
        &self,
        version: Version,
        closes: bool,
        is_read: bool,
        response: Response<Body>,
        in_progress: InProgress,
    ) -> Response<ResponseBody> {
        let (mut head, body) = response.into_parts();
        if !is_read {
            self.activity.leave_body_unread();
        }
        let must_close = !is_read || *self.stopped.borrow();
        let option = match version {
            // Its frames say the same.
            Version::HTTP_2 => None,
            _ if must_close => Some("close"),
            Version::HTTP_11 if !closes => Some("keep-alive"),
            _ => None,
        };
        if let Some(option) = option {
            let value = HeaderValue::from_static(option);
            head.headers.insert(CONNECTION, value);
            if !must_close {
                head.headers.insert(KEEP_ALIVE, self.keep_alive.clone());
            }
        }
        let body = ResponseBody {
            body,
            _request: in_progress,
        };
        Response::from_parts(head, body)
    }
}

/// Returns whether the client closes the connection after this request.
fn requests_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter();
    let mut options = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    options.any(|option| option.trim().eq_ignore_ascii_case("close"))
}
