//! Stores behind one shared pointer.

use std::ops::Deref;
use std::sync::Arc;

use crate::store::contract::Store;

/// Shared handle to a store.
///
/// Everything that takes a store takes `impl Into<SharedStore>`: a store, an `Arc` of one, or an
/// `Arc<dyn Store>`. [`Sessions::get_across`](crate::Sessions::get_across) reads in one round trip
/// from `Sessions` that were built from clones of one handle.
///
/// See the [module](crate::store) for an example.
#[derive(Clone, Debug)]
pub struct SharedStore(Arc<dyn Store>);

impl SharedStore {
    /// Returns whether both handles refer to the same store.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for SharedStore {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl<S: Store> From<S> for SharedStore {
    fn from(store: S) -> Self {
        Self(Arc::new(store))
    }
}

impl<S: Store> From<Arc<S>> for SharedStore {
    fn from(store: Arc<S>) -> Self {
        Self(store)
    }
}

impl From<Arc<dyn Store>> for SharedStore {
    fn from(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}
