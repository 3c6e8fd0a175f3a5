//! Requests to a server on axum without HTTP, in one thread: their cost does not change from run to
//! run.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::route::{ROUTES, Route, credential, filling};
use crate::servers::{Settings, router};

/// An application with a session.
#[derive(Debug)]
pub struct InProcess {
    runtime: Runtime,
    app: Router,
    credential: (&'static str, String),
}

impl InProcess {
    /// Builds the application of the server `name`, and logs in.
    ///
    /// # Panics
    ///
    /// The server is unknown, not on axum, or does not reach Redis.
    #[must_use]
    pub fn start(name: &str, settings: &Settings) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (app, credential) = runtime.block_on(async {
            let app = router(name, settings).await.expect("a server on axum");
            let credential = login(&app).await;
            (app, credential)
        });
        Self {
            runtime,
            app,
            credential,
        }
    }

    /// Sends `count` requests, one after the other.
    ///
    /// # Panics
    ///
    /// A request fails.
    pub fn send(&self, route: Route, count: u32) {
        self.runtime.block_on(async {
            for _ in 0..count {
                call(&self.app, route.method, route.path, &self.credential).await;
            }
        });
    }
}

/// Sends requests if the arguments are `requests SERVER ROUTE COUNT`, and returns whether they are.
/// A program that counts instructions starts itself with them.
///
/// # Panics
///
/// A request fails.
#[must_use]
pub fn run_if_asked() -> bool {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [first, server, route, count] = &args[..] else {
        return false;
    };
    if first != "requests" {
        return false;
    }
    let route = ROUTES.iter().find(|known| known.name == route);
    let app = InProcess::start(server, &Settings::from_environment());
    app.send(*route.expect("a route"), count.parse().expect("a number"));
    true
}

async fn login(app: &Router) -> (&'static str, String) {
    let none = ("accept", "*/*".to_owned());
    let response = call(app, "POST", "/login?user=jo", &none).await;
    let (head, mut body) = response.into_parts();
    let mut token = Vec::new();
    while let Some(frame) = body.frame().await {
        token.extend(frame.expect("a body").into_data().expect("data"));
    }
    let cookies = head.headers.get_all("set-cookie").iter();
    let cookies: Vec<_> = cookies
        .map(|cookie| cookie.to_str().expect("text"))
        .collect();
    let credential = credential(&cookies, &String::from_utf8(token).expect("text"));
    for path in filling() {
        call(app, "POST", &path, &credential).await;
    }
    credential
}

async fn call(
    app: &Router,
    method: &str,
    path: &str,
    (name, value): &(&str, String),
) -> Response<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "127.0.0.1").header(*name, value);
    let request = request.body(Body::empty()).expect("a request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response
}
