//! Bodies that are searched for a token, and what the handler gets of them.

use std::io;
use std::pin::Pin;

use futures_util::stream;
use http::HeaderMap;
use http_body::Frame;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{Empty, StreamBody};
use jwt_redis_session::middleware::{ReplayBody, SessionBody};

use super::*;

type Frames = Vec<Result<Frame<Bytes>, io::Error>>;

/// The frames of `text` in chunks of `size` bytes, with trailers or an error at the end.
fn frames(text: &str, size: usize, end: &str) -> Frames {
    let chunks = text.as_bytes().chunks(size);
    let mut frames: Frames = chunks
        .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    match end {
        "trailers" => {
            let sum = [("x-sum".parse().unwrap(), "9".parse().unwrap())];
            frames.push(Ok(Frame::trailers(HeaderMap::from_iter(sum))));
        }
        "error" => frames.push(Err(io::Error::other("cut off"))),
        _ => {}
    }
    frames
}

type Stream = StreamBody<
    Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, io::Error>> + Send + Sync>>,
>;

/// A body of these frames, which panics if it is polled after its end.
fn stream(frames: Frames) -> Stream {
    StreamBody::new(Box::pin(stream::unfold(
        frames.into_iter(),
        async |mut frames| Some((frames.next()?, frames)),
    )))
}

/// Returns the data and how the body ended.
async fn drained<B>(mut body: B) -> (String, &'static str)
where
    B: http_body::Body<Data = Bytes, Error: std::fmt::Display> + Unpin,
{
    let (mut data, mut end) = (Vec::new(), "");
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(chunk)) => data.extend_from_slice(&chunk),
            Ok(Err(frame)) if frame.trailers_ref().unwrap()["x-sum"] == "9" => end = "trailers",
            Ok(Err(frame)) => panic!("{frame:?}"),
            Err(error) => {
                assert!(error.to_string().contains("cut off"));
                end = "error";
                break;
            }
        }
    }
    (String::from_utf8(data).unwrap(), end)
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

async fn every_frame_arrives<B>(make: impl Fn(Stream) -> B)
where
    B: ReplayBody + http_body::Body<Data = Bytes, Error: std::fmt::Display>,
{
    let (_, sessions) = sessions();
    let form = format!("a=1&accessToken={}", token(&sessions).await);
    for (size, form) in [(1, &*form), (7, &*form), (1000, &*form), (1, "")] {
        for end in ["", "trailers", "error"] {
            for limit in [4, 30, 64 * 1024] {
                let layer = JwtRedisSession::new(sessions.clone()).body_limit(limit);
                let expected = match (form.len() <= limit, end) {
                    (false, _) => "unsearched: too_large",
                    (true, "error") => "unsearched: read_failed",
                    (true, _) if form.is_empty() => "Absent",
                    (true, _) => "Active",
                };
                let body = make(stream(frames(form, size, end)));
                let (state, body) = through(&layer, body).await;
                assert_eq!(state, expected);
                // A second layer around the first one reads the restored body.
                let (state, body) = through(&layer, body).await;
                assert_eq!(state, expected);
                assert_eq!(drained(body).await, (form.to_owned(), end));
            }
        }
    }
}

#[tokio::test]
async fn data_trailers_and_errors_arrive_in_every_type_of_body() {
    every_frame_arrives(BoxBody::new).await;
    every_frame_arrives(UnsyncBoxBody::new).await;
    every_frame_arrives(SessionBody::new).await;
    every_frame_arrives(|body| SessionBody::new(SessionBody::new(body))).await;
    #[cfg(feature = "axum")]
    every_frame_arrives(axum::body::Body::new).await;
}

#[tokio::test]
async fn full_and_empty_bodies() {
    let (_, sessions) = sessions();
    let form = format!("accessToken={}", token(&sessions).await);
    for (limit, expected) in [(1000, "Active"), (3, "unsearched: too_large")] {
        let layer = JwtRedisSession::new(sessions.clone()).body_limit(limit);
        let (state, body) = through(&layer, Full::new(Bytes::from(form.clone()))).await;
        assert_eq!((&*state, text(body).await), (expected, form.clone()));
        let (state, _) = through(&layer, Empty::<Bytes>::new()).await;
        assert_eq!(state, "Absent");
    }
}

/// axum looks for the limit in an error and its source, so the layer must not wrap errors.
#[cfg(feature = "axum")]
#[tokio::test]
async fn an_outer_length_limit_is_still_413() {
    let (_, sessions) = sessions();
    let app = axum::Router::new()
        .route("/", axum::routing::post(async |body: String| body))
        .layer(JwtRedisSession::new(sessions))
        .layer(tower_http::limit::RequestBodyLimitLayer::new(10));
    let body = stream(frames("a=1&b=2&c=3&d=4&e=5", 7, ""));
    let request = Request::post("/").header("content-type", FORM);
    let request = request.body(axum::body::Body::new(body)).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), 413);
}
