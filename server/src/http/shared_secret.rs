//! The shared secret that callers of an API must send.

use http::HeaderMap;

use crate::error::ApiError;
use crate::secret::Secret;

/// The header that carries it.
const HEADER: &str = "x-sessiond-secret";

/// The secret that callers must send in the header `X-Sessiond-Secret`, if one is configured.
#[derive(Clone, Debug)]
pub(crate) struct SharedSecret(Option<Secret>);

impl SharedSecret {
    pub(crate) const fn new(secret: Option<Secret>) -> Self {
        Self(secret)
    }

    /// Checks that the headers contain the secret exactly once.
    /// Errors: 401 if it does not.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(secret) = &self.0 else {
            return Ok(());
        };
        let mut sent = headers.get_all(HEADER).iter();
        match (sent.next(), sent.next()) {
            (Some(sent), None) if secret.equals(sent.as_bytes()) => Ok(()),
            _ => Err(ApiError::unauthorized(
                "the header X-Sessiond-Secret is missing or wrong",
                "SharedSecret",
            )),
        }
    }
}
