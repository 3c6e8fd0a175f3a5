//! Requests of every form through the layer: none panics, no token is left in the URI that the
//! handler sees, and it receives the same body and the same end.
#![no_main]

use std::convert::Infallible;

use arbitrary::Arbitrary;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request, Response, Uri};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use jwt_redis_session::middleware::SessionBody;
use jwt_redis_session::{JwtRedisSession, Session, TokenSource, TokenSources};
use jwt_redis_session_fuzz::{Fixture, NAME, with_fixture};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tower::{ServiceBuilder, ServiceExt as _};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json; charset=utf-8";

/// `$T` is replaced by the token.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: &'a str,
    uri: &'a str,
    /// Query parameters after the URI; `None` is the name of the token.
    query: Vec<(Option<&'a str>, &'a str)>,
    headers: Vec<(&'a str, &'a str)>,
    content_type: Option<&'a str>,
    content: Content<'a>,
    /// The lengths of the first chunks.
    cuts: Vec<u8>,
    end: End,
    limit: u16,
    strict: bool,
    cookie: bool,
    scheme: bool,
    websocket: bool,
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

/// What the handler sees: the URI, the body and its end, and whether there is a session.
type Seen = (Uri, Vec<u8>, End, bool);

fuzz_target!(|input: Input<'_>| with_fixture(|fixture| check(fixture, &input)));

fn check(fixture: &Fixture, input: &Input<'_>) {
    let (data, content_type) = content(fixture, input);
    let mut uri = input.uri.to_owned();
    for (index, (name, value)) in input.query.iter().enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        uri += &format!("{separator}{}={value}", name.unwrap_or(NAME));
    }
    let mut request = Request::builder()
        .method(input.method)
        .uri(fixture.with_token(&uri))
        .header("content-type", content_type);
    for (name, value) in &input.headers {
        request = request.header(*name, fixture.with_token(value));
    }
    let body = StreamBody::new(stream::iter(chunks(input, data.clone().into())));
    let Ok(request) = request.body(body) else {
        return;
    };
    let before = request.uri().clone();
    let limit = usize::from(input.limit);
    let mut sources = TokenSources::default().strict_single_source(input.strict);
    if input.cookie {
        sources = sources.with(TokenSource::cookie(NAME));
    }
    if input.scheme {
        sources = sources.with(TokenSource::authorization("Token"));
    }
    if input.websocket {
        sources = sources.with(TokenSource::WebSocketProtocol);
    }
    let layer = JwtRedisSession::new(fixture.sessions.clone()).sources(sources);
    let service = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(layer.body_limit(limit))
        .service_fn(inner);
    let response = fixture.run(service.oneshot(request)).unwrap();

    let has_policy = response.headers().contains_key("referrer-policy");
    let (after, received, end, is_active) = response.into_body();
    let had_token = pairs(&before).any(|(name, _)| name == NAME);
    let others = pairs(&before).filter(|(name, _)| name != NAME);
    assert!(pairs(&after).eq(others), "{before} became {after}");
    assert_eq!(before.path(), after.path());
    assert_eq!(before.authority(), after.authority());
    assert_eq!(has_policy, had_token, "{before}");
    assert!(had_token || before == after);
    let mut values = input.headers.iter().map(|(_, value)| *value);
    if is_active && !uri.contains("$T") && !values.any(|value| value.contains("$T")) {
        assert!(has_token(&data, &fixture.token), "found by no other reader");
        assert!(input.end != End::Error && data.len() <= limit);
    }
    assert_eq!((received, end), (data, input.end));
}

fn content<'a>(fixture: &Fixture, input: &Input<'a>) -> (Vec<u8>, &'a str) {
    let (text, content_type) = match input.content {
        Content::Bytes(bytes) => return (bytes.to_vec(), input.content_type.unwrap_or(JSON)),
        Content::Object(members) => (format!(r#"{{"{NAME}":"$T"{members}}}"#), JSON),
        Content::Form(pairs) => (format!("{NAME}=$T{pairs}"), FORM),
    };
    let content_type = input.content_type.unwrap_or(content_type);
    (fixture.with_token(&text).into_bytes(), content_type)
}

type Chunks = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Broken>>>>;

async fn inner(request: Request<SessionBody<Chunks>>) -> Result<Response<Seen>, Infallible> {
    let session = request.extensions().get::<Session>();
    let is_active = session.expect("always attached").is_active();
    let user = session.and_then(|session| session.get::<String>("user").unwrap());
    assert_eq!(user.is_some(), is_active);
    let uri = request.uri().clone();
    let mut body = request.into_body();
    let (mut data, mut end) = (Vec::new(), End::Plain);
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(chunk)) => data.extend_from_slice(&chunk),
            Ok(Err(_)) => end = End::Trailers,
            Err(Broken) => {
                end = End::Error;
                break;
            }
        }
    }
    Ok(Response::new((uri, data, end, is_active)))
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned()
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
