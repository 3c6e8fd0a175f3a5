//! Use of the cookie of a layer in a request.

/// How the cookie of a layer takes part in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "cookie"),
    expect(dead_code, reason = "there is no cookie")
)]
pub(super) enum CookieUse {
    /// Not at all: the layer has none, or the token came in another source than a cookie.
    Unused,
    /// The request has no token, or has it in another cookie.
    Empty,
    /// The token came in the cookie.
    Token {
        /// The user opens a page, as far as the headers show. Other requests are those of scripts
        /// and for parts of a page.
        is_navigation: bool,
    },
}

impl CookieUse {
    /// Returns whether the response clears the cookie if its token is invalid.
    ///
    /// Not for a script: its request may be older than the cookie that the browser has now.
    pub(super) const fn is_cleared_if_invalid(self) -> bool {
        matches!(
            self,
            Self::Token {
                is_navigation: true
            }
        )
    }
}
