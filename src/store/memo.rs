//! A value that is computed once from a cached record.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// Place for what a caller computes from a record; shared by all reads of a cached record, and
/// dropped with it.
///
/// Its type is erased because stores do not know what a record contains. It takes no part in
/// comparisons.
#[derive(Clone, Default)]
pub(crate) struct Memo(Arc<OnceLock<Box<dyn Any + Send + Sync>>>);

impl Memo {
    /// Returns a copy of the value of this type, which `compute` makes unless it is there.
    pub(crate) fn get_or_try<T: Any + Clone + Send + Sync, E>(
        &self,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(value) = self.0.get().and_then(|value| value.downcast_ref::<T>()) {
            return Ok(value.clone());
        }
        let value = compute()?;
        // If another read was faster, its value is the same.
        let _ = self.0.set(Box::new(value.clone()));
        Ok(value)
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
    fn a_value_is_computed_once_and_an_error_is_not_kept() {
        let memo = Memo::default();
        assert_eq!(memo.get_or_try(|| Err::<u8, _>("failed")), Err("failed"));
        let copy = memo.clone();
        assert_eq!(memo.get_or_try(|| Ok::<_, ()>(1)), Ok(1));
        assert_eq!(copy.get_or_try(|| Ok::<_, ()>(2)), Ok(1));
        assert_eq!(
            memo.get_or_try(|| Ok::<_, ()>("of another type")),
            Ok("of another type")
        );
    }
}
