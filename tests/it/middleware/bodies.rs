//! R18: bodies in which a token is looked for, and what the handler gets of them.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use jwt_redis_session::middleware::{ReplayBody, SessionBody};
use jwt_redis_session::{JwtRedisSession, SessionState, TokenSource, TokenSources};
use tower::{Layer, ServiceExt, service_fn};

use super::{FORM, Log, described, session, sessions, token};

type Frames = Vec<Result<Frame<Bytes>, std::io::Error>>;

/// The frames of `text` in chunks of `size` bytes, with trailers or an error at the end.
fn frames(text: &str, size: usize, trailers: bool, error: bool) -> Frames {
    let chunks = text.as_bytes().chunks(size);
    let mut frames: Frames = chunks
        .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    if trailers {
        let sum = [("x-sum".parse().unwrap(), "9".parse().unwrap())];
        frames.push(Ok(Frame::trailers(HeaderMap::from_iter(sum))));
    }
    if error {
        frames.push(Err(std::io::Error::other("cut off")));
    }
    frames
}

fn stream(
    frames: Frames,
) -> impl http_body::Body<Data = Bytes, Error = std::io::Error> + Send + Sync + Unpin {
    StreamBody::new(futures_util::stream::iter(frames))
}

/// The data, the trailers and the error of a body.
async fn drained<B>(mut body: B) -> (String, Option<HeaderMap>, Option<String>)
where
    B: http_body::Body<Data = Bytes, Error: std::fmt::Display> + Unpin,
{
    let (mut data, mut trailers) = (Vec::new(), None);
    let mut error = None;
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(chunk)) => data.extend_from_slice(&chunk),
            Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
            Err(failed) => {
                error = Some(failed.to_string());
                break;
            }
        }
    }
    (String::from_utf8(data).unwrap(), trailers, error)
}

/// Sends a form through a layer; returns the state and the body that the handler gets.
async fn through<B: ReplayBody>(layer: &JwtRedisSession, body: B) -> (String, B) {
    let service = layer.layer(service_fn(async |request: Request<B>| {
        let state = described(&session(&request).state());
        Ok::<_, Infallible>(Response::new((state, request.into_body())))
    }));
    let request = Request::post("/").header("content-type", FORM);
    let response = service.oneshot(request.body(body).unwrap()).await;
    response.unwrap().into_body()
}

async fn every_frame_arrives<B>(make: impl Fn(Frames) -> B)
where
    B: ReplayBody + http_body::Body<Data = Bytes, Error: std::fmt::Display>,
{
    let (_, sessions) = sessions();
    let form = format!("a=1&accessToken={}", token(&sessions).await);
    for size in [1, 7, 1000] {
        for (trailers, error) in [(false, false), (true, false), (false, true)] {
            for limit in [4, 30, 64 * 1024] {
                for twice in [false, true] {
                    let layer = JwtRedisSession::new(sessions.clone()).body_limit(limit);
                    let body = make(frames(&form, size, trailers, error));
                    let (mut state, mut body) = through(&layer, body).await;
                    if twice {
                        (state, body) = through(&layer, body).await;
                    }
                    let expected = match (form.len() <= limit, error) {
                        (false, _) => "unsearched: too_large",
                        (true, true) => "unsearched: read_failed",
                        (true, false) => "Active",
                    };
                    assert_eq!(state, expected);
                    let (data, seen_trailers, seen_error) = drained(body).await;
                    assert_eq!(data, form);
                    assert_eq!(seen_trailers.is_some_and(|t| t["x-sum"] == "9"), trailers);
                    let seen_error = seen_error.is_some_and(|e| e.contains("cut off"));
                    assert_eq!(seen_error, error);
                }
            }
        }
    }
}

/// A body type of an application: one line makes it a `ReplayBody`.
struct MyBody(UnsyncBoxBody<Bytes, std::io::Error>);

impl http_body::Body for MyBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }
}

impl ReplayBody for MyBody {
    fn replay(read: SessionBody<Self>) -> Self {
        Self(read.boxed_unsync())
    }
}

#[tokio::test]
async fn r18_data_trailers_and_errors_arrive_in_every_type_of_body() {
    every_frame_arrives(|frames| BoxBody::new(stream(frames))).await;
    every_frame_arrives(|frames| UnsyncBoxBody::new(stream(frames))).await;
    every_frame_arrives(|frames| SessionBody::new(stream(frames))).await;
    every_frame_arrives(|frames| SessionBody::new(SessionBody::new(stream(frames)))).await;
    every_frame_arrives(|frames| MyBody(stream(frames).boxed_unsync())).await;
    #[cfg(feature = "axum")]
    every_frame_arrives(|frames| axum::body::Body::new(stream(frames))).await;
}

