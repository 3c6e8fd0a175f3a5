//! Bodies of every form through the layer: none panics, and the handler gets what came in, byte
//! for byte, with its trailers or its error.
#![no_main]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use arbitrary::Arbitrary;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use jwt_redis_session::middleware::SessionBody;
use jwt_redis_session::{JwtRedisSession, Session};
use jwt_redis_session_fuzz::World;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tower::{ServiceBuilder, ServiceExt as _};

const NAME: &str = "accessToken";

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    media: Media<'a>,
    /// The body is cut after as many bytes; zero also waits once.
    cuts: Vec<u8>,
    end: End,
    limit: Option<u16>,
    exact: bool,
    body: Text<'a>,
}

#[derive(Arbitrary, Debug)]
enum Media<'a> {
    Json,
    Form,
    Other(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Text<'a> {
    Bytes(&'a [u8]),
    Object(&'a str),
    Pairs(&'a str),
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Plain,
    Trailers,
    Error,
}

thread_local! {
    static WORLD: World = World::new();
}

fuzz_target!(|input: Input<'_>| WORLD.with(|world| check(world, &input)));

/// What a handler sees.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    data: Vec<u8>,
    end: End,
}

fn check(world: &World, input: &Input<'_>) {
    let data = match input.body {
        Text::Bytes(bytes) => world.bytes_with_token(bytes),
        Text::Object(text) => world
            .with_token(&format!(r#"{{"{NAME}":"$T"{text}}}"#))
            .into_bytes(),
        Text::Pairs(text) => world.with_token(&format!("{NAME}=$T{text}")).into_bytes(),
    };
    let Some(request) = request(input, data.clone()) else {
        return;
    };
    let layer = JwtRedisSession::new(world.sessions.clone());
    let layer = match input.limit {
        Some(limit) => layer.body_limit(limit.into()),
        None => layer,
    };
    let service = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(layer)
        .service_fn(inner);
    let (seen, active) = world.run(service.oneshot(request)).unwrap().into_body();
    if active {
        assert!(
            holds(input, &data, &world.token),
            "a session came from nowhere"
        );
        assert_ne!(input.end, End::Error);
        assert!(data.len() <= input.limit.map_or(64 * 1024, usize::from));
    }
    assert_eq!(
        seen,
        Seen {
            data,
            end: input.end
        }
    );
}

async fn inner(
    request: Request<SessionBody<Script>>,
) -> Result<Response<(Seen, bool)>, Infallible> {
    let active = request.extensions().get::<Session>().unwrap().is_active();
    let mut body = request.into_body();
    let mut seen = Seen {
        data: Vec::new(),
        end: End::Plain,
    };
    let mut hint = body.size_hint();
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => {
                assert!(hint.upper().is_none_or(|upper| upper >= data.len() as u64));
                seen.data.extend_from_slice(&data);
            }
            Ok(Err(_)) => seen.end = End::Trailers,
            Err(Broken) => {
                seen.end = End::Error;
                break;
            }
        }
        hint = body.size_hint();
    }
    Ok(Response::new((seen, active)))
}

/// Whether another reader finds the token in the body too.
fn holds(input: &Input<'_>, data: &[u8], token: &str) -> bool {
    let in_form = form_urlencoded::parse(data).any(|(name, value)| name == NAME && value == token);
    match serde_json::from_slice::<Map<String, Value>>(data) {
        Ok(object) if object.get(NAME).and_then(Value::as_str) == Some(token) => true,
        // Nested too deep, or a number too large, for that reader.
        Err(_) if !matches!(input.media, Media::Form) => data.contains(&b'{'),
        _ => in_form,
    }
}

fn request(input: &Input<'_>, data: Vec<u8>) -> Option<Request<Script>> {
    let media = match input.media {
        Media::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        Media::Form => HeaderValue::from_static("application/x-www-form-urlencoded"),
        Media::Other(bytes) => HeaderValue::from_bytes(bytes).ok()?,
    };
    let body = Script::new(input, data.into());
    let request = Request::post("/").header(CONTENT_TYPE, media).body(body);
    Some(request.unwrap())
}

#[derive(Debug)]
struct Broken;

enum Step {
    Wait,
    Data(Bytes),
    End(End),
}

/// A body that comes in pieces, and as it likes.
struct Script {
    steps: VecDeque<Step>,
    exact: bool,
}

impl Script {
    fn new(input: &Input<'_>, mut data: Bytes) -> Self {
        let mut steps = VecDeque::new();
        for &cut in &input.cuts {
            let cut = usize::from(cut).min(data.len());
            if cut == 0 {
                steps.push_back(Step::Wait);
            }
            steps.push_back(Step::Data(data.split_to(cut)));
        }
        steps.push_back(Step::Data(data));
        if input.end != End::Plain {
            steps.push_back(Step::End(input.end));
        }
        let exact = input.exact && input.end == End::Plain;
        Self { steps, exact }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Step::End(End::Error)) => Some(Err(Broken)),
            Some(Step::End(_)) => Some(Ok(Frame::trailers(HeaderMap::new()))),
            Some(Step::Wait) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let data = self.steps.iter().map(|step| match step {
            Step::Data(data) => data.len() as u64,
            Step::Wait | Step::End(_) => 0,
        });
        if self.exact {
            SizeHint::with_exact(data.sum())
        } else {
            SizeHint::default()
        }
    }
}
