//! The cookie that holds an operator's token.
//!
//! The `cookie` crate would replace one `split` and one `format!`, and brings `time`.

use axum::extract::FromRequestParts;
use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use jwt_redis_session::Token;
use std::convert::Infallible;

use crate::http::ClientAddress;

const NAME: &str = "sessiond_admin";

/// Whether the browser uses TLS, terminated by a proxy: the cookie is then `Secure`.
#[derive(Clone, Copy, Debug)]
pub(super) struct OverTls(bool);

/// Returns the token, if there is exactly one cookie of this name.
pub(super) fn read(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    let mut ours = cookies.filter(|(name, _)| *name == NAME);
    let (_, token) = ours.next()?;
    ours.next().is_none().then_some(token)
}

impl OverTls {
    /// Returns the cookie to set. It lasts until the browser is closed, or the session ends.
    pub(super) fn cookie(self, token: &Token) -> HeaderValue {
        let mut value = self.value(token.as_str(), "");
        value.set_sensitive(true);
        value
    }

    /// Returns the cookie that deletes it.
    pub(super) fn forget(self) -> HeaderValue {
        self.value("", "; Max-Age=0")
    }

    fn value(self, token: &str, more: &str) -> HeaderValue {
        let secure = if self.0 { "; Secure" } else { "" };
        let value = format!("{NAME}={token}; HttpOnly; SameSite=Strict; Path=/admin{secure}{more}");
        HeaderValue::try_from(value).expect("tokens are letters and digits")
    }
}

/// Trusts `X-Forwarded-Proto` only if `http.trusted_proxies` is set.
impl<S: Sync> FromRequestParts<S> for OverTls {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ClientAddress>();
        let behind_proxy = address.is_some_and(|address| address.trusted_proxies > 0);
        let scheme = parts.headers.get("x-forwarded-proto");
        let https = scheme.is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
        Ok(Self(behind_proxy && https))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_of_the_name_is_read() {
        let token = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(COOKIE, HeaderValue::from_static(value));
            }
            read(&headers).map(str::to_owned)
        };
        assert_eq!(token(&["sessiond_admin=x"]).as_deref(), Some("x"));
        assert_eq!(token(&["a=b; sessiond_admin=x;c=d"]).as_deref(), Some("x"));
        assert_eq!(token(&["a=b", "sessiond_admin=x"]).as_deref(), Some("x"));
        assert_eq!(token(&[]), None);
        assert_eq!(token(&["sessiond_admin"]), None);
        assert_eq!(token(&["Sessiond_Admin=x; xsessiond_admin=y"]), None);
        assert_eq!(token(&["sessiond_admin=x; sessiond_admin=x"]), None);
        assert_eq!(token(&["sessiond_admin=x", "sessiond_admin=y"]), None);
    }
}
