//! Requests of every form through the layer: none panics, the inner service is always called, and
//! no token is left in the URI it sees.
#![no_main]

use std::convert::Infallible;

use arbitrary::Arbitrary;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use jwt_redis_session::{JwtRedisSession, Session, SessionState, TokenSource, TokenSources};
use jwt_redis_session_fuzz::{Fixture, NAME, with_fixture};
use libfuzzer_sys::fuzz_target;
use tower::{ServiceBuilder, ServiceExt as _};

/// `$T` in the URI and in the values stands for the token.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: &'a str,
    uri: &'a str,
    /// Query parameters after the URI; `None` is the name of the token.
    query: Vec<(Option<&'a str>, &'a str)>,
    headers: Vec<(&'a str, &'a str)>,
    strict: bool,
    cookie: bool,
}

fuzz_target!(|input: Input<'_>| with_fixture(|fixture| check(fixture, &input)));

fn check(fixture: &Fixture, input: &Input<'_>) {
    let mut uri = input.uri.to_owned();
    for (index, (name, value)) in input.query.iter().enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        uri += &format!("{separator}{}={value}", name.unwrap_or(NAME));
    }
    let mut request = Request::builder()
        .method(input.method)
        .uri(fixture.with_token(&uri));
    for (name, value) in &input.headers {
        request = request.header(*name, fixture.with_token(value));
    }
    let Ok(request) = request.body(Full::<Bytes>::default()) else {
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
    let has_policy = response.headers().contains_key("referrer-policy");
    assert_eq!(has_policy, had_token, "{before}");
    assert!(had_token || before == *after);
}

async fn inner(request: Request<Full<Bytes>>) -> Result<Response<Uri>, Infallible> {
    let session = request.extensions().get::<Session>();
    let session = session.expect("always attached");
    let user = session.get::<String>("user").unwrap();
    assert_eq!(user.is_some(), session.state() == SessionState::Active);
    Ok(Response::new(request.uri().clone()))
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned()
}
