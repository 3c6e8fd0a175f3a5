//! Configuration of the cookie.

use super::error::InvalidCookie;

/// Configuration of a cookie that carries the token, for browsers.
///
/// Pass it to [`JwtRedisSession::cookie`](crate::JwtRedisSession::cookie). The cookie is then a
/// token source, and the layer sets and clears it without any code in handlers. The cookie is
/// always `HttpOnly`, so that scripts cannot read it. By default it is `Secure; SameSite=Lax;
/// Path=/`, and browsers delete it when they are closed.
///
/// # Name
///
/// Browsers accept a name with a prefix only with certain attributes (RFC 6265bis section 4.1.3).
/// The strongest prefix that the attributes allow is added:
///
/// | attributes | name | who can set it |
/// |---|---|---|
/// | default | `__Host-session` | this host, over TLS |
/// | [`domain`](Self::domain), or another [`path`](Self::path) than `/` | `__Secure-session` | all hosts of the site, over TLS |
/// | [`insecure`](Self::insecure), or [`without_prefix`](Self::without_prefix) | `session` | all hosts of the site |
///
/// Another host that sets the cookie can log the user into a session of its choice. If the browser
/// then sends two cookies of this name, the request is
/// [`Ambiguous`](crate::TokenRejection::Ambiguous).
///
/// ```
/// use jwt_redis_session::SessionCookie;
/// use jwt_redis_session::middleware::SameSite;
///
/// let cookie = SessionCookie::new("session").same_site(SameSite::Strict).persistent();
/// assert_eq!(cookie.name(), "__Host-session");
/// assert_eq!(cookie.domain("example.com").name(), "__Secure-session");
/// ```
///
/// # When it is set and cleared
///
/// If the request has no token, or has it in a cookie, the response:
///
/// - sets the cookie after `create`, `login`, `rotate`, and all other operations that issue a
///   token, if they are called on the [`Session`](crate::Session) of the request;
/// - clears it after `destroy`, `logout` and `destroy_all` of the session of the request;
/// - clears it if its token gave no session when the request arrived: rejected, or the session had
///   ended. An outage of the store clears nothing, and neither do an ambiguous request or a token
///   that is not valid yet.
///
/// A rejected token is cleared only in the response to a navigation (`Sec-Fetch-Mode: navigate`, or
/// no such header), because scripts send requests in parallel: a request with the old token would
/// clear the new cookie of a login that runs at the same time. For the same reason the layer clears
/// nothing if another request ends the session during this one, for example if a login form is sent
/// twice. The next navigation clears the cookie if it is still the old one.
///
/// A token in a header, the query or the body comes from a client that does not use the cookie, so
/// the response sets none. A login without a token sets the cookie for every client. Clients that
/// ignore cookies are not affected. If some clients must not get a cookie, give their routes a
/// layer without one.
///
/// The layer sets the cookie only if the token is issued before the response head is complete, so
/// not from a streamed body or a socket after the upgrade. If the application itself sets a cookie
/// of this name in the response, that cookie remains.
///
/// A response that sets or clears the cookie always has `Cache-Control: no-store`, even if the
/// application has set another value.
///
/// # Size
///
/// Browsers drop a cookie of more than 4,096 bytes, for example with a JWT that has many claims.
/// The layer then logs a `tracing` event at WARN. Use fewer claims, or
/// [`OpaqueTokens`](crate::OpaqueTokens).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SessionCookie {
    base_name: String,
    has_prefix: bool,
    pub(super) secure: bool,
    pub(super) same_site: SameSite,
    pub(super) domain: Option<String>,
    pub(super) path: String,
    pub(super) persists: Persists,
}

/// Which cookies remain when the browser is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persists {
    Never,
    /// Those of sessions with their own max age.
    Remembered,
    Always,
}

/// Rule for when browsers send the cookie with cross-site requests.
///
/// See [`SessionCookie`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// Never, not even if the user follows a link to the application.
    ///
    /// A page that users open by a link must not [`create`](crate::Session::create) a session: its
    /// request has no cookie, and the new cookie would replace that of a logged-in user.
    Strict,
    /// Only if the user follows a link to the application. The default.
    #[default]
    Lax,
    /// With every request, for an application that is embedded in other sites. Needs `Secure`.
    None,
}

impl SessionCookie {
    /// Creates the configuration of a cookie; `name` is without a [prefix](Self#name).
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            base_name: name.into(),
            has_prefix: true,
            secure: true,
            same_site: SameSite::default(),
            domain: None,
            path: "/".to_owned(),
            persists: Persists::Never,
        }
    }

    /// Keeps the cookie when the browser is closed, until the absolute end of the session.
    ///
    /// `Max-Age` is the time to that end, or 400 days for a session without one; browsers allow no
    /// more. The cookie may outlive an unused session; the next navigation clears it.
    pub const fn persistent(mut self) -> Self {
        self.persists = Persists::Always;
        self
    }

    /// Keeps the cookie when the browser is closed, as [`persistent`](Self::persistent), but only
    /// for sessions with their own [max age](crate::Session::set_max_age): those of users who have
    /// chosen "remember me".
    pub const fn persistent_if_remembered(mut self) -> Self {
        self.persists = Persists::Remembered;
        self
    }

    /// Sets when browsers send the cookie with requests of other sites. Defaults to
    /// [`SameSite::Lax`].
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Sends the cookie also to all subdomains of `domain`. Defaults to the host that sets it.
    ///
    /// Another domain needs another [name](Self::new): a browser keeps the old cookie beside the
    /// new one, and two cookies of one name are [`Ambiguous`](crate::TokenRejection::Ambiguous).
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sends the cookie only with requests below `path`. Defaults to `/`. Another path needs
    /// another name, as another [`domain`](Self::domain) does.
    ///
    /// Does not protect against scripts of other paths, which can open a page of this one.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Uses the name as it is, for example one that a gateway reads.
    ///
    /// Any host of the same site can set a cookie of such a name, even without TLS.
    pub const fn without_prefix(mut self) -> Self {
        self.has_prefix = false;
        self
    }

    /// Omits `Secure` and the prefix, for development on plain HTTP only.
    ///
    /// Not needed for `http://localhost` in Chromium, which accepts the default cookie from there.
    pub const fn insecure(mut self) -> Self {
        self.secure = false;
        self
    }

    /// Returns the name of the cookie, with its [prefix](Self#name).
    #[must_use]
    pub fn name(&self) -> String {
        let prefix = match (self.has_prefix && self.secure, &self.domain, &*self.path) {
            (false, ..) => "",
            (true, None, "/") => "__Host-",
            (true, ..) => "__Secure-",
        };
        format!("{prefix}{}", self.base_name)
    }

    /// Checks what browsers would reject.
    pub(super) fn check(&self) -> Result<(), InvalidCookie> {
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_token);
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        let is_path = |byte: u8| matches!(byte, b' '..=b'~') && byte != b';';
        let domain = self.domain.as_deref().unwrap_or("localhost");
        if !is_name(&self.base_name) || self.base_name.starts_with("__") {
            Err(InvalidCookie::Name)
        } else if !domain.bytes().all(is_host) || domain.is_empty() {
            Err(InvalidCookie::Domain)
        } else if !self.path.bytes().all(is_path) || !self.path.starts_with('/') {
            Err(InvalidCookie::Path)
        } else if self.same_site == SameSite::None && !self.secure {
            Err(InvalidCookie::SameSiteNone)
        } else {
            Ok(())
        }
    }
}

/// Returns whether a name may contain `byte`: a `tchar` of RFC 9110 section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}
