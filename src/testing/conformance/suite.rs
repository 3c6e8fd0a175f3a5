//! The list of cases.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::bench::Bench;
use super::{batches, expiry, index, marks, races, records};
use crate::store::legacy::Store;

/// One promise and how to check it.
pub struct Case {
    name: &'static str,
    promise: &'static str,
    run: fn(Bench) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Case {
    /// Returns the case's name in `snake_case`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the promise as a sentence.
    #[must_use]
    pub const fn promise(&self) -> &'static str {
        self.promise
    }

    /// Checks whether `store` keeps the promise.
    ///
    /// # Panics
    ///
    /// If it does not, with a sentence that says what was broken.
    pub async fn run(&self, store: Arc<dyn Store>) {
        (self.run)(Bench::new(self.name, store)).await;
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

/// Checks all [`CASES`], one after the other.
///
/// # Panics
///
/// If `store` breaks a promise, with a sentence that says which.
pub async fn check<S: Store>(store: S) {
    let store: Arc<dyn Store> = Arc::new(store);
    for case in CASES {
        case.run(Arc::clone(&store)).await;
    }
}

macro_rules! cases {
    ($($room:ident :: $name:ident: $promise:literal,)*) => {
        &[$(Case {
            name: stringify!($name),
            promise: $promise,
            run: |bench| Box::pin($room::$name(bench)),
        }),*]
    };
}

/// Every promise of the contract.
pub static CASES: &[Case] = cases! {
    records::absent_is_not_an_error: "commands on a record that was never written say that it is absent",
    records::insert_writes_once: "an insert writes if there is no record, and leaves one that stands untouched",
    records::replace_overwrites: "a replace overwrites the record's bytes",
    records::delete_says_whether_it_did: "a delete says whether the record stood",
    records::gone_stays_gone: "only an insert brings a record into being",
    records::compare_and_set_compares: "a compare-and-set writes over equal bytes only, and returns the bytes that differ",
    records::compare_and_delete_compares: "a compare-and-delete deletes equal bytes only, and returns the bytes that differ",
    records::values_are_bytes: "a value is any bytes: none, NUL, no UTF-8, a megabyte",
    records::names_are_exact: "a name stands for itself, whatever other names begin with it",
    records::an_index_is_no_record: "a command that reads a record leaves an index under that name alone",
    expiry::insert_expires: "an inserted record is gone after its time to live, and not before",
    expiry::writes_set_the_time_to_live: "replace, expire and compare-and-set set the time to live",
    expiry::expire_shortens: "an expire that shortens the time to live takes effect",
    expiry::a_load_leaves_the_time_to_live: "loads and refused writes leave the time to live alone",
    expiry::the_expired_is_absent: "a record that has expired is absent to every command",
    expiry::an_index_lives_on: "an index-put never shortens the index's life",
    expiry::an_index_is_prolonged: "an index-put prolongs the index's life, whether or not it raises a score",
    index::an_absent_index_is_empty: "an index that was never written is empty to every command",
    index::put_enters_and_raises: "an index-put enters a member or raises its score and never lowers it",
    index::scores_are_exact: "scores are kept to the second",
    index::remove_takes_only_its_members: "an index-remove removes its members, known or not, many or none",
    index::check_asks_for_the_member: "an index-check finds the members that stand unmarked",
    index::due_is_ordered_and_limited: "index-due lists the lowest unmarked scores up to a limit",
    index::indexes_are_apart: "an index stands for itself, whatever other names begin with it",
    marks::mark_all_marks_all: "index-mark-all marks and returns all members",
    marks::mark_all_spares_one: "index-mark-all leaves the kept member alone",
    marks::mark_all_returns_leftovers: "index-mark-all returns those marked before, too",
    marks::a_mark_stays: "a marked member stays marked, whatever is put",
    marks::unmark_takes_the_mark_away: "index-unmark takes a mark away, enters a member or raises its score",
    marks::prune_takes_only_what_is_due: "index-prune removes the unmarked members whose score has passed, and no other",
    marks::a_mark_can_be_removed: "a marked member can be removed and entered anew",
    marks::the_marked_are_not_due: "index-due does not list the marked",
    marks::supersede_marks_the_old: "index-supersede marks the old member if both stand unmarked",
    marks::supersede_sees_the_old_gone: "index-supersede does nothing if the old member is marked or missing",
    marks::supersede_sees_the_new_gone: "index-supersede does nothing if the new member is marked or missing",
    batches::no_commands_no_replies: "a call without commands has no replies",
    batches::replies_stand_in_their_places: "each command is answered at its place by the reply it names",
    batches::commands_run_in_order: "the commands of a call see what those before them did",
    batches::a_long_batch: "a call may have hundreds of commands",
    batches::a_dropped_call_disturbs_nobody: "a call that is dropped is applied command by command and disturbs no later call",
    races::one_insert_wins: "of parallel inserts exactly one writes",
    races::one_delete_wins: "of parallel deletes exactly one says that it did",
    races::one_compare_and_delete_wins: "of parallel compare-and-deletes exactly one finds the record",
    races::no_update_is_lost: "parallel compare-and-sets lose no update",
    races::one_supersede_wins: "of parallel supersessions exactly one marks the old member",
    races::every_put_stands: "parallel index-puts all stand, with the highest score",
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use async_trait::async_trait;

    use super::*;
    use crate::store::error::StoreError;
    use crate::store::legacy::{Command, Reply};
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn the_memory_store_keeps_every_promise() {
        check(MemoryStore::new()).await;
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = CASES.iter().map(Case::name).collect();
        assert_eq!(names.len(), CASES.len());
    }

    /// Writes over what stands, which an insert must not.
    #[derive(Debug)]
    struct Careless(MemoryStore);

    #[async_trait]
    impl Store for Careless {
        async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
            let mut replies = Vec::new();
            for command in commands {
                if let Command::Insert { key, .. } = command {
                    self.0.run(&[Command::Delete { key }]).await?;
                }
                replies.append(&mut self.0.run(&[*command]).await?);
            }
            Ok(replies)
        }
    }

    #[tokio::test]
    async fn a_broken_promise_is_named() {
        let suite = tokio::spawn(check(Careless(MemoryStore::new())));
        let panic = suite.await.unwrap_err().into_panic();
        let sentence = panic.downcast::<String>().unwrap();
        assert!(sentence.contains("insert_writes_once"), "{sentence}");
    }

    #[tokio::test]
    async fn an_outage_is_no_pass() {
        let store = MemoryStore::new();
        store.delay(Duration::from_millis(1));
        store.fail_next(crate::store::StoreErrorKind::Connection, 1);
        assert!(tokio::spawn(check(store)).await.is_err());
    }
}
