//! The `Set-Cookie` header of a response.

use cookie::time::Duration;
use cookie::{Cookie, SameSite as Attribute};
use http::HeaderMap;
use http::HeaderValue;
use http::header::SET_COOKIE;
use http::request::Parts;

use super::error::InvalidCookie;
use super::session_cookie::{Persists, SameSite, SessionCookie};
use crate::middleware::cookie_use::CookieUse;
use crate::session::{Session, SessionState, TokenChange};
use crate::source::{TokenSource, TokenSources};
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// Browsers keep a cookie for at most 400 days (RFC 6265bis section 5.5).
const LONGEST: i64 = 400 * 86_400;

/// Browsers keep 4,096 bytes of name, value and attributes (RFC 6265 section 6.1), and little more.
const LARGEST: usize = 4096;

/// Sets and clears the cookie of a layer.
#[derive(Clone, Debug)]
pub(in crate::middleware) struct CookieWriter {
    /// Has all attributes and no value.
    template: Cookie<'static>,
    persists: Persists,
}

impl CookieWriter {
    pub(in crate::middleware) fn new(config: SessionCookie) -> Result<Self, InvalidCookie> {
        config.check()?;
        let mut template = Cookie::build((config.name(), ""))
            .http_only(true)
            .secure(config.secure)
            .path(config.path)
            .same_site(match config.same_site {
                SameSite::Strict => Attribute::Strict,
                SameSite::Lax => Attribute::Lax,
                SameSite::None => Attribute::None,
            });
        if let Some(domain) = config.domain {
            template = template.domain(domain);
        }
        Ok(Self {
            template: template.build(),
            persists: config.persists,
        })
    }

    /// Returns how the cookie takes part in a request.
    pub(in crate::middleware) fn usage(&self, sources: &TokenSources, head: &Parts) -> CookieUse {
        match sources.source_of_token(head) {
            None => CookieUse::Empty,
            Some(TokenSource::Cookie(name)) if **name == *self.template.name() => {
                let mode = head.headers.get("sec-fetch-mode");
                let is_navigation = mode.is_none_or(|mode| mode == "navigate");
                CookieUse::Token { is_navigation }
            }
            // From the same browser, for example with the former name of the cookie.
            Some(TokenSource::Cookie(_)) => CookieUse::Empty,
            Some(_) => CookieUse::Unused,
        }
    }

    /// Adds a header that sets or clears the cookie if that is due. Returns whether it did.
    pub(in crate::middleware) fn write(
        &self,
        usage: CookieUse,
        change: &TokenChange,
        session: &Session,
        headers: &mut HeaderMap,
    ) -> bool {
        let state = session.state();
        let cookie = match (change, usage) {
            (_, CookieUse::Unused) => return false,
            (TokenChange::Issued(token), _) if state == SessionState::Active => {
                self.issued(token, session)
            }
            (TokenChange::Ended, CookieUse::Token { .. }) => self.removal(),
            _ if usage.is_cleared_if_invalid() && is_dead(&state) => self.removal(),
            _ => return false,
        };
        let mut lines = headers.get_all(SET_COOKIE).iter();
        if lines.any(|line| self.is_named_by(line)) {
            return false;
        }
        headers.append(SET_COOKIE, header(&cookie));
        true
    }

    fn issued(&self, token: &Token, session: &Session) -> Cookie<'static> {
        let mut cookie = self.template.clone();
        cookie.set_value(token.as_str().to_owned());
        let persists = match self.persists {
            Persists::Never => false,
            Persists::Remembered => session.has_own_max_age(),
            Persists::Always => true,
        };
        if persists {
            let left = session.seconds_left();
            let seconds = left.map_or(LONGEST, |left| left.clamp(0, LONGEST));
            cookie.set_max_age(Duration::seconds(seconds));
        }
        cookie
    }

    /// Returns the cookie that makes a browser delete this one.
    fn removal(&self) -> Cookie<'static> {
        let mut cookie = self.template.clone();
        cookie.make_removal();
        cookie
    }

    /// Returns whether a `Set-Cookie` header has the name of this cookie.
    fn is_named_by(&self, line: &HeaderValue) -> bool {
        let name = line.as_bytes().split(|&byte| byte == b'=').next();
        name.is_some_and(|name| name.trim_ascii() == self.template.name().as_bytes())
    }
}

/// Returns whether the token is useless to the client from now on.
///
/// `false` for two cookies of one name: clearing one could leave that of an attacker. `false` for a
/// session that ended during the request: another login of this browser may have ended it, and the
/// cookie of that login must remain.
fn is_dead(state: &SessionState) -> bool {
    match state {
        SessionState::Rejected(reason) => !matches!(
            reason,
            TokenRejection::Ambiguous | TokenRejection::NotYetValid
        ),
        SessionState::Absent { .. }
        | SessionState::Active
        | SessionState::Gone
        | SessionState::Unavailable(_) => false,
    }
}

fn header(cookie: &Cookie<'_>) -> HeaderValue {
    let line = cookie.to_string();
    if line.len() > LARGEST {
        tracing::warn!(
            bytes = line.len(),
            "browsers drop a session cookie of this size; put less into the claims, \
             or use opaque tokens"
        );
    }
    // JWTs and all encodings of opaque tokens consist of characters that a cookie may have.
    let mut value = HeaderValue::try_from(line).expect("a token and attributes are visible ASCII");
    value.set_sensitive(true);
    value
}
