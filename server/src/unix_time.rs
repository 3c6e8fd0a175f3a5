//! Times in Unix seconds, for JSON and pages.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns `time` in Unix seconds, rounded to the nearest; `None` before 1970.
pub(crate) fn seconds(time: SystemTime) -> Option<u64> {
    let rounded = time.checked_add(Duration::from_millis(500))?;
    let since = rounded.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}