#[tokio::test]
async fn r18_full_and_empty_bodies() {
    let (_, sessions) = sessions();
    let form = format!("accessToken={}", token(&sessions).await);
    let layer = JwtRedisSession::new(sessions);
    let (state, body) = through(&layer, Full::new(Bytes::from(form.clone()))).await;
    assert_eq!((&*state, drained(body).await.0), ("Active", form.clone()));
    let layer = layer.body_limit(3);
    let (state, body) = through(&layer, Full::new(Bytes::from(form.clone()))).await;
    assert_eq!(state, "unsearched: too_large");
    assert_eq!(drained(body).await.0, form);
    let (state, _) = through(&layer, Empty::<Bytes>::new()).await;
    assert_eq!(state, "Absent");
}

/// A stream that panics if it is polled after its end.
fn strict_empty_stream() -> SyncStream {
    let stream = futures_util::stream::unfold(false, async |ended| {
        assert!(!ended, "polled after the end");
        None::<(Result<Frame<Bytes>, std::io::Error>, bool)>
    });
    Box::pin(stream)
}

type SyncStream =
    Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send>>;

#[tokio::test]
async fn r18_the_end_of_a_body_is_read_once() {
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions);
    let empty = || StreamBody::new(strict_empty_stream());
    let (state, body) = through(&layer, UnsyncBoxBody::new(empty())).await;
    assert_eq!(state, "Absent");
    assert_eq!(drained(body).await.0, "");
    let (_, body) = through(&layer, SessionBody::new(empty())).await;
    assert_eq!(drained(body).await.0, "");
    #[cfg(feature = "axum")]
    {
        let (_, body) = through(&layer, axum::body::Body::new(empty())).await;
        assert_eq!(drained(body).await.0, "");
    }
}

/// A body that is not `Send`.
#[tokio::test]
async fn r18_a_body_need_not_be_send() {
    struct Local(std::rc::Rc<()>, Option<Bytes>);

    impl http_body::Body for Local {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let _ = &self.0;
            Poll::Ready(self.1.take().map(|data| Ok(Frame::data(data))))
        }
    }

    let (_, sessions) = sessions();
    let form = format!("accessToken={}", token(&sessions).await);
    let layer = JwtRedisSession::new(sessions);
    let local = Local(std::rc::Rc::new(()), Some(Bytes::from(form.clone())));
    let (state, body) = through(&layer, SessionBody::new(local)).await;
    assert_eq!((&*state, drained(body).await.0), ("Active", form));
}

/// A body that replays nothing, and counts how often it was restored.
struct Counting(Full<Bytes>, Arc<AtomicUsize>);

impl http_body::Body for Counting {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}

impl ReplayBody for Counting {
    fn replay(read: SessionBody<Self>) -> Self {
        let restored = Arc::new(AtomicUsize::new(1));
        drop(read);
        Self(Full::default(), restored)
    }
}

#[tokio::test]
async fn r18_a_body_that_was_not_read_is_not_replaced() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions).body_limit(100);
    let long = "x".repeat(101);
    for (content_type, header, body, restored) in [
        (FORM, None, "", 0),
        (FORM, Some(&token), "a=1", 0),
        ("text/plain", None, "a=1", 0),
        // Its declared length is above the limit.
        (FORM, None, &*long, 0),
        (FORM, None, "a=1", 1),
    ] {
        let service = layer.layer(service_fn(async |request: Request<Counting>| {
            let restored = request.body().1.load(Ordering::Relaxed);
            Ok::<_, Infallible>(Response::new(restored))
        }));
        let mut request = Request::post("/").header("content-type", content_type);
        if let Some(token) = header {
            request = request.header("x-access-token", token);
        }
        let body = Counting(Full::from(body.to_owned()), Arc::default());
        let response = service.oneshot(request.body(body).unwrap()).await.unwrap();
        assert_eq!(*response.body(), restored, "{content_type} {header:?}");
    }
}

