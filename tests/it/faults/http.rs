//! An application over real HTTP, and clients that write their requests by hand.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use jwt_redis_session::{ActiveSession, JwtRedisSession, Session, SessionError, Sessions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

type Told = Result<String, SessionError>;

async fn login(Path(owner): Path<String>, session: Session) -> Told {
    session.insert("a", 1)?;
    session.set_owner(&*owner).unwrap();
    Ok(session.create().await?.into_string())
}

/// Takes everybody, and tells how the request stands to its session.
async fn look(session: Session) -> Told {
    Ok(format!("{:?}", session.state()))
}

async fn read(session: ActiveSession) -> Told {
    Ok(session.to_json().to_string())
}

/// Writes two fields that always belong together.
async fn update(Path(number): Path<u32>, session: ActiveSession) -> Told {
    session.insert("x", number)?;
    session.insert("y", number)?;
    session.update().await?;
    Ok(session.to_json().to_string())
}

async fn rotate(session: ActiveSession) -> Told {
    Ok(session.rotate().await?.into_string())
}

async fn logout(session: ActiveSession) -> Told {
    session.destroy().await?;
    Ok("logged out".to_owned())
}

async fn logout_everywhere(session: ActiveSession) -> Told {
    Ok(session.destroy_all().await?.to_string())
}

pub(super) fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/login/{owner}", post(login))
        .route("/look", post(look))
        .route("/read", post(read))
        .route("/update/{number}", post(update))
        .route("/rotate", post(rotate))
        .route("/logout", post(logout))
        .route("/logout-everywhere", post(logout_everywhere))
        .layer(JwtRedisSession::new(sessions))
}

/// Serves `app` until it is dropped.
pub(super) struct Site {
    pub(super) address: SocketAddr,
    server: JoinHandle<()>,
}

impl Site {
    pub(super) async fn open(app: Router) -> Self {
        Self::until(app, std::future::pending()).await
    }

    /// Shuts down gracefully after `end`.
    pub(super) async fn until(app: Router, end: impl Future<Output = ()> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let serving = axum::serve(listener, app).with_graceful_shutdown(end);
            serving.await.expect("it serves");
        });
        Self { address, server }
    }

    /// Waits until the last request is answered.
    pub(super) async fn ended(&mut self) {
        (&mut self.server).await.expect("nobody panics");
    }

    /// Asks and waits for the answer.
    pub(super) async fn ask(&self, path: &str, token: Option<&str>) -> Answer {
        let answer = try_ask(self.address, path, token).await;
        answer.expect("the site answers")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    /// Whether it says that there is an outage, and when to come again.
    #[track_caller]
    pub(super) fn is_outage(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        assert!(self.head.contains("\r\nretry-after: 1"), "{self:?}");
        assert!(!self.head.contains("www-authenticate"), "{self:?}");
    }

    #[track_caller]
    pub(super) fn fine(self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.body
    }
}

/// Sends a request and leaves the answer to the caller.
pub(super) async fn send(
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
) -> std::io::Result<TcpStream> {
    let mut socket = TcpStream::connect(address).await?;
    let token = token.map_or(String::new(), |token| {
        format!("x-access-token: {token}\r\n")
    });
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{token}\
         content-length: 0\r\nconnection: close\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    Ok(socket)
}

/// Asks and returns the answer, unless the connection was cut.
pub(super) async fn try_ask(
    address: SocketAddr,
    path: &str,
    token: Option<&str>,
) -> std::io::Result<Answer> {
    let mut socket = send(address, path, token).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    };
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
