//! The page for operators.

mod answers;
mod keys;
mod login;
mod owners;
mod refusals;
mod sessions;

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, Response};

use crate::service::{MASTER_KEY, Service};

/// An operator's browser.
struct Browser<'a> {
    service: &'a Service,
    client: Client,
    /// `name=value`, if the operator is logged in.
    cookie: Option<String>,
}

/// What a browser was shown.
struct Page {
    status: u16,
    text: String,
    location: Option<String>,
    set_cookie: Option<String>,
}

impl<'a> Browser<'a> {
    fn new(service: &'a Service) -> Self {
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self {
            service,
            client,
            cookie: None,
        }
    }

    /// A browser of an operator who is logged in.
    async fn logged_in(service: &'a Service) -> Self {
        let mut browser = Self::new(service);
        let page = browser.log_in(MASTER_KEY).await;
        assert_eq!(page.status, 303, "{}", page.text);
        assert_eq!(page.location.as_deref(), Some("/admin"));
        browser
    }

    async fn log_in(&mut self, key: &str) -> Page {
        let page = self.send("/admin/login", &[("key", key)]).await;
        let cookie = page.set_cookie.as_deref();
        let cookie = cookie.and_then(|cookie| cookie.split(';').next());
        self.cookie = cookie.map(str::to_owned).or_else(|| self.cookie.take());
        page
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.service.address);
        let request = self.client.request(method, url);
        match &self.cookie {
            Some(cookie) => request.header("Cookie", cookie),
            None => request,
        }
    }

    async fn get(&self, path: &str) -> Page {
        Page::of(self.request(Method::GET, path).send().await).await
    }

    /// Sends fields as a browser does, and nothing else.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        Page::of(self.form(path, fields).send().await).await
    }

    /// Sends a form of the page, with its token.
    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.form_token().await;
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        self.send(path, &fields).await
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let pairs = fields.iter().map(|(name, value)| {
            let value: String = encode(value);
            format!("{name}={value}")
        });
        let body = pairs.collect::<Vec<_>>().join("&");
        self.request(Method::POST, path)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Sec-Fetch-Site", "same-origin")
            .body(body)
    }

    async fn form_token(&self) -> String {
        let page = self.get("/admin/sessions").await;
        page.field("form_token").expect("a form")
    }
}

impl Page {
    async fn of(response: reqwest::Result<Response>) -> Self {
        let response = response.expect("an answer");
        let header = |name| {
            let value = response.headers().get(name)?;
            Some(value.to_str().expect("text").to_owned())
        };
        Self {
            status: response.status().as_u16(),
            location: header(LOCATION),
            set_cookie: header(SET_COOKIE),
            text: response.text().await.expect("a body"),
        }
    }

    /// The value of the first hidden field `name`.
    fn field(&self, name: &str) -> Option<String> {
        let field = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&field)?;
        Some(rest.split('"').next()?.to_owned())
    }

    fn shows(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

/// Makes a key for `bucket` through the REST door.
async fn api_key(service: &Service, bucket: &str) -> String {
    let request = service.put(&format!("/api-key/{bucket}"));
    let request = request.header("X-SESSION-KEY", MASTER_KEY);
    let answer = crate::service::json(request.send().await.expect("an answer")).await;
    answer.1["api_key"].as_str().expect("a key").to_owned()
}

/// Stores a session in `bucket` through the REST door, and returns its id.
async fn bucket_session(service: &Service, bucket: &str, key: &str, data: &str) -> String {
    let request = service.put(&format!("/session/{bucket}"));
    let request = request.header("Content-Type", "application/json");
    let request = request.header("X-SESSION-KEY", key).body(data.to_owned());
    let answer = crate::service::json(request.send().await.expect("an answer")).await;
    answer.1["id"].as_str().expect("an id").to_owned()
}

/// Whether the session is there, as the REST door sees it.
async fn lives(service: &Service, bucket: &str, id: &str, key: &str) -> bool {
    let request = service.get(&format!("/session/{bucket}/{id}"));
    let request = request.header("X-SESSION-KEY", key);
    request.send().await.expect("an answer").status() == 200
}