/// Bodies that hold no usable token, as JSON and as a form.
fn unusable() -> Vec<(&'static str, Vec<u8>)> {
    let json = "application/json";
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(100 * 1024));
    vec![
        (json, large.into_bytes()),
        (FORM, "x".repeat(100 * 1024).into_bytes()),
        (json, b"\xef\xbb\xbf{}".to_vec()),
        (json, b"{\0\"\0a\0".to_vec()),
        (json, b"  ".to_vec()),
        (json, b"not json".to_vec()),
        (json, br#"{"accessToken":"a","accessToken":"b"}"#.to_vec()),
        (json, br#"{"accessToken":5}"#.to_vec()),
        (json, b"[]".to_vec()),
    ]
}

#[tokio::test]
async fn r18_a_token_elsewhere_wins_over_every_body() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let cookie = || TokenSource::cookie("session");
    let lists = [
        TokenSources::default().with(cookie()),
        TokenSources::new([cookie(), TokenSource::Bearer]).or_body("accessToken"),
        TokenSources::new([])
            .or_body("accessToken")
            .with(TokenSource::Bearer)
            .with(cookie()),
    ];
    let headers = [
        ("cookie", format!("session={token}")),
        ("authorization", format!("Bearer {token}")),
    ];
    for sources in lists {
        let layer = JwtRedisSession::new(sessions.clone()).sources(sources);
        for (name, value) in &headers {
            for (content_type, body) in unusable() {
                let service = layer.layer(service_fn(super::describe));
                let request = Request::post("/")
                    .header("content-type", content_type)
                    .header(*name, value)
                    .body(Full::from(body.clone()))
                    .unwrap();
                let response = service.oneshot(request).await.unwrap();
                assert_eq!(response.headers()["state"], "Active");
                let seen = response.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(seen, body);
            }
        }
    }
}

#[tokio::test]
async fn r18_an_unsearched_body_is_an_absent_token_with_a_reason() {
    let log = Log::default();
    let _guard = log.record();
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions);
    for (content_type, body) in unusable() {
        let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(session(&request).state()))
        }));
        let request = Request::post("/").header("content-type", content_type);
        let request = request.body(Full::from(body.clone())).unwrap();
        let state = service.oneshot(request).await.unwrap().into_body();
        let is_token = body.starts_with(br#"{"accessToken""#);
        assert_eq!(matches!(state, SessionState::Rejected(_)), is_token);
        let is_searched = body == b"[]";
        if !is_token {
            let SessionState::Absent { unsearched } = state else {
                panic!("{state:?}");
            };
            assert_eq!(unsearched.is_none(), is_searched, "{unsearched:?}");
        }
    }
    let log = log.text();
    for reason in ["too_large", "malformed"] {
        let event = format!("request body not searched for a token reason=\"{reason}\"");
        assert!(log.contains(&event), "{log}");
    }
}

#[cfg(feature = "axum")]
mod in_axum {
    use axum::Router;
    use axum::extract::DefaultBodyLimit;
    use axum::routing::post;
    use jwt_redis_session::{ActiveSession, RequireSession};
    use tower_http::limit::RequestBodyLimitLayer;

    use super::*;

    async fn status(app: &Router, content_type: &str, body: Vec<u8>) -> (u16, String) {
        let request = Request::post("/").header("content-type", content_type);
        let request = request.body(axum::body::Body::from(body)).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// A handler with an optional session and its own limits gets every body.
    #[tokio::test]
    async fn r18_an_optional_session_does_not_limit_the_body() {
        async fn upload(session: Option<ActiveSession>, body: Bytes) -> String {
            format!("{} {}", session.is_some(), body.len())
        }
        let (_, sessions) = sessions();
        let app = Router::new()
            .route("/", post(upload))
            .layer(DefaultBodyLimit::max(1 << 20))
            .layer(JwtRedisSession::new(sessions));
        for (content_type, body) in unusable() {
            if body.starts_with(b"{\"accessToken\":\"a\"") {
                continue;
            }
            let answer = status(&app, content_type, body.clone()).await;
            assert_eq!(answer, (200, format!("false {}", body.len())));
        }
    }

    #[tokio::test]
    async fn r18_an_unsearched_body_is_401_where_a_session_is_required() {
        let (_, sessions) = sessions();
        let extractor = post(async |_: ActiveSession| ());
        let layer = post(async || ()).layer(RequireSession::new());
        for route in [extractor, layer] {
            let app = Router::new()
                .route("/", route)
                .layer(JwtRedisSession::new(sessions.clone()));
            for (content_type, body) in [
                ("application/json", b"{".to_vec()),
                (FORM, "x".repeat(100 * 1024).into_bytes()),
            ] {
                let (status, body) = status(&app, content_type, body).await;
                assert_eq!(status, 401);
                assert_eq!(body, r#"{"error":"a token is required"}"#);
            }
        }
    }

    /// axum looks for the limit in an error and its source, so the layer must not wrap errors.
    #[tokio::test]
    async fn r18_an_outer_length_limit_is_still_413() {
        let (_, sessions) = sessions();
        let form = "a=1&b=2&c=3&d=4&e=5";
        let app = Router::new()
            .route("/", post(async |body: String| body))
            .layer(JwtRedisSession::new(sessions))
            .layer(RequestBodyLimitLayer::new(10));
        let body = axum::body::Body::new(stream(frames(form, 7, false, false)));
        let request = Request::post("/").header("content-type", FORM);
        let response = app.oneshot(request.body(body).unwrap()).await.unwrap();
        assert_eq!(response.status(), 413);
    }
}
