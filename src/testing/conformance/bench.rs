//! What every case works with: names of its own, and commands as plain calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::crypto;
use crate::store::legacy::{Command, Compared, Reply, Standing, Store, Stored, Superseded};

/// Long enough for every case, short enough to leave no litter.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// How late, past its time to live, a record may be gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// When the marks of these cases are set, in Unix seconds.
pub(super) const MARKED: i64 = 1_700_000_000;

/// How early; a store may count in milliseconds.
const ROUNDING: Duration = Duration::from_millis(5);

/// The store on trial.
#[derive(Clone)]
pub(super) struct Bench {
    case: &'static str,
    store: Arc<dyn Store>,
    prefix: String,
}

impl Bench {
    pub(super) fn new(case: &'static str, store: Arc<dyn Store>) -> Self {
        let mut random = [0; 8];
        crypto::fill_random(&mut random);
        let prefix = format!("conformance-{:016x}-", u64::from_ne_bytes(random));
        Self {
            case,
            store,
            prefix,
        }
    }

    /// A name that nobody else uses.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    #[track_caller]
    pub(super) fn broken(&self, sentence: &str) -> ! {
        panic!("the store breaks a promise ({}): {sentence}", self.case)
    }

    #[track_caller]
    pub(super) fn must(&self, kept: bool, sentence: &str) {
        if !kept {
            self.broken(sentence);
        }
    }

