use std::borrow::Cow;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::time::{Instant, Sleep, sleep};

use super::{ReadBody, ReadLimits};
use crate::middleware::body::SessionBody;
use crate::middleware::replay_body::ReplayBody;
use crate::source::{BodyLookup, BodySearch, TokenSources};

const LIMIT: usize = 256;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Clone, Debug)]
enum Step {
    Data(Bytes),
    Trailers,
    Broken,
    Wait(u64),
}

use Step::{Broken, Trailers, Wait};

/// A body that plays its steps, and panics if it is polled after its end.
#[derive(Default)]
struct Script {
    steps: VecDeque<Step>,
    waiting: Option<Pin<Box<Sleep>>>,
    /// The length is declared, as by a `Content-Length`.
    declared: bool,
    over: bool,
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        assert!(!self.over, "polled after the end");
        if let Some(sleep) = &mut self.waiting {
            ready!(sleep.as_mut().poll(cx));
            self.waiting = None;
        }
        Poll::Ready(match self.steps.pop_front() {
            Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Trailers) => Some(Ok(Frame::trailers(trailers()))),
            Some(Broken) => Some(Err("broken")),
            Some(Wait(seconds)) => {
                self.waiting = Some(Box::pin(sleep(Duration::from_secs(seconds))));
                return self.poll_frame(cx);
            }
            None => {
                self.over = true;
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.declared && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let lengths = self.steps.iter().map(|step| match step {
            Step::Data(data) => data.len() as u64,
            _ => 0,
        });
        match self.declared {
            true => SizeHint::with_exact(lengths.sum()),
            false => SizeHint::new(),
        }
    }
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("42"))])
}

fn data(text: impl Into<Bytes>) -> Step {
    Step::Data(text.into())
}

fn chunks<const N: usize>(text: &[u8], size: usize, more: [Step; N]) -> Vec<Step> {
    let chunks = text.chunks(size);
    let chunks = chunks.map(|chunk| data(chunk.to_vec()));
    chunks.chain(more).collect()
}

/// A JSON document of exactly `length` bytes.
fn document(length: usize) -> Vec<u8> {
    let mut document = br#"{"accessToken":"T"}"#.to_vec();
    document.resize(length, b' ');
    document
}

fn search(content_type: &str) -> BodySearch {
    let request = Request::post("/").header("content-type", content_type);
    let (parts, ()) = request.body(()).unwrap().into_parts();
    TokenSources::default().body_search(&parts).unwrap()
}

fn described(found: BodyLookup<'_>) -> String {
    match found {
        Ok(Ok(token)) => token.map_or_else(|| "none".into(), Cow::into_owned),
        Ok(Err(reason)) => format!("rejected: {reason}"),
        Err(reason) => reason.to_string(),
    }
}

/// Everything that a handler can see of a body: data, trailers and error.
async fn seen<B>(mut body: B) -> (Vec<u8>, Option<HeaderMap>, Option<String>)
where
    B: Body<Data = Bytes, Error: std::fmt::Display> + Unpin,
{
    let (mut bytes, mut trailers) = (Vec::new(), None);
    let exact = body.size_hint().exact();
    loop {
        let ended = body.is_end_stream();
        let left = body.size_hint().exact();
        assert_eq!(left, exact.map(|all| all - bytes.len() as u64));
        let Some(frame) = body.frame().await else {
            assert!(ended || exact.is_none(), "a known end is reported");
            return (bytes, trailers, None);
        };
        assert!(!ended, "nothing follows the end");
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => bytes.extend_from_slice(&data),
            Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
            Err(error) => return (bytes, trailers, Some(error.to_string())),
        }
    }
}

