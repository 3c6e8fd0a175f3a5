//! An HTTP server in front of the emulator: records the actions of requests, and fails on demand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use tokio::net::TcpListener;

/// What happens to a request instead of its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is not applied and answered with this status and error code.
    Error(u16, &'static str),
    /// It is applied and answered with this status and error code.
    ErrorAfter(u16, &'static str),
    /// It is applied and never answered.
    LoseAnswer,
    /// It is not applied and answered with these bytes.
    Answer(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Front {
    pub(crate) url: String,
    target: String,
    client: reqwest::Client,
    state: Arc<Mutex<Recorded>>,
}

#[derive(Debug, Default)]
struct Recorded {
    faults: VecDeque<Fault>,
    actions: BTreeMap<String, usize>,
    /// Answers other actions as IAM does.
    allowed: Option<BTreeSet<String>>,
}

impl Front {
    pub(crate) async fn of(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let front = Self {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            target,
            client: reqwest::Client::new(),
            state: Arc::default(),
        };
        let router = Router::new().fallback(handle).with_state(front.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        front
    }

    /// Applies the faults to the next requests, one each.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().faults = faults.into_iter().collect();
    }

    pub(crate) fn allow_only(&self, actions: impl Iterator<Item = String>) {
        self.state.lock().unwrap().allowed = Some(actions.collect());
    }

    /// Returns the number of requests by action since the last call.
    pub(crate) fn actions(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.state.lock().unwrap().actions)
    }

    fn next_fault(&self, action: &str) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        *state.actions.entry(action.to_owned()).or_default() += 1;
        let allowed = state.allowed.as_ref();
        if !allowed.is_none_or(|allowed| allowed.contains(action)) {
            return Some(Fault::Error(400, "AccessDeniedException"));
        }
        state.faults.pop_front()
    }

    async fn forward(&self, mut headers: HeaderMap, body: Bytes) -> Response<Body> {
        headers.remove("host");
        let request = self.client.post(&self.target).headers(headers).body(body);
        let answer = request.send().await.expect("an answer");
        let mut response = Response::builder().status(answer.status());
        for name in ["content-type", "x-amz-crc32"] {
            if let Some(value) = answer.headers().get(name) {
                response = response.header(name, value);
            }
        }
        let body = answer.bytes().await.expect("a body");
        response.body(body.into()).expect("a response")
    }
}

async fn handle(State(front): State<Front>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = headers["x-amz-target"].to_str().expect("a name").to_owned();
    let (_, action) = target.split_once('.').expect("an action");
    match front.next_fault(action) {
        None => front.forward(headers, body).await,
        Some(Fault::Error(status, code)) => error(status, code),
        Some(Fault::ErrorAfter(status, code)) => {
            front.forward(headers, body).await;
            error(status, code)
        }
        Some(Fault::LoseAnswer) => {
            front.forward(headers, body).await;
            pending().await
        }
        Some(Fault::Answer(body)) => Response::new(body.into()),
    }
}

fn error(status: u16, code: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    if !code.is_empty() {
        let json = serde_json::json!({
            "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
            "message": "a message with a secret",
        });
        *response.body_mut() = json.to_string().into();
    }
    response
}
