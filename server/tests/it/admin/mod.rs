//! The admin pages.

mod keys;
mod login;
mod overview;
mod owners;
mod rejections;
mod sessions;

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder};

use crate::request::send;
use crate::service::{MASTER_KEY, Service};

/// A browser of an operator.
pub(crate) struct Browser<'a> {
    service: &'a Service,
    /// `name=value`, if the operator is logged in.
    pub(crate) cookie: Option<String>,
}

const SITE: &str = "Sec-Fetch-Site";

/// The only script of a page; [`Page::text`] is without it.
const SCRIPT: &str = "<script src=\"/admin/script.js\" defer></script>";

/// The names and values of fields.
type Fields<'a> = &'a [(&'a str, &'a str)];

struct Page {
    status: u16,
    text: String,
    location: Option<String>,
    set_cookie: Option<String>,
}

impl<'a> Browser<'a> {
    fn new(service: &'a Service) -> Self {
        Self {
            service,
            cookie: None,
        }
    }

    pub(crate) async fn logged_in(service: &'a Service) -> Self {
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
        let request = self.service.request(method, path);
        match &self.cookie {
            Some(cookie) => request.header("Cookie", cookie),
            None => request,
        }
    }

    async fn get(&self, path: &str) -> Page {
        Page::of(self.request(Method::GET, path)).await
    }

    /// Builds the request of a form.
    fn form(&self, path: &str, fields: Fields<'_>) -> RequestBuilder {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let content_type = "application/x-www-form-urlencoded";
        let request = self.request(Method::POST, path).body(body);
        request.header("Content-Type", content_type)
    }

    /// Sends a form as a browser does, with these fields only.
    async fn send(&self, path: &str, fields: Fields<'_>) -> Page {
        Page::of(self.form(path, fields).header(SITE, "same-origin")).await
    }

    /// Sends a form with the form token, and follows a redirect.
    async fn submit(&self, path: &str, fields: Fields<'_>) -> Page {
        let token = self.form_token().await;
        let fields = [fields, &[("form_token", &token)]].concat();
        let mut page = self.send(path, &fields).await;
        if let Some(location) = &page.location {
            page.text = self.get(location).await.text;
        }
        page
    }

    async fn form_token(&self) -> String {
        let page = self.get("/admin/sessions").await;
        page.field("form_token").expect("a form")
    }
}

impl Page {
    async fn of(request: RequestBuilder) -> Self {
        let response = send(request).await;
        let header = |name| {
            let value = response.headers().get(name)?;
            Some(value.to_str().expect("text").to_owned())
        };
        Self {
            status: response.status().as_u16(),
            location: header(LOCATION),
            set_cookie: header(SET_COOKIE),
            text: response.text().await.expect("a body").replace(SCRIPT, ""),
        }
    }

    /// Returns the value of the first hidden field `name`.
    fn field(&self, name: &str) -> Option<String> {
        let field = format!("type=\"hidden\" name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&field)?;
        Some(rest.split('"').next()?.to_owned())
    }

    fn shows(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}
