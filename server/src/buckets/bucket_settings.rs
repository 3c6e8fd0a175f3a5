//! The settings of one bucket.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::buckets::names::BucketName;
use crate::error::ApiError;
use crate::settings::BucketSettings;

/// The longest time to live, in seconds: 100 years, as for the setting.
const MAX_TTL: u64 = 100 * 365 * 86_400;

/// Settings that are stored with the keys of a bucket. For absent ones, those for all buckets apply.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct StoredSettings {
    /// Seconds.
    session_ttl: Option<u64>,
    max_payload: Option<usize>,
}

/// Settings of a bucket, in the request that creates its API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSettings {
    /// The time after its last use at which a session expires, in seconds.
    #[schema(
        required = false,
        minimum = 1,
        maximum = 3_153_600_000_u64,
        example = 3600
    )]
    session_ttl: Option<u64>,
    /// The largest data of a session, in bytes; at most the setting `buckets.max_payload`.
    #[schema(required = false, minimum = 1, example = 65_536)]
    max_payload: Option<usize>,
}

/// The settings that apply to a bucket.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) session_ttl: Duration,
    pub(super) max_payload: usize,
}

impl NewSettings {
    /// Parses a body; `None` if it is empty.
    /// Errors: 400.
    pub(super) fn parse(
        body: &[u8],
        settings: &BucketSettings,
    ) -> Result<Option<StoredSettings>, ApiError> {
        if body.is_empty() {
            return Ok(None);
        }
        // Serde would also deserialize a struct from a list.
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let parsed = serde_json::from_slice::<Self>(body)
            .ok()
            .filter(|_| is_object);
        let valid = parsed.filter(|new| {
            new.session_ttl
                .is_none_or(|ttl| (1..=MAX_TTL).contains(&ttl))
                && new
                    .max_payload
                    .is_none_or(|size| (1..=settings.max_payload).contains(&size))
        });
        let new = valid.ok_or_else(|| {
            let max_payload = settings.max_payload;
            ApiError::bad_request(format!(
                "the body must be empty, or a JSON object with session_ttl (1 to {MAX_TTL} \
                 seconds), max_payload (1 to {max_payload} bytes) or both"
            ))
        })?;
        Ok(Some(StoredSettings {
            session_ttl: new.session_ttl,
            max_payload: new.max_payload,
        }))
    }
}

impl Limits {
    /// Returns the settings for all buckets.
    pub(super) const fn general(settings: &BucketSettings) -> Self {
        Self {
            session_ttl: settings.session_ttl,
            max_payload: settings.max_payload,
        }
    }

    /// Returns the settings of `bucket`: those of the configuration for this bucket, or else the
    /// stored ones, or else those for all buckets.
    pub(super) fn of(
        settings: &BucketSettings,
        bucket: &BucketName,
        stored: StoredSettings,
    ) -> Self {
        let configured = settings.overrides.get(bucket.as_str());
        let stored_ttl = stored.session_ttl.map(Duration::from_secs);
        // The configured limit may have been lowered since.
        let stored_size = stored
            .max_payload
            .map(|size| size.min(settings.max_payload));
        Self {
            session_ttl: configured
                .and_then(|configured| configured.session_ttl)
                .or(stored_ttl)
                .unwrap_or(settings.session_ttl),
            max_payload: configured
                .and_then(|configured| configured.max_payload)
                .or(stored_size)
                .unwrap_or(settings.max_payload),
        }
    }
}
