use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::script::{Script, Step, trailers};
use super::{ReadBody, ReadLimits};
use crate::middleware::body::{ReadPart, SessionBody};
use crate::source::{BodySearch, BodySearchError, TokenSources};
use crate::token::Token;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

const LIMIT: usize = 256;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn search(content_type: &str) -> BodySearch {
    let request = Request::post("/").header("content-type", content_type);
    let (parts, ()) = request.body(()).unwrap().into_parts();
    TokenSources::default().body_search(&parts).unwrap()
}

type Found = Result<Option<String>, BodySearchError>;

fn unsearched(reason: UnsearchedBody) -> Found {
    Err(reason.into())
}

async fn read(content_type: &str, body: Script) -> (SessionBody<Script>, Found) {
    let limits = ReadLimits {
        bytes: LIMIT,
        ..ReadLimits::default()
    };
    let (body, found) = ReadBody::new(body, search(content_type), limits).await;
    (body, found.map(|token| token.map(Token::into_string)))
}

/// Everything a handler can see of a body.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    error: Option<&'static str>,
}

async fn seen<B: Body<Data = Bytes, Error = &'static str> + Unpin>(mut body: B) -> Seen {
    let mut seen = Seen::default();
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => seen.data.extend_from_slice(&data),
            Ok(Err(frame)) => seen.trailers = frame.into_trailers().ok(),
            Err(error) => {
                seen.error = Some(error);
                break;
            }
        }
    }
    seen
}

fn data(text: impl Into<Vec<u8>>) -> Step {
    Step::Data(text.into())
}

fn single_bytes(text: &[u8]) -> Vec<Step> {
    text.iter().map(|byte| data([*byte])).collect()
}

/// A JSON document of exactly `length` bytes.
fn document(length: usize) -> Vec<u8> {
    let mut document = br#"{"accessToken":"T"}"#.to_vec();
    document.resize(length, b' ');
    document
}