    /// Runs a batch.
    pub(super) async fn run(&self, commands: &[Command<'_>]) -> Vec<Reply> {
        match self.store.run(commands).await {
            Ok(replies) if replies.len() == commands.len() => replies,
            Ok(_) => self.broken("each command must be answered by one reply"),
            Err(error) => self.broken(&format!("{commands:?} must not fail: {error}")),
        }
    }

    /// Polls a batch once and drops it.
    pub(super) async fn drop_call(&self, commands: &[Command<'_>]) {
        let _ = tokio::time::timeout(Duration::ZERO, self.store.run(commands)).await;
    }

    async fn one(&self, command: Command<'_>) -> Reply {
        let mut replies = self.run(&[command]).await;
        match replies.pop() {
            Some(reply) => reply,
            None => self.broken("each command must be answered by one reply"),
        }
    }

    #[track_caller]
    fn wrong(&self, command: &str, reply: &Reply) -> ! {
        self.broken(&format!("{command} must not be answered by {reply:?}"))
    }

    async fn applied(&self, command: Command<'_>) -> bool {
        match self.one(command).await {
            Reply::Applied(applied) => applied,
            other => self.wrong(command.name(), &other),
        }
    }

    async fn compared(&self, command: Command<'_>) -> Compared {
        match self.one(command).await {
            Reply::Compared(compared) => compared,
            other => self.wrong(command.name(), &other),
        }
    }

    async fn done(&self, command: Command<'_>) {
        match self.one(command).await {
            Reply::Done => {}
            other => self.wrong(command.name(), &other),
        }
    }

    async fn members(&self, command: Command<'_>) -> Vec<String> {
        match self.one(command).await {
            Reply::Members(mut members) => {
                members.sort_unstable();
                members
            }
            other => self.wrong(command.name(), &other),
        }
    }
}

/// Commands on records.
impl Bench {
    pub(super) async fn load(&self, key: &str) -> Option<Stored> {
        match self.one(Command::Load { key }).await {
            Reply::Record(record) => record,
            other => self.wrong("load", &other),
        }
    }

    pub(super) async fn value(&self, key: &str) -> Option<Vec<u8>> {
        Some(self.load(key).await?.value.to_vec())
    }

    /// The reported time to live of a record that stands.
    pub(super) async fn ttl(&self, key: &str) -> Duration {
        match self.load(key).await {
            Some(stored) => match stored.ttl {
                Some(ttl) => ttl,
                None => self.broken("a record written with a time to live must report it"),
            },
            None => self.broken("a record that was written must stand"),
        }
    }

    pub(super) async fn insert(&self, key: &str, value: &[u8], ttl: Duration) -> bool {
        self.applied(Command::Insert { key, value, ttl }).await
    }

    pub(super) async fn replace(&self, key: &str, value: &[u8], ttl: Duration) -> bool {
        self.applied(Command::Replace { key, value, ttl }).await
    }

    pub(super) async fn expire(&self, key: &str, ttl: Duration) -> bool {
        self.applied(Command::Expire { key, ttl }).await
    }

    pub(super) async fn delete(&self, key: &str) -> bool {
        self.applied(Command::Delete { key }).await
    }

    pub(super) async fn set_if(
        &self,
        key: &str,
        expected: &[u8],
        value: &[u8],
        ttl: Duration,
    ) -> Compared {
        let command = Command::CompareAndSet {
            key,
            expected,
            value,
            ttl,
        };
        self.compared(command).await
    }

    pub(super) async fn delete_if(&self, key: &str, expected: &[u8]) -> Compared {
        self.compared(Command::CompareAndDelete { key, expected })
            .await
    }

    /// Waits until the record is gone: not before `ttl` after `since`, and not long after it.
    pub(super) async fn must_vanish(&self, key: &str, since: Instant, ttl: Duration) {
        while self.load(key).await.is_some() {
            self.must(
                since.elapsed() < ttl + PATIENCE,
                "a record must be gone after its time to live",
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.must(
            since.elapsed() + ROUNDING >= ttl,
            "a record must not be gone before its time to live has passed",
        );
    }
}

/// Commands on indexes.
impl Bench {
    pub(super) async fn put(&self, index: &str, member: &str, score: i64, ttl: Duration) {
        let command = Command::IndexPut {
            index,
            member,
            score,
            ttl,
        };
        self.done(command).await;
    }

    pub(super) async fn prune(&self, index: &str, members: &[&str], score: i64) {
        self.done(Command::IndexPrune {
            index,
            members,
            score,
        })
        .await;
    }

    pub(super) async fn unmark(&self, index: &str, member: &str, score: i64) {
        let ttl = LONG;
        self.done(Command::IndexUnmark {
            index,
            member,
            score,
            ttl,
        })
        .await;
    }

    /// Enters members that need not be checked before `score`.
    pub(super) async fn put_all(&self, index: &str, members: &[(&str, i64)]) {
        for (member, score) in members {
            self.put(index, member, *score, LONG).await;
        }
    }

    pub(super) async fn check(&self, index: &str, member: &str) -> bool {
        self.applied(Command::IndexCheck { index, member }).await
    }

    pub(super) async fn remove(&self, index: &str, members: &[&str]) {
        self.done(Command::IndexRemove { index, members }).await;
    }

    /// All that are marked, sorted.
    pub(super) async fn mark_all(&self, index: &str, keep: Option<&str>) -> Vec<String> {
        self.members(Command::IndexMarkAll {
            index,
            keep,
            now: MARKED,
        })
        .await
    }

    pub(super) async fn supersede(&self, index: &str, old: &str, new: &str) -> Superseded {
        match self
            .one(Command::IndexSupersede {
                index,
                old,
                new,
                now: MARKED,
            })
            .await
        {
            Reply::Superseded(superseded) => superseded,
            other => self.wrong("index_supersede", &other),
        }
    }

    /// The index's members by name, with their scores, or `None` if marked; each must be listed
    /// once.
    pub(super) async fn entries(&self, index: &str) -> BTreeMap<String, Option<i64>> {
        let Reply::Entries(entries) = self.one(Command::IndexEntries { index }).await else {
            self.broken("index_entries must be answered by Reply::Entries");
        };
        let count = entries.len();
        let by_name: BTreeMap<_, _> = entries
            .into_iter()
            .map(|entry| match entry.standing {
                Standing::Live { score } => (entry.member, Some(score)),
                Standing::Dying { since } => {
                    self.must(
                        since == MARKED,
                        "a mark must keep the time at which it was set",
                    );
                    (entry.member, None)
                }
            })
            .collect();
        self.must(by_name.len() == count, "a member must be listed once");
        by_name
    }

    #[track_caller]
    pub(super) fn must_hold(
        &self,
        entries: &BTreeMap<String, Option<i64>>,
        expected: &[(&str, Option<i64>)],
        sentence: &str,
    ) {
        let expected = expected.iter().map(|(name, score)| (*name, *score));
        let held = entries.iter().map(|(name, score)| (name.as_str(), *score));
        self.must(held.eq(expected), sentence);
    }

    /// Those due, sorted by name.
    pub(super) async fn due(&self, index: &str, score: i64, limit: usize) -> Vec<String> {
        let command = Command::IndexDue {
            index,
            score,
            limit,
        };
        self.members(command).await
    }
}
