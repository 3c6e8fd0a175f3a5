//! The client of the servers: sends what a login gave it, a token or cookies.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value};
use test_support::eventually;

/// A server, as its clients see it.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub address: SocketAddr,
    pub client: reqwest::Client,
    /// How long a client waits for an answer.
    pub patience: Duration,
}

/// What a login gave to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credential {
    token: String,
    cookies: BTreeMap<String, String>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reply {
    Status(u16),
    /// The server closed the connection without an answer.
    Closed,
    /// No answer before the client lost its patience.
    Hangs,
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub reply: Reply,
    pub took: Duration,
    pub text: String,
    /// The cookies after the answer, if it set any.
    pub cookies: Option<Credential>,
}

impl Site {
    pub(crate) async fn get(&self, path: &str, credential: &Credential) -> Answer {
        self.send(Method::GET, path, credential).await
    }

    pub(crate) async fn post(&self, path: &str, credential: &Credential) -> Answer {
        self.send(Method::POST, path, credential).await
    }

    /// Logs in; this must succeed, if not at once.
    pub(crate) async fn login(&self, user: &str) -> Credential {
        let path = format!("/login?user={user}");
        eventually("a login succeeds", || async {
            let answer = self.post(&path, &Credential::default()).await;
            answer.is_ok().then(|| answer.credential())
        })
        .await
    }

    /// Returns the fields of the session if it is alive.
    pub(crate) async fn read(&self, credential: &Credential) -> Option<Map<String, Value>> {
        let answer = self.get("/read", credential).await;
        answer
            .is_ok()
            .then(|| serde_json::from_str(&answer.text).expect("a JSON object"))
    }

    pub(crate) async fn user(&self, credential: &Credential) -> Option<String> {
        Some(
            self.read(credential)
                .await?
                .get("user")?
                .as_str()?
                .to_owned(),
        )
    }

    pub(crate) async fn is_alive(&self, credential: &Credential) -> bool {
        self.user(credential).await.is_some()
    }

    async fn send(&self, method: Method, path: &str, credential: &Credential) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let request = credential.add_to(self.client.request(method, url));
        let start = Instant::now();
        let response = request.timeout(self.patience).send().await;
        let mut answer = Answer {
            reply: Reply::Closed,
            took: start.elapsed(),
            text: String::new(),
            cookies: None,
        };
        match response {
            Ok(response) => {
                answer.reply = Reply::Status(response.status().as_u16());
                answer.cookies = credential.with_cookies_of(response.headers());
                answer.text = response.text().await.unwrap_or_default();
            }
            Err(error) if error.is_timeout() => answer.reply = Reply::Hangs,
            Err(_) => {}
        }
        answer
    }
}

impl Credential {
    /// Returns a token with another signature, or cookies with other ids. A signed cookie no longer
    /// matches its signature.
    pub(crate) fn forged(&self) -> Self {
        let signature = self.token.rfind('.').map_or(0, |dot| dot + 1);
        let (signed, signature) = self.token.split_at(signature);
        let cookies = self.cookies.iter();
        Self {
            token: format!("{signed}{}", altered(signature)),
            cookies: cookies
                .map(|(name, value)| (name.clone(), altered(value)))
                .collect(),
        }
    }

    fn add_to(&self, request: RequestBuilder) -> RequestBuilder {
        if !self.token.is_empty() {
            return request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        }
        if self.cookies.is_empty() {
            return request;
        }
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        request.header(COOKIE, pairs.collect::<Vec<_>>().join("; "))
    }

    fn with_cookies_of(&self, headers: &HeaderMap) -> Option<Self> {
        let mut after = None;
        for header in headers.get_all(SET_COOKIE) {
            let text = header.to_str().expect("an ASCII cookie");
            let pair = text.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            let Self { cookies, .. } = after.get_or_insert_with(|| self.clone());
            cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            // An empty value removes a cookie.
            cookies.retain(|_, value| !value.is_empty());
        }
        after
    }
}

/// Changes four characters to others that are digits, hexadecimal digits or letters, too.
fn altered(text: &str) -> String {
    let other = |(index, letter): (usize, char)| match letter {
        _ if !(9..13).contains(&index) => letter,
        '0'..='8' | 'a' => char::from(letter as u8 + 1),
        '9' => '0',
        _ if letter.is_ascii_alphabetic() => 'a',
        _ => letter,
    };
    text.chars().enumerate().map(other).collect()
}

impl Answer {
    pub(crate) fn is_ok(&self) -> bool {
        self.reply == Reply::Status(200)
    }

    pub(crate) fn hangs(&self) -> bool {
        self.reply == Reply::Hangs
    }

    /// Returns what a login or a rotation gave.
    pub(crate) fn credential(&self) -> Credential {
        let token = Credential {
            token: self.text.clone(),
            ..Credential::default()
        };
        self.cookies.clone().unwrap_or(token)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Closed => f.write_str("connection closed"),
            Self::Hangs => f.write_str("hangs"),
        }
    }
}
