//! The cookie that the layer sets and clears.

mod attributes;
mod layers;
mod operations;

use http::StatusCode;
use http::header::SET_COOKIE;
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::middleware::{CsrfCheckedElsewhere, InvalidCookie, SameSite};
use jwt_redis_session::store::{NewRecord, Store as _};
use jwt_redis_session::token::Encoding;
use jwt_redis_session::{Lifetime, OpaqueTokens, SessionCookie};
use tower_http::csrf::CsrfLayer;

use super::*;

type WithCookie<P> = (CsrfCheckedElsewhere, JwtRedisSession<P>);

fn with_cookie<P>(layer: JwtRedisSession<P>) -> WithCookie<P> {
    let cookie = SessionCookie::new("session");
    layer.cookie(cookie, CsrfCheckedElsewhere).unwrap()
}

/// Does with the session of the request what the path names.
async fn operate(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    let mut response = Response::new(Body::default());
    if path == "/static" {
        return Ok(response);
    }
    let session = LazySession::of(request.extensions()).unwrap().load().await;
    match path {
        "/state" => drop(session.state()),
        "/create" => drop(session.create().await.unwrap()),
        "/no-token" => drop(session.create().without_token().await.unwrap()),
        "/login" => drop(session.login("jo").await.unwrap()),
        "/rotate" => drop(session.rotate().await),
        "/logout" => drop(session.logout().await),
        "/destroy-all" => drop(session.destroy_all().await),
        "/login-logout" => {
            session.login("jo").await.unwrap();
            session.logout().await.unwrap();
        }
        "/logout-login" => {
            session.logout().await.unwrap();
            session.login("jo").await.unwrap();
        }
        "/upgrade" => {
            session.rotate().await.unwrap();
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        }
        _ => panic!("{path}"),
    }
    Ok(response)
}

fn set_cookies<B>(response: &Response<B>) -> Vec<&str> {
    let lines = response.headers().get_all(SET_COOKIE).iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

/// Returns the cookie of a response as a browser sends it, empty if it is cleared.
fn pair<B>(response: &Response<B>, name: &str) -> Option<String> {
    let lines = set_cookies(response);
    assert!(lines.len() < 2, "{lines:?}");
    let line = lines.first()?;
    assert_eq!(header(response, "cache-control"), Some("no-store"));
    let value = line.strip_prefix(&format!("{name}=")).expect(line);
    let value = value.split(';').next().unwrap();
    assert_eq!(
        value.is_empty(),
        line.contains("Max-Age=0; Expires="),
        "{line}"
    );
    Some(if value.is_empty() {
        String::new()
    } else {
        format!("{name}={value}")
    })
}

const HOST: &str = "__Host-session";

/// The token of a new session with an owner.
async fn owned(sessions: &Sessions) -> String {
    sessions
        .new_session()
        .login("jo")
        .await
        .unwrap()
        .into_string()
}

/// Sends each request of a table: a path, headers, a form, and what becomes of the cookie.
async fn check<S>(sessions: &Sessions, service: S, table: &str)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    for row in table.trim().lines().map(str::trim) {
        let (start, expected) = row.rsplit_once("=>").unwrap();
        let dead = owned(sessions).await;
        sessions.open(&dead).await.unwrap().destroy().await.unwrap();
        let start = start
            .replace("LIVE", &owned(sessions).await)
            .replace("OTHER", &owned(sessions).await)
            .replace("DEAD", &dead)
            .replace("COOKIE", &format!("cookie: {HOST}"))
            .replace("SCRIPT", "sec-fetch-mode: cors")
            .replace("PAGE", "sec-fetch-mode: navigate");
        let mut parts = start.split('|').map(str::trim);
        let uri = parts.next().unwrap();
        let headers = parts.next().unwrap_or_default().split(", ");
        let mut headers: Vec<_> = headers.filter_map(|line| line.split_once(": ")).collect();
        headers.push(("content-type", FORM));
        let body = parts.next().unwrap_or_default().to_owned();
        let request = request("POST", uri, &headers, body);
        let response = service.clone().oneshot(request).await.unwrap();
        let cookie = match pair(&response, HOST) {
            None => "none",
            Some(cleared) if cleared.is_empty() => "cleared",
            Some(pair) => {
                let (_, token) = pair.split_once('=').unwrap();
                assert!(sessions.open(token).await.is_ok(), "{row}");
                "set"
            }
        };
        assert_eq!(cookie, expected.trim(), "{row}");
        if cookie != "none" {
            let vary = header(&response, "vary").unwrap();
            assert!(vary.contains("cookie"), "{row}: {vary}");
        }
    }
}
