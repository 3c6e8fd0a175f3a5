//! Reasons for the ends of sessions, for callers that wait for them in this process.
//!
//! In the store a rotation and a deletion look the same. So an operation records the reason here
//! before it deletes the record.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::SessionId;
use crate::lifecycle::end::SessionEnd;

/// The sessions whose end is awaited, with the reasons that are known.
#[derive(Default)]
pub(crate) struct EndReasons {
    awaited: Mutex<HashMap<SessionId, Awaited>>,
}

#[derive(Default)]
struct Awaited {
    waiting: usize,
    reason: Option<SessionEnd>,
}

/// Keeps the reason of one session. Dropping it forgets the reason.
pub(crate) struct AwaitedEnd {
    reasons: Arc<EndReasons>,
    id: SessionId,
}

impl EndReasons {
    /// Keeps the reason why the session `id` ends, once there is one.
    pub(crate) fn keep(self: &Arc<Self>, id: SessionId) -> AwaitedEnd {
        self.lock().entry(id.clone()).or_default().waiting += 1;
        AwaitedEnd {
            reasons: Arc::clone(self),
            id,
        }
    }

    /// Records why the session `id` is about to end, or that it does not end with `None`.
    pub(crate) fn set(&self, id: &SessionId, reason: Option<SessionEnd>) {
        if let Some(awaited) = self.lock().get_mut(id) {
            awaited.reason = reason;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AwaitedEnd {
    /// Returns the reason, if it is known.
    pub(crate) fn reason(&self) -> Option<SessionEnd> {
        self.reasons.lock().get(&self.id)?.reason
    }
}

impl Drop for AwaitedEnd {
    fn drop(&mut self) {
        let mut awaited = self.reasons.lock();
        if let Some(found) = awaited.get_mut(&self.id) {
            found.waiting -= 1;
            if found.waiting == 0 {
                awaited.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::EndReasons;
    use crate::id::SessionId;
    use crate::lifecycle::end::SessionEnd;

    #[test]
    fn reasons_are_kept_as_long_as_they_are_awaited() {
        let reasons = Arc::new(EndReasons::default());
        let id = SessionId::random();
        reasons.set(&id, Some(SessionEnd::Rotated));
        let first = reasons.keep(id.clone());
        let second = reasons.keep(id.clone());
        assert_eq!(first.reason(), None, "it was set too early");
        reasons.set(&id, Some(SessionEnd::Rotated));
        drop(first);
        assert_eq!(second.reason(), Some(SessionEnd::Rotated));
        reasons.set(&id, None);
        assert_eq!(second.reason(), None);
        drop(second);
        assert!(reasons.lock().is_empty());
    }
}
