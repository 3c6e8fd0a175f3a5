//! A small application, and calls to it over HTTP.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use http::{Request, Response};
use jwt_redis_session::{ActiveSession, JwtRedisSession, Session, SessionError, Sessions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::http_client::call;

type Answer = Result<String, SessionError>;

async fn login(Path(owner): Path<String>, session: Session) -> Answer {
    session.insert("a", 1)?;
    session.set_owner(owner)?;
    Ok(session.create().await?.into_string())
}

/// Answers every request with the state of its session.
async fn state(session: Session) -> Answer {
    Ok(format!("{:?}", session.state()))
}

async fn read(session: ActiveSession) -> Answer {
    Ok(session.to_json().to_string())
}

async fn update(Path(number): Path<u32>, session: ActiveSession) -> Answer {
    session.insert("x", number)?;
    session.update().await?;
    Ok(session.to_json().to_string())
}

async fn rotate(session: ActiveSession) -> Answer {
    Ok(session.rotate().await?.into_string())
}

async fn logout(session: ActiveSession) -> Answer {
    Ok(session.destroy().await?.to_string())
}

async fn logout_everywhere(session: ActiveSession) -> Answer {
    Ok(session.destroy_all().await?.to_string())
}

fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/login/{owner}", post(login))
        .route("/state", post(state))
        .route("/read", post(read))
        .route("/update/{number}", post(update))
        .route("/rotate", post(rotate))
        .route("/logout", post(logout))
        .route("/logout-everywhere", post(logout_everywhere))
        .layer(JwtRedisSession::new(sessions))
}

/// The application on a free port, until it is dropped.
pub(super) struct Application {
    pub(super) address: SocketAddr,
    server: JoinHandle<()>,
}

impl Application {
    pub(super) async fn start(sessions: Sessions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let serving = axum::serve(listener, app(sessions));
            serving.await.expect("it serves");
        });
        Self { address, server }
    }

    pub(super) async fn post(&self, path: &str, token: &str) -> Response<String> {
        let answer = call(self.address, &request(path, token)).await;
        answer.expect("the application answers")
    }

    /// Returns the body of an answer with status 200.
    pub(super) async fn ok(&self, path: &str, token: &str) -> String {
        let answer = self.post(path, token).await;
        assert_eq!(answer.status(), 200, "{path}: {answer:?}");
        answer.into_body()
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(super) fn request(path: &str, token: &str) -> Request<String> {
    let request = Request::post(path).header("x-access-token", token);
    request.body(String::new()).expect("a valid request")
}

#[track_caller]
pub(super) fn assert_outage(answer: &Response<String>, what: &str) {
    assert_eq!(answer.status(), 503, "{what}: {answer:?}");
    assert_eq!(answer.headers()["retry-after"], "1", "{what}");
    assert!(!answer.headers().contains_key("www-authenticate"), "{what}");
    assert!(!answer.body().contains("ey"), "no token: {what}");
}
