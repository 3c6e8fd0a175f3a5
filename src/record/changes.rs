//! Changes of session data that are not stored yet.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::value::RawValue;

/// The fields that were set and removed since the data was loaded or last stored.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    fields: BTreeMap<String, Change>,
    /// The number of the last change.
    count: u64,
    /// The number of the last change that [`take`](Self::take) has returned.
    taken: u64,
}

#[derive(Clone)]
struct Change {
    /// `None`: removed.
    value: Option<Box<RawValue>>,
    number: u64,
}

impl Changes {
    /// Returns an empty set of changes. All handles share it until they change something, so that
    /// a request that only reads allocates nothing.
    pub(crate) fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<Changes>> = LazyLock::new(Arc::default);
        Arc::clone(&NONE)
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Returns the change of a field: `Some(None)` if it was removed.
    pub(crate) fn get(&self, name: &str) -> Option<Option<&RawValue>> {
        Some(self.fields.get(name)?.value.as_deref())
    }

    /// The fields that are set, in order of their names.
    pub(crate) fn set_fields(&self) -> impl Iterator<Item = (Cow<'_, str>, &RawValue)> {
        let fields = self.fields.iter();
        fields.filter_map(|(name, change)| Some((Cow::from(name), change.value.as_deref()?)))
    }

    pub(crate) fn set(&mut self, name: String, value: Option<Box<RawValue>>) {
        self.count += 1;
        let number = self.count;
        self.fields.insert(name, Change { value, number });
    }

    /// Withdraws the change of a field and returns whether that was possible.
    pub(crate) fn withdraw(&mut self, name: &str) -> bool {
        // An operation may already have stored a change that it has taken. Without that change,
        // this handle would show the old value, which the store no longer holds.
        let can_withdraw = |change: &Change| change.number > self.taken;
        self.fields.get(name).is_some_and(can_withdraw) && self.fields.remove(name).is_some()
    }

    /// Returns the changes for an operation that is about to store them.
    pub(crate) fn take(this: &mut Arc<Self>) -> Arc<Self> {
        if this.taken < this.count {
            let changes = Arc::make_mut(this);
            changes.taken = changes.count;
        }
        Arc::clone(this)
    }

    /// Removes the changes that were stored. Later changes stay.
    pub(crate) fn forget(this: &mut Arc<Self>, stored: &Self) {
        if stored.count == this.count {
            *this = Self::none();
        } else {
            let changes = Arc::make_mut(this);
            changes
                .fields
                .retain(|_, change| change.number > stored.count);
        }
    }
}
