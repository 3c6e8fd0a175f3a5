//! Passwords are verified by the application at `users.verify_url`.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jwt_redis_session_server::{Secret, Settings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{credentials, is_valid, log_in};
use crate::program::{Program, server};
use crate::request::{fetch, send, status};
use crate::service::Service;
use crate::support::certificates::Certificates;

const PASSWORD: &str = "correct horse battery staple";

/// The login of an application, which gives one answer to all requests.
#[derive(Clone)]
struct Login {
    url: String,
    /// Head and body of each request.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Login {
    /// `None` is no answer.
    async fn start(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("bind");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let received = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let received = Arc::clone(&received);
                tokio::spawn(async move {
                    let mut request = vec![0; 8192];
                    let mut length = 0;
                    // The body ends with the only brace of the request.
                    while !request[..length].ends_with(b"}") {
                        match socket.read(&mut request[length..]).await {
                            Ok(read @ 1..) => length += read,
                            _ => return,
                        }
                    }
                    let text = String::from_utf8_lossy(&request[..length]).into_owned();
                    received.lock().expect("no panic").push(text);
                    reply(socket, answer).await;
                });
            }
        });
        let url = format!("http://{address}/login?from=sessiond");
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

/// Gives an answer to one request.
async fn reply(mut socket: TcpStream, answer: Option<&str>) {
    match answer {
        Some("endless head") => {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while socket.write_all(b"X-More: and more\r\n").await.is_ok() {}
        }
        Some("endless body") => {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = socket.write_all(head).await;
            while socket.write_all(b"4\r\nmore\r\n").await.is_ok() {}
        }
        Some(head) => {
            let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n");
            let _ = socket.write_all(answer.as_bytes()).await;
        }
        None => std::future::pending().await,
    }
}

fn verified_by(url: &str) -> impl FnOnce(&mut Settings) + use<> {
    let url = Secret::from(url);
    |settings| settings.users.verify_url = Some(url)
}

async fn log_in_status(service: &Service, username: &str) -> u16 {
    status(service.post("/sessions").json(&credentials(username))).await
}

async fn assert_verified(service: Service, login: &Login) {
    let token = log_in(&service, "j\"ö").await;
    assert!(is_valid(&service, &token, "j\"ö").await);
    let requests = login.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let (head, body) = requests[0].split_once("\r\n\r\n").expect("a body");
    assert!(
        head.starts_with("POST /login?from=sessiond HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body, json!({ "username": "j\"ö", "password": PASSWORD }));
}

#[tokio::test]
async fn a_connection_is_closed_after_the_answer() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("bind");
    let address = listener.local_addr().expect("an address");
    let service = Service::memory_with(verified_by(&format!("http://{address}/"))).await;
    let answer = async {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut request = vec![0; 8192];
        let mut length = 0;
        while !request[..length].ends_with(b"}") {
            length += socket
                .read(&mut request[length..])
                .await
                .expect("a request");
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        socket.write_all(answer).await.expect("an answer");
        let end = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut request)).await;
        assert!(matches!(end, Ok(Ok(0))), "{end:?}");
    };
    tokio::join!(log_in(&service, "jo"), answer);
}

#[tokio::test]
async fn an_accepted_password_makes_a_session_in_memory() {
    let login = Login::start(Some("204 No Content")).await;
    assert_verified(Service::memory_with(verified_by(&login.url)).await, &login).await;
}

#[tokio::test]
async fn an_accepted_password_makes_a_session_on_redis() {
    let login = Login::start(Some("200 OK")).await;
    assert_verified(Service::redis_with(verified_by(&login.url)).await, &login).await;
}

#[tokio::test]
async fn only_a_success_makes_a_session() {
    let elsewhere = Login::start(Some("200 OK")).await;
    let redirect = format!("307 Temporary Redirect\r\nLocation: {}", elsewhere.url);
    for (answer, expected) in [
        ("200 OK", 200),
        ("201 Created", 200),
        ("401 Unauthorized", 401),
        ("400 Bad Request", 401),
        ("403 Forbidden", 401),
        ("422 Unprocessable Content", 401),
        (&*redirect, 503),
        ("304 Not Modified", 503),
        ("408 Request Timeout", 503),
        ("429 Too Many Requests", 503),
        ("500 Internal Server Error", 503),
        ("503 Service Unavailable", 503),
        ("nonsense", 503),
        ("endless head", 503),
        ("endless body", 200),
    ] {
        let login = Login::start(Some(String::leak(answer.to_owned()))).await;
        let service = Service::memory_with(verified_by(&login.url)).await;
        assert_eq!(log_in_status(&service, "jo").await, expected, "{answer}");
        assert_eq!(login.requests().len(), 1, "{answer}");
        let records = usize::from(expected == 200);
        assert_eq!(service.records(), records, "{answer}");
    }
    assert_eq!(elsewhere.requests(), [""; 0], "a redirect is not followed");
}

