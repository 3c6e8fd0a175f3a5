//! Just enough HTTP/1.1 to talk to the app.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A request; each goes over a connection of its own.
pub(super) struct Call {
    method: &'static str,
    path: String,
    headers: String,
    body: String,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new("POST", path)
    }

    pub(super) fn new(method: &'static str, path: impl Into<String>) -> Self {
        let (path, headers, body) = (path.into(), String::new(), String::new());
        Self {
            method,
            path,
            headers,
            body,
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    #[allow(clippy::needless_pass_by_value)] // reads better with `json!` at the call
    pub(super) fn json(self, body: Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    pub(super) fn form(self, body: &str) -> Self {
        self.text("application/x-www-form-urlencoded", body)
    }

    pub(super) fn text(mut self, media: &str, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self.header("content-type", media)
    }

    pub(super) fn send(self, to: SocketAddr) -> Answer {
        let mut socket = TcpStream::connect(to).expect("connect to the app");
        let patience = Some(Duration::from_secs(10));
        socket.set_read_timeout(patience).unwrap();
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: app\r\nconnection: close\r\ncontent-length: {}\r\n{}\r\n",
            self.method,
            self.path,
            self.body.len(),
            self.headers
        );
        socket.write_all((head + &self.body).as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        Answer::parse(&answer)
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_lowercase(), value.to_owned())
        });
        Self {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: body.to_owned(),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(each, _)| each == name)?;
        Some(&found.1)
    }

    /// The JSON of a success.
    pub(super) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Sees that this is an error of that status, and returns its text.
    pub(super) fn error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        let body = self.json();
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        body["error"].as_str().expect("a text").to_owned()
    }
}
