//! A value that was computed from a cached record.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// Place for what a caller computes from a record; shared by all reads of a cached record, and
/// dropped with it. The first value stays.
///
/// Its type is erased because stores do not know what a record contains. It takes no part in
/// comparisons.
#[derive(Clone, Default)]
pub(crate) struct Memo(Arc<OnceLock<Box<dyn Any + Send + Sync>>>);

impl Memo {
    /// Returns a copy of the value, if it has this type.
    pub(crate) fn get<T: Any + Clone>(&self) -> Option<T> {
        self.0.get()?.downcast_ref().cloned()
    }

    /// Keeps `value`, unless there is one.
    pub(crate) fn keep(&self, value: impl Any + Send + Sync) {
        let _ = self.0.set(Box::new(value));
    }
}

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}

impl Hash for Memo {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_kept_for_all_copies() {
        let memo = Memo::default();
        assert_eq!(memo.get::<u8>(), None);
        let copy = memo.clone();
        memo.keep(1_u8);
        copy.keep(2_u8);
        assert_eq!((memo.get::<u8>(), copy.get::<u8>()), (Some(1), Some(1)));
        assert_eq!(memo.get::<&str>(), None, "it has another type");
    }
}
