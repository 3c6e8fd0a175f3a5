//! Sessions in a plain tower service on hyper, without axum.
//!
//! `cargo run --no-default-features --example plain_tower`, then:
//!
//! ```sh
//! TOKEN=$(curl -s http://127.0.0.1:3000/login -X POST)
//! curl http://127.0.0.1:3000/ -H "Authorization: Bearer $TOKEN"
//! ```

use std::convert::Infallible;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use jwt_redis_session::middleware::SessionBody;
use jwt_redis_session::{
    JwtRedisSession, Keyring, MemoryStore, Session, SessionError, SessionRejection, Sessions,
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

/// hyper's body cannot be restored after the layer has looked for a token in it.
///
/// An app without tokens in bodies takes `Incoming` itself, and
/// `JwtRedisSession::new(sessions).without_body()`.
type Body = SessionBody<Incoming>;

async fn answer(request: Request<Body>) -> Result<Response<String>, Infallible> {
    let session = request.extensions().get::<Session>();
    let session = session.expect("the layer is present").clone();
    let result = match (request.method(), request.uri().path()) {
        (&Method::POST, "/login") => log_in(&session).await,
        _ => count(&session).await,
    };
    // As the axum extractors do.
    let reject = |error: SessionError| SessionRejection::from(&error).json_response();
    Ok(result.map_or_else(reject, Response::new))
}

async fn log_in(session: &Session) -> Result<String, SessionError> {
    session.insert("visits", 0)?;
    Ok(session.create().await?.into_string())
}

/// Without a session this fails with `SessionError::Absent` or `Rejected`.
async fn count(session: &Session) -> Result<String, SessionError> {
    let visits = session.update_with(|data| {
        let visits = data.get::<u64>("visits")?.unwrap_or(0) + 1;
        data.insert("visits", visits)?;
        Ok::<_, SessionError>(visits)
    });
    Ok(format!("visit number {}\n", visits.await?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::hs256("a secret for this example alone, not for you")?;
    let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    let service = ServiceBuilder::new()
        .map_request(SessionBody::wrap)
        .layer(JwtRedisSession::new(sessions))
        .service_fn(answer);
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let connection = auto::Builder::new(TokioExecutor::new());
            let served = connection.serve_connection(TokioIo::new(socket), service);
            if let Err(error) = served.await {
                eprintln!("a connection ended: {error}");
            }
        });
    }
}
