//! The cookie that holds an operator's token.

use axum::extract::FromRequestParts;
use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use jwt_redis_session::Token;
use std::convert::Infallible;

use crate::http::ClientAddress;

const NAME: &str = "sessiond_admin";

/// Whether the browser uses TLS, which a proxy terminates. The cookie is then `Secure`.
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
    /// Returns the cookie to set. It lasts until the browser is closed.
    pub(super) fn cookie(self, token: &Token) -> HeaderValue {
        let mut value = self.value(token.as_str(), "");
        value.set_sensitive(true);
        value
    }

    /// Returns the cookie that deletes it.
    pub(super) fn deletion(self) -> HeaderValue {
        self.value("", "; Max-Age=0")
    }

    fn value(self, token: &str, more: &str) -> HeaderValue {
        let secure = if self.0 { "; Secure" } else { "" };
        let value = format!("{NAME}={token}; HttpOnly; SameSite=Strict; Path=/admin{secure}{more}");
        HeaderValue::try_from(value).expect("tokens are letters and digits")
    }
}

impl<S: Sync> FromRequestParts<S> for OverTls {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Without a trusted proxy the header is the client's choice.
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
    fn the_token_is_that_of_the_only_cookie_of_the_name() {
        for (values, token) in [
            (&["sessiond_admin=x"][..], Some("x")),
            (&["a=b; sessiond_admin=x;c=d"], Some("x")),
            (&["a=b", "sessiond_admin=x"], Some("x")),
            (&[], None),
            (&["sessiond_admin"], None),
            (&["Sessiond_Admin=x; xsessiond_admin=y"], None),
            (&["sessiond_admin=x; sessiond_admin=x"], None),
            (&["sessiond_admin=x", "sessiond_admin=y"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(COOKIE, HeaderValue::from_static(value));
            }
            assert_eq!(read(&headers), token, "{headers:?}");
        }
    }
}
