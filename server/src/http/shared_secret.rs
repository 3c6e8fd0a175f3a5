//! The shared secret that callers of an API must send.

use http::HeaderMap;

use crate::error::ApiError;
use crate::http::{Client, FailedAuthentications};
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
    /// Errors: 401 if they do not; 429 if the client is over the limit of `failures`.
    pub(crate) fn check(
        &self,
        failures: &FailedAuthentications,
        client: Client,
        headers: &HeaderMap,
    ) -> Result<(), ApiError> {
        let Some(secret) = &self.0 else {
            return Ok(());
        };
        let mut lines = headers.get_all(HEADER).iter();
        let sent = match (lines.next(), lines.next()) {
            (Some(sent), None) => sent.as_bytes(),
            _ => b"",
        };
        let error = ApiError::unauthorized(
            "the header X-Sessiond-Secret is missing or wrong; send the secret of this API once",
            "SharedSecret",
        );
        failures.settle(client, sent, secret.equals(sent).then_some(()), error)
    }
}