async fn check(content_type: &str, table: Vec<(Vec<Step>, Found)>) {
    for (steps, expected) in table {
        for body in [
            Script::of(steps.clone()),
            Script::of(steps.clone()).declared(),
        ] {
            let (_, found) = read(content_type, body).await;
            assert_eq!(found, expected, "{content_type} {steps:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r18_json_bodies() {
    let table = vec![
        (vec![], Ok(None)),
        (vec![data("")], Ok(None)),
        (vec![data("{}")], Ok(None)),
        (vec![data("[1]")], Ok(None)),
        (vec![data(r#"{"accessToken":"T"}"#)], Ok(Some("T".into()))),
        (
            single_bytes(br#"{"accessToken":"T"}"#),
            Ok(Some("T".into())),
        ),
        (vec![data(r#"{"accessToken":""}"#)], Ok(None)),
        (
            vec![data(r#"{"accessToken":5}"#)],
            Err(TokenRejection::Malformed.into()),
        ),
        (vec![data("{")], unsearched(UnsearchedBody::Malformed)),
        (
            vec![data("accessToken=T")],
            unsearched(UnsearchedBody::Malformed),
        ),
        (vec![data(document(LIMIT))], Ok(Some("T".into()))),
        (
            vec![data(document(LIMIT + 1))],
            unsearched(UnsearchedBody::TooLarge),
        ),
    ];
    check(JSON, table).await;
}

#[tokio::test(start_paused = true)]
async fn r18_form_bodies() {
    let table = vec![
        (vec![data("a=1&accessToken=T")], Ok(Some("T".into()))),
        (
            vec![data("access"), data(""), data("Token=T")],
            Ok(Some("T".into())),
        ),
        (
            vec![data("accessToken=a&accessToken=b")],
            Err(TokenRejection::Ambiguous.into()),
        ),
        (vec![data("{}")], Ok(None)),
        (
            vec![data("accessToken=T"), Step::Trailers],
            Ok(Some("T".into())),
        ),
        (
            vec![data("accessToken=T"), Step::Broken],
            unsearched(UnsearchedBody::ReadFailed),
        ),
    ];
    check(FORM, table).await;
}

#[tokio::test(start_paused = true)]
async fn r18_the_handler_gets_the_same_bytes_in_every_case() {
    let second = Duration::from_secs(1);
    let mut bodies = vec![vec![data("{"), Step::Wait(second), data("}")]];
    bodies.push(vec![
        data("{"),
        Step::Wait(60 * second),
        data("}"),
        Step::Trailers,
    ]);
    for length in [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 3 * LIMIT] {
        let text: Vec<u8> = (0..length).map(|i| i as u8).collect();
        bodies.push(vec![data(text.clone())]);
        bodies.push(single_bytes(&text));
        bodies.push(text.chunks(100).map(data).chain([Step::Trailers]).collect());
        bodies.push(text.chunks(100).map(data).chain([Step::Broken]).collect());
        bodies.push(vec![
            data(document(length.max(19))),
            data(""),
            Step::Trailers,
        ]);
    }
    for steps in bodies {
        for content_type in [JSON, FORM] {
            let before = seen(Script::of(steps.clone())).await;
            let (body, found) = read(content_type, Script::of(steps.clone())).await;
            assert_eq!(
                seen(body).await,
                before,
                "{content_type} {found:?} {steps:?}"
            );

            let script = Script::of(steps.clone()).declared();
            let hint = script.size_hint().exact();
            let (body, found) = read(content_type, script).await;
            assert_eq!(body.size_hint().exact(), hint, "{found:?}");
            assert_eq!(
                seen(body).await,
                before,
                "{content_type} {found:?} {steps:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r18_the_end_is_known_when_it_is_reached() {
    for steps in [
        vec![],
        vec![data("{}")],
        vec![data("{}"), Step::Trailers],
        single_bytes(&document(LIMIT + 9)),
    ] {
        let (mut body, _) = read(JSON, Script::of(steps.clone()).declared()).await;
        let mut left = steps.len().min(1);
        while !body.is_end_stream() {
            let hint = body.size_hint().exact().unwrap();
            let frame = body.frame().await.expect("not the end yet").unwrap();
            let taken = frame.data_ref().map_or(0, Bytes::len) as u64;
            assert_eq!(body.size_hint().exact(), Some(hint - taken));
            left = 0;
        }
        assert_eq!(left, 0, "{steps:?}");
        assert!(body.frame().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn r18_an_error_to_come_is_not_the_end() {
    for steps in [vec![Step::Broken], vec![data("{}"), Step::Broken]] {
        let (mut body, _) = read(JSON, Script::of(steps.clone()).declared()).await;
        for _ in 1..steps.len() {
            assert!(body.frame().await.unwrap().is_ok());
        }
        assert!(!body.is_end_stream(), "{steps:?}");
        assert_eq!(body.frame().await.unwrap().unwrap_err(), "broken");
        assert!(body.is_end_stream());
    }
}

#[tokio::test(start_paused = true)]
async fn r18_a_declared_length_above_the_limit_is_not_read() {
    let script = Script::of([data(document(LIMIT + 1))]).declared();
    let (body, found) = read(JSON, script).await;
    assert_eq!(found, unsearched(UnsearchedBody::TooLarge));
    assert!(format!("{body:?}").contains("replayed: 0"));
    assert_eq!(seen(body).await.data, document(LIMIT + 1));
}

#[tokio::test(start_paused = true)]
async fn r18_slow_bodies_end_at_the_deadline() {
    let start = Instant::now();
    let (_, found) = read(JSON, Script::of([data("{"), Step::Stall])).await;
    assert_eq!(found, unsearched(UnsearchedBody::TimedOut));
    assert_eq!(
        start.elapsed().as_secs(),
        ReadLimits::default().deadline.as_secs()
    );

    let drip = [data(" "), Step::Wait(Duration::from_secs(3))];
    let drips = drip.iter().cycle().take(40).cloned();
    let (_, found) = read(JSON, Script::of(drips)).await;
    assert_eq!(found, unsearched(UnsearchedBody::TimedOut));

    let punctual = [data("{"), Step::Wait(Duration::from_secs(9)), data("}")];
    let (_, found) = read(JSON, Script::of(punctual)).await;
    assert_eq!(found, Ok(None));
}

/// Is always ready, and never gets anywhere.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
    }
}

#[tokio::test]
async fn r18_empty_frames_without_end_meet_the_deadline() {
    let limits = ReadLimits {
        deadline: Duration::from_millis(20),
        ..ReadLimits::default()
    };
    let (_, found) = ReadBody::new(Endless, search(JSON), limits).await;
    assert_eq!(found, Err(UnsearchedBody::TimedOut.into()));
}

#[test]
fn r18_bounds_are_no_stricter_than_needed() {
    fn is_body<B: Body<Data = Bytes>>() {}
    fn is_send<T: Send + Unpin>() {}
    type Local = http_body_util::StreamBody<
        futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, std::rc::Rc<()>>>>,
    >;
    is_body::<SessionBody<Local>>();
    is_body::<SessionBody<SessionBody<Local>>>();
    is_send::<SessionBody<axum::body::Body>>();
    is_send::<SessionBody<hyper::body::Incoming>>();
}

#[tokio::test]
async fn r18_an_untouched_body_is_the_body() {
    let script = Script::of([data("abc"), Step::Trailers]).declared();
    let body = SessionBody::new(script);
    assert_eq!(body.size_hint().exact(), Some(3));
    assert!(!body.is_end_stream());
    let whole = seen(body).await;
    assert_eq!(whole.data, b"abc");
    assert_eq!(whole.trailers, Some(trailers()));
    assert!(SessionBody::new(Script::default().declared()).is_end_stream());
}

#[test]
fn r18_debug_does_not_tell_what_is_replayed() {
    let read = ReadPart {
        data: Bytes::from_static(b"SECRET"),
        last: None,
        error: None,
        ended: true,
    };
    let body = SessionBody::replay(read, Script::default());
    let found = format!("{body:?}");
    assert!(!found.contains("SECRET"), "{found}");
}