/// Bodies, and what the search finds in them: a token, or the reason why there is none.
fn bodies() -> Vec<(&'static str, Vec<Step>, &'static str)> {
    let form = b"accessToken=T";
    let (full, over) = (document(LIMIT), document(LIMIT + 1));
    let large: Vec<u8> = (0..3 * LIMIT).map(|i| i as u8).collect();
    let number = data(r#"{"accessToken":5}"#);
    let (open, close) = (data("{"), data("}"));
    let late = vec![open.clone(), Wait(60), close.clone(), Trailers];
    let drips = [data(" "), Wait(3)].into_iter().cycle();
    vec![
        (JSON, vec![], "none"),
        (JSON, vec![data(""), Trailers], "none"),
        (JSON, vec![data(full.clone())], "T"),
        (JSON, chunks(&full, 1, []), "T"),
        (JSON, vec![number], "rejected: malformed"),
        (JSON, vec![open.clone()], "malformed"),
        (JSON, vec![data(over.clone())], "too_large"),
        (JSON, chunks(&over, 1, []), "too_large"),
        (FORM, chunks(form, 5, [data(""), data("")]), "T"),
        (FORM, chunks(form, 5, [Trailers]), "T"),
        (FORM, chunks(form, 5, [Broken]), "read_failed"),
        (FORM, vec![Broken], "read_failed"),
        (FORM, chunks(&large, 100, [Trailers]), "too_large"),
        (FORM, chunks(&large, 100, [Broken]), "too_large"),
        (JSON, vec![open, Wait(9), close], "none"),
        (JSON, late, "timed_out"),
        (JSON, drips.take(39).collect(), "timed_out"),
    ]
}

const LIMITS: ReadLimits = ReadLimits {
    bytes: LIMIT,
    deadline: Duration::from_secs(10),
};

/// Checks each body in the type that `make` returns. The handler gets it as it was sent, also
/// behind a second layer, which reads the restored body.
async fn check_bodies<B>(make: fn(Script) -> B)
where
    B: ReplayBody + Body<Data = Bytes, Error: std::fmt::Display>,
{
    for (content_type, steps, expected) in bodies() {
        for declared in [false, true] {
            let script = || Script {
                steps: steps.iter().cloned().collect(),
                declared,
                ..Script::default()
            };
            let start = Instant::now();
            let (body, found) = ReadBody::new(make(script()), search(content_type), LIMITS).await;
            let took = start.elapsed();
            assert_eq!(described(found), expected, "{steps:?}");
            assert!(expected != "timed_out" || took == LIMITS.deadline);
            let (body, found) = ReadBody::new(body, search(content_type), LIMITS).await;
            assert_eq!(described(found), expected, "{steps:?}");
            // A restored body may be restored again without having been read.
            let body = B::replay(SessionBody::new(body));
            assert_eq!(seen(body).await, seen(make(script())).await, "{steps:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_are_searched_and_arrive_unchanged() {
    check_bodies(SessionBody::new).await;
    check_bodies(|script| SessionBody::new(SessionBody::new(script))).await;
    check_bodies(BoxBody::new).await;
    check_bodies(UnsyncBoxBody::new).await;
    #[cfg(feature = "axum")]
    check_bodies(axum_core::body::Body::new).await;
}

#[tokio::test]
async fn empty_frames_without_end_meet_the_deadline() {
    let limits = ReadLimits {
        deadline: Duration::from_millis(20),
        ..LIMITS
    };
    let frames = stream::repeat_with(|| Ok::<_, Infallible>(Frame::data(Bytes::new())));
    let body = UnsyncBoxBody::new(StreamBody::new(frames));
    let (_, found) = ReadBody::new(body, search(JSON), limits).await;
    assert_eq!(described(found), "timed_out");
}

#[tokio::test]
async fn a_body_declared_too_large_is_not_read() {
    let body = SessionBody::new(Script {
        steps: chunks(&document(LIMIT + 1), 100, []).into(),
        declared: true,
        ..Script::default()
    });
    let (body, found) = ReadBody::new(body, search(JSON), LIMITS).await;
    assert_eq!(described(found), "too_large");
    assert!(body.frames.is_empty());
}

#[tokio::test]
async fn single_chunk_is_not_copied() {
    let chunk = Bytes::from(document(LIMIT));
    let body = SessionBody::new(Script {
        steps: [data(""), data(chunk.clone()), data("")].into(),
        ..Script::default()
    });
    let (mut body, _) = ReadBody::new(body, search(JSON), LIMITS).await;
    let read = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(read.as_ptr(), chunk.as_ptr());
}

#[tokio::test]
async fn debug_does_not_reveal_what_was_read() {
    let body = SessionBody::new(Full::new(Bytes::from(document(LIMIT))));
    let (body, _) = ReadBody::new(body, search(JSON), LIMITS).await;
    assert_eq!(format!("{body:?}"), "SessionBody { replayed: 256, .. }");
}
