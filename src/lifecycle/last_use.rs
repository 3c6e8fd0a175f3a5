//! Time of the last use of a session.

use crate::lifecycle::{Lifecycle, Loaded};

/// Tolerance for a time to live that is longer than a use sets, in milliseconds, because the clocks
/// of hosts differ.
const TOLERANCE: i64 = 5_000;

impl Lifecycle {
    /// Returns when the session was last used, in Unix milliseconds, if its TTL shows it.
    pub(crate) fn last_used(&self, loaded: &Loaded) -> Option<i64> {
        let Loaded {
            record, remaining, ..
        } = loaded;
        let (ends, seen_at) = (remaining.expires(None)?, remaining.at_millis());
        let cut = self.end(record).map(|end| end.saturating_mul(1000));
        // The use has set the time that was left until the absolute end, whenever it was.
        if cut.is_some_and(|cut| ends >= cut.saturating_sub(TOLERANCE)) {
            return None;
        }
        let idle = i64::try_from(self.idle(record)?.as_millis()).ok()?;
        let used = ends.checked_sub(idle)?;
        let created = record
            .meta
            .created
            .map_or(used, |at| at.saturating_mul(1000));
        (used <= seen_at.saturating_add(TOLERANCE)).then(|| used.max(created).min(seen_at))
    }
}
