//! The pause between attempts to connect.
//!
//! Written by hand, because the jitter of redis-rs' `ConnectionManager` is the same in every process
//! (four outages out of four ended after the same 9.45 s): all would connect at the same time.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// Returns the pause after the `failures`-th failed attempt to connect in a row: 50 to 100 milliseconds at
/// first, 50 to 150 from the third on.
///
/// Random, so that the processes of a fleet do not connect in step.
pub(super) fn pause(failures: u32) -> Duration {
    let spread = if failures < 3 { 50 } else { 100 };
    let random = RandomState::new().hash_one(failures);
    Duration::from_millis(50 + random % spread)
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn stays_in_bounds() {
        for failures in 0..1000 {
            let pause = pause(failures).as_millis();
            assert!((50..150).contains(&pause), "{pause}");
        }
    }
}
