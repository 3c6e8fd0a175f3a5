//! What a key ring asks of a token besides the signature.

/// Defaults to any issuer, any audience, no leeway.
#[derive(Clone, Debug, Default)]
pub(super) struct Policy {
    /// `None`: `iss` is not looked at.
    pub(super) issuer: Option<Box<str>>,
    /// `None`: `aud` is not looked at.
    pub(super) audience: Option<Box<str>>,
    /// Milliseconds.
    pub(super) leeway: i64,
}

impl Policy {
    /// Which claims the session itself sets, so that nobody else may.
    pub(super) fn reserved(&self) -> Reserved {
        Reserved {
            issuer: self.issuer.is_some(),
            audience: self.audience.is_some(),
        }
    }
}

/// The names of the claims that the session itself sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reserved {
    issuer: bool,
    audience: bool,
}

impl Reserved {
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let issuer = self.issuer.then_some("iss");
        let audience = self.audience.then_some("aud");
        ["jti", "iat", "sub", "exp"]
            .into_iter()
            .chain(issuer)
            .chain(audience)
    }
}
