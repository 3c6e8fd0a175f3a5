//! A change of the lifetime of one session that is not stored yet.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::error::{Result, SessionError};
use crate::lifecycle::is_storable;
use crate::record::Meta;

/// The least seconds that a session has left after its end was set to a time in the past. With one
/// second, it could end before it is written.
const SHORTEST: i64 = 2;

/// Change of the lifetime of a session that is not stored yet.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LifetimeChange {
    pub(super) max_age: Option<MaxAge>,
    /// The latest absolute end, in Unix seconds.
    pub(super) end: Option<i64>,
}

/// A new max age in seconds; `None` is that of the configuration.
pub(super) type MaxAge = Option<NonZeroU32>;

impl LifetimeChange {
    /// Returns `max_age` in whole seconds.
    pub(super) fn max_age(max_age: Duration) -> Result<MaxAge> {
        let seconds = u32::try_from(max_age.as_secs()).ok();
        let is_valid = is_storable(max_age) && max_age.subsec_nanos() == 0;
        let seconds = seconds.filter(|_| is_valid).and_then(NonZeroU32::new);
        seconds.map(Some).ok_or(SessionError::InvalidDuration)
    }

    /// Returns `meta`, of a session that ends at `end`, with the change at `now`, both in Unix
    /// seconds.
    pub(super) fn apply(self, meta: Meta, end: Option<i64>, now: i64) -> Meta {
        let earlier = self.end.map(|limit| {
            let limit = limit.max(now.saturating_add(SHORTEST));
            end.map_or(limit, |end| end.min(limit))
        });
        Meta {
            max_age: self.max_age.unwrap_or(meta.max_age),
            expires: earlier.or(meta.expires),
            ..meta
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_max_age_is_a_number_of_seconds() {
        let seconds = Duration::from_secs;
        let century = 100 * 365 * 86_400;
        for valid in [1, 60, century] {
            let max_age = LifetimeChange::max_age(seconds(valid)).unwrap().unwrap();
            assert_eq!(u64::from(max_age.get()), valid);
        }
        for bad in [
            Duration::ZERO,
            Duration::from_millis(999),
            Duration::from_millis(1500),
            seconds(century + 1),
            seconds(1 << 32),
            Duration::MAX,
        ] {
            let error = LifetimeChange::max_age(bad);
            assert_eq!(error, Err(SessionError::InvalidDuration), "{bad:?}");
        }
    }

    #[test]
    fn an_absolute_end_is_only_shortened() {
        for (end, limit, expected) in [
            (None, None, None),
            (Some(100), None, Some(7)),
            (None, Some(90), Some(90)),
            (Some(100), Some(90), Some(90)),
            (Some(100), Some(110), Some(100)),
            // Never before the time at which it is stored.
            (Some(100), Some(i64::MIN), Some(52)),
            (Some(51), Some(0), Some(51)),
        ] {
            let change = LifetimeChange {
                end: limit,
                ..LifetimeChange::default()
            };
            let meta = Meta {
                expires: end.map(|_| 7),
                ..Meta::default()
            };
            assert_eq!(change.apply(meta, end, 50).expires, expected, "{limit:?}");
        }
    }
}
