//! What a key ring requires of a token besides the signature.

/// Requirements on the claims; defaults to any issuer, any audience, no leeway.
#[derive(Clone, Debug, Default)]
pub(super) struct Validation {
    /// `None`: `iss` is not checked.
    pub(super) issuer: Option<Box<str>>,
    /// `None`: `aud` is not checked.
    pub(super) audience: Option<Box<str>>,
    /// Milliseconds.
    pub(super) leeway: i64,
}

impl Validation {
    /// Returns the claims that the session sets, which the application must not.
    pub(super) fn reserved(&self) -> Reserved {
        Reserved {
            issuer: self.issuer.is_some(),
            audience: self.audience.is_some(),
        }
    }
}

/// The names of the claims that the session sets.
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
