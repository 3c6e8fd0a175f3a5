//! Bodies of every form through the layer: none panics, and the handler receives the same bytes
//! and the same end.
#![no_main]

use std::convert::Infallible;

use arbitrary::Arbitrary;
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use jwt_redis_session::middleware::SessionBody;
use jwt_redis_session::{JwtRedisSession, Session};
use jwt_redis_session_fuzz::{Fixture, NAME, with_fixture};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tower::{ServiceBuilder, ServiceExt as _};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    content_type: Option<&'a [u8]>,
    content: Content<'a>,
    /// The lengths of the first chunks.
    cuts: Vec<u8>,
    end: End,
    limit: u16,
}

#[derive(Arbitrary, Debug)]
enum Content<'a> {
    Bytes(&'a [u8]),
    Object(&'a str),
    Form(&'a str),
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Plain,
    Trailers,
    Error,
}

fuzz_target!(|input: Input<'_>| with_fixture(|fixture| check(fixture, &input)));

fn check(fixture: &Fixture, input: &Input<'_>) {
    let with_token = |text: String| fixture.with_token(&text).into_bytes();
    let (data, declared) = match input.content {
        Content::Bytes(bytes) => (bytes.to_vec(), "application/json"),
        Content::Object(members) => {
            let data = with_token(format!(r#"{{"{NAME}":"$T"{members}}}"#));
            (data, "application/json; charset=utf-8")
        }
        Content::Form(pairs) => {
            let data = with_token(format!("{NAME}=$T{pairs}"));
            (data, "application/x-www-form-urlencoded")
        }
    };
    let declared = input.content_type.unwrap_or(declared.as_bytes());
    let Ok(content_type) = HeaderValue::from_bytes(declared) else {
        return;
    };
    let body = StreamBody::new(stream::iter(chunks(input, data.clone().into())));
    let request = Request::post("/")
        .header(CONTENT_TYPE, content_type)
        .body(body);
    let limit = usize::from(input.limit);
    let service = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(JwtRedisSession::new(fixture.sessions.clone()).body_limit(limit))
        .service_fn(inner);
    let response = fixture.run(service.oneshot(request.unwrap())).unwrap();
    let (received, end, active) = response.into_body();
    if active {
        assert!(has_token(&data, &fixture.token), "found by no other reader");
        assert!(input.end != End::Error && data.len() <= limit);
    }
    assert_eq!((received, end), (data, input.end));
}

type Chunks = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Broken>>>>;

async fn inner(
    request: Request<SessionBody<Chunks>>,
) -> Result<Response<(Vec<u8>, End, bool)>, Infallible> {
    let active = request.extensions().get::<Session>().unwrap().is_active();
    let mut body = request.into_body();
    let (mut received, mut end) = (Vec::new(), End::Plain);
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => received.extend_from_slice(&data),
            Ok(Err(_)) => end = End::Trailers,
            Err(Broken) => {
                end = End::Error;
                break;
            }
        }
    }
    Ok(Response::new((received, end, active)))
}

/// Returns whether another reader finds the token.
fn has_token(data: &[u8], token: &str) -> bool {
    match serde_json::from_slice::<Map<String, Value>>(data) {
        Ok(object) if object.get(NAME).and_then(Value::as_str) == Some(token) => true,
        // Nested too deep, or a number too large, for that reader.
        Err(_) if data.contains(&b'{') => true,
        _ => form_urlencoded::parse(data).any(|(name, value)| name == NAME && value == token),
    }
}

#[derive(Debug)]
struct Broken;

/// The data in pieces, then trailers or an error.
fn chunks(input: &Input<'_>, mut data: Bytes) -> Vec<Result<Frame<Bytes>, Broken>> {
    let mut frames = Vec::new();
    for &cut in &input.cuts {
        let chunk = data.split_to(usize::from(cut).min(data.len()));
        frames.push(Ok(Frame::data(chunk)));
    }
    frames.push(Ok(Frame::data(data)));
    match input.end {
        End::Plain => {}
        End::Trailers => frames.push(Ok(Frame::trailers(HeaderMap::new()))),
        End::Error => frames.push(Err(Broken)),
    }
    frames
}
