//! Uses of a session that determine the headers of a response.

use crate::token::Token;

/// What the request has done with its session, for the headers of the response.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// The state of the session was read.
    pub(crate) state_read: bool,
    /// Session data was read, or a token issued.
    pub(crate) data_read: bool,
    /// What an operation has done with the token, for a cookie.
    pub(crate) token: TokenChange,
}

/// What an operation has done with the token of its handle.
#[derive(Debug, Default)]
pub(crate) enum TokenChange {
    #[default]
    None,
    /// The handle has this new token.
    #[cfg_attr(not(feature = "cookie"), expect(dead_code, reason = "for a cookie"))]
    Issued(Token),
    /// The session was ended through the handle.
    Ended,
}

impl TokenChange {
    /// Keeps a copy of the token only if a layer may write it into a cookie.
    pub(crate) fn issued(token: Option<&Token>) -> Self {
        match token {
            Some(token) if cfg!(feature = "cookie") => Self::Issued(token.clone()),
            _ => Self::None,
        }
    }
}
