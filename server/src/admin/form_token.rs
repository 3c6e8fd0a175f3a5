//! The token in every form of an operator, against cross-site request forgery.

use serde::{Deserialize, Serialize};

use crate::crypto;

/// The name of the form field, and of the field in the operator's session.
pub(super) const FORM_TOKEN: &str = "form_token";

/// Random text that an operator's session and every form of the operator carry. Another site
/// cannot read it, so it cannot submit a form in the operator's name.
#[derive(Serialize, Deserialize)]
pub(super) struct FormToken(String);

impl FormToken {
    pub(super) fn random() -> Self {
        Self(crypto::random_text())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub(super) fn equals(&self, submitted: &str) -> bool {
        crypto::equal(self.0.as_bytes(), submitted.as_bytes())
    }
}

impl std::fmt::Debug for FormToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormToken([redacted])")
    }
}
