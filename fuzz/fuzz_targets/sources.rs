//! Requests of every form through the layer: none panics, the inner service is always called, and
//! no token is left in the URI it sees.
#![no_main]

use std::convert::Infallible;

use arbitrary::Arbitrary;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use jwt_redis_session::{JwtRedisSession, Session, SessionState, TokenSource, TokenSources};
use jwt_redis_session_fuzz::{Fixture, NAME, with_fixture};
use libfuzzer_sys::fuzz_target;
use tower::{ServiceBuilder, ServiceExt as _};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: &'a str,
    uri: Address<'a>,
    headers: Vec<(Name<'a>, &'a str)>,
    strict: bool,
    cookie: bool,
}

#[derive(Arbitrary, Debug)]
enum Address<'a> {
    Whole(&'a str),
    Pairs(Vec<(Option<&'a str>, &'a str)>),
}

#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Known(u8),
    Other(&'a str),
}

fuzz_target!(|input: Input<'_>| with_fixture(|fixture| check(fixture, &input)));

fn check(fixture: &Fixture, input: &Input<'_>) {
    let Some(request) = request(fixture, input) else {
        return;
    };
    let before = request.uri().clone();
    let mut sources = TokenSources::default().strict_single_source(input.strict);
    if input.cookie {
        sources = sources.with(TokenSource::cookie(NAME));
    }
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(fixture.sessions.clone()).sources(sources))
        .service_fn(inner);
    let response = fixture.run(service.oneshot(request)).unwrap();

    let after = response.body();
    let had_token = pairs(&before).any(|(name, _)| name == NAME);
    let others = pairs(&before).filter(|(name, _)| name != NAME);
    assert!(pairs(after).eq(others), "{before} became {after}");
    assert_eq!(before.path(), after.path());
    assert_eq!(before.authority(), after.authority());
    assert_eq!(
        response.headers().contains_key("referrer-policy"),
        had_token,
        "{before}"
    );
    assert!(had_token || before == *after);
}

async fn inner(request: Request<Full<Bytes>>) -> Result<Response<Uri>, Infallible> {
    let session = request
        .extensions()
        .get::<Session>()
        .expect("always attached");
    let user = session.get::<String>("user").unwrap();
    assert_eq!(user.is_some(), session.state() == SessionState::Active);
    Ok(Response::new(request.uri().clone()))
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned()
}

fn request(fixture: &Fixture, input: &Input<'_>) -> Option<Request<Full<Bytes>>> {
    let uri = match &input.uri {
        Address::Whole(text) => (*text).to_owned(),
        Address::Pairs(pairs) => {
            let pairs = pairs.iter();
            let pairs = pairs.map(|(name, value)| format!("{}={value}", name.unwrap_or(NAME)));
            format!("/a?{}", pairs.collect::<Vec<_>>().join("&"))
        }
    };
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::from_bytes(input.method.as_bytes()).unwrap_or(Method::POST);
    *request.uri_mut() = fixture.with_token(&uri).parse().ok()?;
    for (name, value) in &input.headers {
        let known = [
            "x-access-token",
            "authorization",
            "cookie",
            "content-type",
            "upgrade",
        ];
        let name = match name {
            Name::Known(index) => known[usize::from(*index) % known.len()],
            Name::Other(name) => name,
        };
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(fixture.with_token(value).as_bytes()).ok()?;
        request.headers_mut().append(name, value);
    }
    Some(request)
}
