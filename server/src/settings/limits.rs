//! What a client may do how often.

use std::num::NonZeroU32;

use serde::Deserialize;

/// What a client may do how often: section `limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LimitSettings {
    /// How many requests with a wrong or missing credential one client address may make in a
    /// minute; more of them are answered 429. Requests with a good one are never limited. A
    /// well-formed token does not count, even if its session has ended or an earlier secret has
    /// signed it: it can be no guess. Defaults to 60.
    pub failed_authentications_per_minute: NonZeroU32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            failed_authentications_per_minute: const { NonZeroU32::new(60).unwrap() },
        }
    }
}
