//! The table of cases.

use std::pin::Pin;

use super::harness::Harness;
use super::{expiry, indexes, provided, races, records, watches};
use crate::store::shared::SharedStore;
use crate::testing::hooked::Hooked;

/// Test case for one guarantee of the store contract.
///
/// ```
/// use jwt_redis_session::MemoryStore;
/// use jwt_redis_session::testing::conformance::CASES;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let case = CASES.iter().find(|case| case.name() == "calls_see_earlier_calls").unwrap();
/// case.run(MemoryStore::new()).await;
/// # }
/// ```
#[derive(Debug)]
pub struct Case {
    name: &'static str,
    promise: &'static str,
    run: fn(Harness) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Case {
    /// Returns the name of the case in `snake_case`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Checks whether `store` keeps the promise, first with its overrides of provided methods, then
    /// through its required methods only. Both must have the same effect.
    ///
    /// # Panics
    ///
    /// Panics if the store breaks the promise or returns an error. The message names the case.
    pub async fn run(&self, store: impl Into<SharedStore>) {
        let store = store.into();
        let steps = Hooked::new(store.clone(), ()).into();
        for (store, mode) in [(store, "as it is"), (steps, "step by step")] {
            let Self { name, promise, .. } = self;
            let failure = format!("the store breaks `{name}` ({mode}): {promise}");
            (self.run)(Harness::new(store, failure)).await;
        }
    }
}

/// Checks all [`CASES`], one after the other.
///
/// See the [module](crate::testing::conformance) for an example.
///
/// # Panics
///
/// Panics if the store breaks a promise or returns an error. The message names the case.
pub async fn check(store: impl Into<SharedStore>) {
    let store = store.into();
    for case in CASES {
        case.run(store.clone()).await;
    }
}

macro_rules! cases {
    ($($module:ident :: $name:ident: $promise:literal,)*) => {
        &[$(Case {
            name: stringify!($name),
            promise: $promise,
            run: |harness| Box::pin($module::$name(harness)),
        }),*]
    };
}

/// Every promise of the contract.
pub static CASES: &[Case] = cases! {
    records::absence_is_not_an_error: "ping succeeds; methods report an absent record in their return value and do not create it",
    records::insert_and_delete_happen_once: "insert creates a record and leaves an existing one unchanged; delete returns whether the record existed",
    records::only_equal_bytes_are_replaced: "compare_and_set and compare_and_delete change only equal bytes and return bytes that differ",
    records::values_are_any_bytes: "a value is any bytes: none, NUL, not UTF-8, a megabyte",
    records::keys_are_exact: "a call concerns the record or the index with exactly its key",
    records::calls_see_earlier_calls: "a call sees the effect of earlier calls",
    records::redirects_are_left_alone: "set_ttl and delete leave a redirect unchanged and return false, also within provided methods; all other methods treat it as any record",
    records::records_and_indexes_are_separate: "record methods leave an index under their key unchanged, and index methods a record",
    expiry::records_expire: "a record expires after its TTL, not before, and is absent then",
    expiry::only_writes_set_the_ttl: "insert, compare_and_set and set_ttl_if set the TTL, longer or shorter; reads and rejected writes leave it unchanged",
    expiry::a_prefix_limits_set_ttl: "set_ttl_if sets the TTL of a record whose value starts with the prefix, and returns the value of another one",
    expiry::puts_extend_the_ttl_of_an_index: "every method that puts an entry extends the TTL of its index, whether or not it raises check_after, and never shortens it",
    expiry::no_change_shortens_the_ttl_of_an_index: "index_put never shortens the TTL of an index; removals and tombstones leave it unchanged",
    indexes::absent_indexes_are_empty: "an index that was never written has no entries, and only index_put adds some",
    indexes::index_put_adds_and_raises: "index_put adds the entry of exactly this member or raises its check_after, and never lowers it",
    indexes::index_remove_removes_its_members: "index_remove removes its members, known or unknown, active or not, many or none",
    indexes::due_entries_are_ordered_and_limited: "active entries that are due are listed with the lowest check_after first, up to the limit",
    indexes::pages_are_ordered_and_complete: "index_page returns the entries after a position in the order of their scores, up to the limit, in both directions",
    indexes::pages_continue_behind_an_entry_that_is_gone: "index_page continues at a position whose entry was removed or has another score",
    indexes::index_tombstone_all_keeps_one_entry: "index_tombstone_all changes all entries but the kept one, also superseded ones",
    indexes::tombstones_keep_their_time: "a tombstone keeps the time at which it was set, and deletions come first",
    indexes::only_reactivation_ends_a_tombstone: "index_put keeps a tombstone, except with Reactivate, or a superseded one with UndoSupersede",
    indexes::only_due_entries_are_removed: "index_remove with due_by removes only active entries that are due",
    indexes::supersede_needs_two_active_entries: "index_supersede makes the old entry a tombstone if both are active; it checks the old one first",
    provided::empty_lists_are_no_errors: "provided methods accept empty lists",
    provided::load_many_keeps_the_order: "load_many returns one result per key, in order, also for hundreds of keys",
    provided::insert_indexed_inserts_and_lists: "insert_indexed puts all entries, inserts the record unless one exists and returns what is due in the last index",
    provided::insert_indexed_sees_a_tombstone: "insert_indexed reports that its last entry is a tombstone",
    provided::compare_and_set_indexed_does_both: "compare_and_set_indexed puts the entry, keeps a tombstone and compares and sets the record",
    provided::set_ttl_indexed_does_both: "set_ttl_indexed puts the entry, keeps a tombstone and sets the TTL of the record",
    provided::delete_indexed_deletes_and_counts: "delete_indexed deletes the records, counts those that existed and removes the members",
    provided::index_refresh_puts_and_removes: "index_refresh puts live entries, removes dead ones that are due and keeps tombstones",
    races::one_call_succeeds: "of concurrent calls that insert, delete or supersede the same thing exactly one succeeds",
    races::no_update_is_lost: "concurrent compare_and_set calls lose no update",
    races::every_index_put_is_kept: "concurrent index_put calls are all applied, and the highest check_after wins",
    races::no_insertion_escapes_a_deletion: "index_tombstone_all finds the record of each insert_indexed that reports success",
    races::dropped_calls_disturb_no_other: "a dropped call is applied completely or not at all and does not affect later calls",
    watches::every_change_is_reported: "a watch reports every change of its record, if the store has watches",
    watches::watches_are_independent: "a dropped watch and another record do not affect a watch",
};
