//! The cookie that carries a token.

mod error;
mod session_cookie;
mod writer;

pub use error::InvalidCookie;
pub use session_cookie::{SameSite, SessionCookie};

pub(super) use writer::CookieWriter;
