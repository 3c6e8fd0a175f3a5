//! The cookie that holds an operator's token.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use jwt_redis_session::Token;

use crate::http::Client;

const NAME: &str = "sessiond_admin";

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

/// Returns the cookie to set, which lasts until the browser is closed. Without a token it deletes
/// the cookie.
pub(super) fn set(client: Client, token: Option<&Token>) -> HeaderValue {
    let secure = if client.over_tls { "; Secure" } else { "" };
    let expiry = if token.is_none() { "; Max-Age=0" } else { "" };
    let token = token.map_or("", Token::as_str);
    let cookie = format!("{NAME}={token}; HttpOnly; SameSite=Strict; Path=/admin{secure}{expiry}");
    let mut cookie = HeaderValue::try_from(cookie).expect("tokens are letters and digits");
    cookie.set_sensitive(true);
    cookie
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
            let headers = values.iter().map(|value| HeaderValue::from_static(value));
            let headers = HeaderMap::from_iter(headers.map(|value| (COOKIE, value)));
            assert_eq!(read(&headers), token, "{headers:?}");
        }
    }
}