#[tokio::test]
async fn a_wrong_password_is_401_and_an_outage_503() {
    let login = Login::start(Some("401 Unauthorized")).await;
    let service = Service::memory_with(verified_by(&login.url)).await;
    let response = send(service.post("/sessions").json(&credentials("jo"))).await;
    assert_eq!(
        response.headers()["www-authenticate"],
        "Login realm=\"sessiond\""
    );
    let error =
        json!({ "error": "the username or the password is wrong; correct them and log in again" });
    assert_eq!(crate::service::json(response).await, (401, error));
    assert_eq!(log_in_status(&service, "").await, 400);
    assert_eq!(login.requests().len(), 1, "not for a name that no user has");

    let service = Service::memory_with(verified_by("http://127.0.0.1:1/")).await;
    let request = service.post("/sessions").json(&credentials("jo"));
    let error = json!({ "error": "the password cannot be verified now; try again later" });
    assert_eq!(fetch(request).await, (503, error));
}

#[tokio::test]
async fn an_answer_has_a_time_limit() {
    let login = Login::start(None).await;
    let service = Service::memory_with(verified_by(&login.url)).await;
    let start = Instant::now();
    assert_eq!(log_in_status(&service, "jo").await, 503);
    let elapsed = start.elapsed();
    assert!((4..8).contains(&elapsed.as_secs()), "{elapsed:?}");
}

#[tokio::test]
async fn guesses_are_held_up_whatever_the_password() {
    let login = Login::start(Some("204 No Content")).await;
    let limited = |secret: Option<&str>| {
        let (url, secret) = (login.url.clone(), secret.map(Secret::from));
        Service::memory_with(move |settings| {
            verified_by(&url)(settings);
            settings.users.secret = secret;
            settings.limits.failed_authentications_per_minute = 2.try_into().expect("not zero");
        })
    };
    let service = limited(None).await;
    for expected in [200, 200, 429, 429] {
        assert_eq!(log_in_status(&service, "jo").await, expected);
    }
    assert_eq!(login.requests().len(), 2, "not sent beyond the limit");
    let secret = "a shared secret of at least 32 characters";
    let service = limited(Some(secret)).await;
    for _ in 0..4 {
        let request = service
            .post("/sessions")
            .header("x-sessiond-secret", secret);
        assert_eq!(status(request.json(&credentials("jo"))).await, 200);
    }
}

/// An application with TLS, which answers 204.
const TLS_SERVER: &str = "
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *args): pass
server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
";

struct TlsServer(Child, String);

impl TlsServer {
    fn start(certificates: &Certificates) -> Self {
        let mut python = Command::new("python3");
        python.args(["-c", TLS_SERVER]);
        python
            .arg(certificates.certificate())
            .arg(certificates.key());
        let mut child = python.stdout(Stdio::piped()).spawn().expect("python3");
        let output = child.stdout.take().expect("a pipe");
        let mut port = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut port)
            .expect("a port");
        Self(child, format!("https://127.0.0.1:{}/login", port.trim()))
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn certificates_are_verified_and_passwords_are_never_logged() {
    let (known, unknown) = (Certificates::make(), Certificates::make());
    let application = TlsServer::start(&known);
    for (certificates, expected) in [(&known, 200), (&unknown, 503)] {
        let mut program = Program::start(server(&[]).envs([
            ("SESSIOND__USERS__ENABLED", "true"),
            ("SESSIOND__USERS__VERIFY_URL", &application.1),
            ("SSL_CERT_FILE", certificates.ca().to_str().expect("UTF-8")),
            ("RUST_LOG", "trace"),
        ]));
        let url = format!("http://{}/sessions", program.address());
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        for _ in 0..2 {
            let request = client.post(&url).json(&credentials("h1dd3n-name"));
            let response = request.timeout(Duration::from_secs(10)).send().await;
            assert_eq!(response.expect("a response").status(), expected);
        }
        program.signal("TERM");
        let (_, log) = program.wait();
        let warnings = log.lines().filter(|line| line.contains(" WARN "));
        let outage = warnings.filter(|line| line.contains("users.verify_url did not verify"));
        assert_eq!(outage.count(), usize::from(expected == 503), "{log}");
        for hidden in [PASSWORD, "correct horse", "h1dd3n"] {
            assert!(!log.contains(hidden), "{log}");
        }
        assert!(!log.contains("not stored"), "no session was begun: {log}");
    }
}
