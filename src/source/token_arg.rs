//! The name of the token argument, and the header name derived from it.

use http::HeaderName;

use crate::error_debug::debug_with_message;

/// Error returned for a token argument from which no legal header name can be derived.
///
/// ```
/// use jwt_redis_session::TokenSources;
///
/// let error = TokenSources::token_arg("access token").unwrap_err();
/// assert!(error.to_string().ends_with(r#"the token argument "access token""#));
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("no legal header name can be derived from the token argument {0:?}")]
pub struct InvalidTokenArg(String);

debug_with_message!(InvalidTokenArg);

/// Returns the header that npm `jwt-redis-session` reads for the argument `arg`.
///
/// That package treats a character as a capital if `ch.toUpperCase() === ch`, so digits and
/// punctuation are capitals too. Header names have no characters outside of ASCII.
pub(super) fn header_name(arg: &str) -> Result<HeaderName, InvalidTokenArg> {
    let invalid = || InvalidTokenArg(arg.into());
    let first = arg.chars().next().ok_or_else(invalid)?;
    let mut name = String::from(if is_upper(first) { "x" } else { "x-" });
    for ch in arg.chars() {
        if is_upper(ch) {
            name.push('-');
        }
        name.push(ch.to_ascii_lowercase());
    }
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())
}

const fn is_upper(ch: char) -> bool {
    ch.to_ascii_uppercase() == ch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_name_is_that_of_npm() {
        for (arg, name) in [
            ("accessToken", "x-access-token"),
            ("fancyAccessToken", "x-fancy-access-token"),
            ("FancyToken", "x-fancy-token"),
            ("token2", "x-token-2"),
            ("2fa", "x-2fa"),
            ("JWT", "x-j-w-t"),
            ("access_token", "x-access-_token"),
        ] {
            assert_eq!(header_name(arg).unwrap().as_str(), name, "{arg}");
        }
        for arg in ["", "access token", "tökén", "a:b", "a\r\nb", "a(b)", "ß"] {
            assert_eq!(header_name(arg), Err(InvalidTokenArg(arg.into())));
        }
    }
}
