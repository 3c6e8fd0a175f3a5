//! Requests of every form through the layer: none panics, the inner service is always called, and
//! no token is left in the address it sees.
#![no_main]

use std::convert::Infallible;

use arbitrary::Arbitrary;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use jwt_redis_session::{JwtRedisSession, Session, SessionState, TokenSource, TokenSources};
use jwt_redis_session_fuzz::World;
use libfuzzer_sys::fuzz_target;
use tower::{ServiceBuilder, ServiceExt};

const NAME: &str = "accessToken";

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    method: &'a str,
    address: Address<'a>,
    headers: Vec<(Name<'a>, &'a str)>,
    strict: bool,
    cookie: bool,
}

#[derive(Arbitrary, Debug)]
enum Address<'a> {
    Whole(&'a str),
    Query(&'a str),
    Pairs(Vec<(Option<&'a str>, &'a str)>),
}

#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Token,
    Authorization,
    Cookie,
    ContentType,
    Upgrade,
    Other(&'a str),
}

thread_local! {
    static WORLD: World = World::new();
}

fuzz_target!(|input: Input<'_>| WORLD.with(|world| check(world, &input)));

fn check(world: &World, input: &Input<'_>) {
    let Some(request) = request(world, input) else {
        return;
    };
    let before = request.uri().clone();
    let mut sources = TokenSources::default().strict_single_source(input.strict);
    if input.cookie {
        sources = sources.with(TokenSource::cookie(NAME));
    }
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(world.sessions.clone()).sources(sources))
        .service_fn(inner);
    let response = world.run(service.oneshot(request)).unwrap();
    compare(&before, response.body(), response.headers());
}

async fn inner(request: Request<Full<Bytes>>) -> Result<Response<Uri>, Infallible> {
    let session: &Session = request
        .extensions()
        .get()
        .expect("there always is a handle");
    let user = session.get::<String>("user").unwrap();
    assert_eq!(user.is_some(), session.state() == SessionState::Active);
    Ok(Response::new(request.uri().clone()))
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    let query = uri.query().unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).into_owned().collect()
}

fn compare(before: &Uri, after: &Uri, headers: &http::HeaderMap) {
    let (ours, others): (Vec<_>, Vec<_>) = pairs(before)
        .into_iter()
        .partition(|(name, _)| name == NAME);
    assert_eq!(pairs(after), others, "{before} became {after}");
    assert_eq!(before.path(), after.path());
    assert_eq!(before.authority(), after.authority());
    assert_eq!(
        headers.contains_key("referrer-policy"),
        !ours.is_empty(),
        "{before}"
    );
    if ours.is_empty() {
        assert_eq!(before, after);
    }
}

fn request(world: &World, input: &Input<'_>) -> Option<Request<Full<Bytes>>> {
    let address = match &input.address {
        Address::Whole(text) => world.with_token(text),
        Address::Query(text) => format!("/a?{}", world.with_token(text)),
        Address::Pairs(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| {
                format!("{}={}", name.unwrap_or(NAME), world.with_token(value))
            });
            format!("/a?{}", pairs.collect::<Vec<_>>().join("&"))
        }
    };
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::from_bytes(input.method.as_bytes()).unwrap_or(Method::POST);
    *request.uri_mut() = address.parse().ok()?;
    for (name, value) in &input.headers {
        let name = match name {
            Name::Token => HeaderName::from_static("x-access-token"),
            Name::Authorization => http::header::AUTHORIZATION,
            Name::Cookie => http::header::COOKIE,
            Name::ContentType => http::header::CONTENT_TYPE,
            Name::Upgrade => http::header::UPGRADE,
            Name::Other(name) => HeaderName::from_bytes(name.as_bytes()).ok()?,
        };
        let value = HeaderValue::from_bytes(world.with_token(value).as_bytes()).ok()?;
        request.headers_mut().append(name, value);
    }
    Some(request)
}
