//! The cookie that holds an operator's token.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use jwt_redis_session::Token;

use crate::http::Client;

const NAME: &str = "sessiond_admin";
/// The prefix of the name over TLS: browsers do not accept such a cookie without TLS.
const SECURE: &str = "__Secure-";
/// The number of tokens that are tried. Each may cost a read of the store.
const MAX_TOKENS: usize = 4;

/// Returns the tokens in cookies of this name, each once. There may be several: a neighboring host
/// can set one for a common parent domain.
pub(super) fn read(headers: &HeaderMap) -> Vec<&str> {
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    let mut tokens = Vec::new();
    for (name, token) in cookies {
        let is_ours = name.strip_prefix(SECURE).unwrap_or(name) == NAME;
        let is_new = !token.is_empty() && !tokens.contains(&token);
        if is_ours && is_new && tokens.len() < MAX_TOKENS {
            tokens.push(token);
        }
    }
    tokens
}

/// Returns the cookie to set, which lasts until the browser is closed. Without a token it deletes
/// the cookie.
pub(super) fn set(client: Client, token: Option<&Token>) -> HeaderValue {
    let (prefix, secure) = if client.over_tls {
        (SECURE, "; Secure")
    } else {
        ("", "")
    };
    let expiry = if token.is_none() { "; Max-Age=0" } else { "" };
    let token = token.map_or("", Token::as_str);
    let cookie =
        format!("{prefix}{NAME}={token}; HttpOnly; SameSite=Strict; Path=/admin{secure}{expiry}");
    let mut cookie = HeaderValue::try_from(cookie).expect("tokens are letters and digits");
    cookie.set_sensitive(true);
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_all_cookies_of_the_name() {
        for (values, tokens) in [
            (&["sessiond_admin=x"][..], "x"),
            (&["a=b; sessiond_admin=x;c=d"], "x"),
            (&["a=b", "sessiond_admin=x"], "x"),
            (&["__Secure-sessiond_admin=x"], "x"),
            (&[], ""),
            (&["sessiond_admin"], ""),
            (&["Sessiond_Admin=x; xsessiond_admin=y"], ""),
            (&["sessiond_admin=x; sessiond_admin=x"], "x"),
            (&["sessiond_admin=x", "__Secure-sessiond_admin=y"], "x y"),
            (&["sessiond_admin=; sessiond_admin=x"], "x"),
            (
                &[
                    "sessiond_admin=a; sessiond_admin=b; sessiond_admin=c; sessiond_admin=d",
                    "sessiond_admin=e",
                ],
                "a b c d",
            ),
        ] {
            let headers = values.iter().map(|value| HeaderValue::from_static(value));
            let headers = HeaderMap::from_iter(headers.map(|value| (COOKIE, value)));
            assert_eq!(read(&headers).join(" "), tokens, "{headers:?}");
        }
    }
}
