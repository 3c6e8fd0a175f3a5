//! Times in Unix seconds, as formats and pages have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `time` in whole Unix seconds, rounded to the nearest one; `None` before 1970.
pub(crate) fn seconds(time: SystemTime) -> Option<i64> {
    let rounded = time.checked_add(Duration::from_millis(500))?;
    let since = rounded.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}
