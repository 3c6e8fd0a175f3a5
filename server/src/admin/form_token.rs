//! The form token, against cross-site request forgery.

use serde::Deserialize;

use crate::crypto;
use crate::secret::Secret;

/// The name of the field that holds the form token, in forms and in the session.
pub(super) const FORM_TOKEN: &str = "form_token";

/// Random text in an operator's session and in every form of the operator. Another site cannot
/// read it, so it cannot submit a form on behalf of the operator.
#[derive(Debug, Deserialize)]
pub(super) struct FormToken(Secret);

impl FormToken {
    pub(super) fn random() -> Self {
        Self(Secret::random())
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.expose()
    }

    /// Compares in constant time.
    pub(super) fn equals(&self, submitted: &Self) -> bool {
        crypto::equal(self.as_str().as_bytes(), submitted.as_str().as_bytes())
    }
}
