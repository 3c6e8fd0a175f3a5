//! Counts the servers that the sentinels name as the master.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::query::Address;
use crate::store::redis::cache::Moment;

/// The time without a majority after which the master is no longer used. A failover, or a restart
/// of the sentinels, is over by then.
const LEAVE_AFTER: Duration = Duration::from_secs(10);

/// Returns how many of `count` sentinels must name the same server.
///
/// A sentinel that is cut off from the others still names the former master. One or two sentinels
/// cannot outvote it, so the answer of any of them counts.
pub(super) const fn majority(count: usize) -> usize {
    match count {
        0..=2 => 1,
        _ => count / 2 + 1,
    }
}

/// The newest answer of each sentinel, and the master that follows from them.
pub(super) struct Votes {
    majority: usize,
    /// Raised whenever another server becomes the master, or none is.
    generation: AtomicU64,
    state: Mutex<State>,
}

struct State {
    /// The answers of the sentinels; `None` for one that does not answer.
    votes: Vec<Option<Vote>>,
    /// The server that a majority has named last, and when the queries were sent.
    master: Option<Vote>,
    /// The same time for the servers in use, for the cache.
    confirmed: Vec<(Address, Weak<Moment>)>,
}

struct Vote {
    address: Address,
    sent_at: Instant,
}

impl Votes {
    pub(super) fn new(sentinels: usize) -> Self {
        Self {
            majority: majority(sentinels),
            generation: AtomicU64::new(0),
            state: Mutex::new(State {
                votes: (0..sentinels).map(|_| None).collect(),
                master: None,
                confirmed: Vec::new(),
            }),
        }
    }

    /// Returns a number that changes with the master.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Records the answer of a sentinel to a query that was sent at `sent_at`.
    pub(super) fn record(&self, sentinel: usize, address: &Address, sent_at: Instant) {
        let mut state = self.lock();
        let vote = |sent_at| Vote {
            address: address.clone(),
            sent_at,
        };
        let former = state.votes[sentinel].replace(vote(sent_at));
        let has_changed = former.is_none_or(|former| former.address != *address);
        if let Some(sent_at) = state.sent_at(address, self.majority) {
            state.confirm(address, sent_at);
            let is_next = match &mut state.master {
                Some(master) if master.address == *address => {
                    master.sent_at = sent_at;
                    false
                }
                // Not for a repeated answer: if two sentinels disagree, the last one to change its
                // answer decides.
                Some(_) => has_changed,
                None => true,
            };
            if is_next {
                self.set_master(&mut state, Some(vote(sent_at)));
            }
        }
        self.leave_if_unconfirmed(&mut state);
    }

    /// Records that a sentinel does not answer.
    pub(super) fn withdraw(&self, sentinel: usize) {
        let mut state = self.lock();
        state.votes[sentinel] = None;
        self.leave_if_unconfirmed(&mut state);
    }

    /// Records that a connection leads to the server that a majority has named, and returns the
    /// generation of the connection.
    ///
    /// The queries were sent at `sent_at` or later, and the generation was `since` before them.
    pub(super) fn agree(&self, address: &Address, sent_at: Instant, since: u64) -> u64 {
        let mut state = self.lock();
        let master = state.master.as_ref();
        if master.is_some_and(|master| master.address == *address) {
            return self.generation();
        }
        // After another change, the answers may be those from before it. The connection is then
        // replaced immediately.
        if self.generation() == since {
            let address = address.clone();
            self.set_master(&mut state, Some(Vote { address, sent_at }));
            return self.generation();
        }
        since
    }

    /// Returns the time of the queries with which a majority last named `address`. The returned
    /// value is kept up to date.
    pub(super) fn confirmation(&self, address: &Address) -> Arc<Moment> {
        let mut state = self.lock();
        let all = &mut state.confirmed;
        all.retain(|(_, moment)| moment.strong_count() > 0);
        let known = all.iter().find(|(known, _)| known == address);
        known
            .and_then(|(_, moment)| moment.upgrade())
            .unwrap_or_else(|| {
                let moment = Arc::new(Moment::new());
                all.push((address.clone(), Arc::downgrade(&moment)));
                moment
            })
    }

    /// A process that reaches only a minority may be cut off together with a former master, which
    /// still takes writes and serves sessions that were ended on the next one.
    fn leave_if_unconfirmed(&self, state: &mut State) {
        let master = state.master.as_ref();
        if self.majority > 1 && master.is_some_and(|vote| vote.sent_at.elapsed() >= LEAVE_AFTER) {
            self.set_master(state, None);
        }
    }

    fn set_master(&self, state: &mut State, master: Option<Vote>) {
        state.master = master;
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the time of the oldest query among the latest `majority` answers that name `address`.
    fn sent_at(&self, address: &Address, majority: usize) -> Option<Instant> {
        let votes = self.votes.iter().flatten();
        let same = votes.filter(|vote| vote.address == *address);
        let mut sent_at: Vec<_> = same.map(|vote| vote.sent_at).collect();
        sent_at.sort_unstable();
        sent_at.iter().rev().nth(majority - 1).copied()
    }

    fn confirm(&self, address: &Address, sent_at: Instant) {
        let known = self.confirmed.iter().filter(|(known, _)| known == address);
        for moment in known.filter_map(|(_, moment)| moment.upgrade()) {
            moment.record(sent_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn addresses() -> [Address; 2] {
        ["a", "b"].map(|host| (host.to_owned(), 1))
    }

    fn master(votes: &Votes) -> Option<Address> {
        Some(votes.lock().master.as_ref()?.address.clone())
    }

    #[test]
    fn a_majority_of_three_or_more_is_needed() {
        for (sentinels, needed) in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3)] {
            assert_eq!(majority(sentinels), needed, "{sentinels}");
            let votes = Votes::new(sentinels);
            for sentinel in 0..needed {
                assert_eq!(master(&votes), None, "{sentinel} of {sentinels}");
                votes.record(sentinel, &addresses()[0], Instant::now());
            }
            assert_eq!(master(&votes), Some(addresses()[0].clone()));
        }
    }

    #[test]
    fn a_minority_neither_names_nor_confirms() {
        let [one, other] = addresses();
        let votes = Votes::new(3);
        let confirmed = [&one, &other].map(|each| votes.confirmation(each));
        for (sentinel, address) in [(0, &one), (1, &one), (2, &other)] {
            votes.record(sentinel, address, Instant::now());
        }
        let generation = votes.generation();
        assert!(confirmed[0].latest().is_some());
        assert_eq!(confirmed[1].latest(), None);
        votes.withdraw(0);
        votes.record(2, &other, Instant::now());
        assert_eq!(master(&votes), Some(one.clone()), "no majority, no change");
        assert_eq!(votes.generation(), generation);
        votes.record(1, &other, Instant::now());
        assert_eq!(master(&votes), Some(other));
        assert_eq!(votes.generation(), generation + 1, "one change");
        drop(confirmed);
        let forgotten = votes.confirmation(&one);
        assert_eq!(forgotten.latest(), None, "with its users");
    }

    #[test]
    fn a_sentinel_that_does_not_answer_has_no_vote() {
        let [one, other] = addresses();
        let votes = Votes::new(3);
        for (sentinel, address) in [(0, &one), (1, &other), (2, &other)] {
            votes.record(sentinel, address, Instant::now());
        }
        votes.withdraw(0);
        votes.record(2, &one, Instant::now());
        assert_eq!(master(&votes), Some(other));
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_is_as_old_as_its_oldest_answer() {
        let [one, _] = addresses();
        let votes = Votes::new(3);
        let confirmed = votes.confirmation(&one);
        let first = Instant::now();
        votes.record(0, &one, first);
        for seconds in 1..4 {
            advance(Duration::from_secs(1)).await;
            votes.record(1, &one, Instant::now());
            assert_eq!(confirmed.latest(), Some(first), "{seconds}");
        }
        let third = Instant::now();
        votes.record(2, &one, third);
        assert_eq!(confirmed.latest(), Some(third));
    }

    #[tokio::test(start_paused = true)]
    async fn a_master_that_no_majority_confirms_is_left() {
        let [one, _] = addresses();
        for (sentinels, is_left) in [(3, true), (2, false)] {
            let votes = Votes::new(sentinels);
            votes.record(0, &one, Instant::now());
            votes.record(1, &one, Instant::now());
            votes.withdraw(1);
            for _ in 0..2 {
                advance(LEAVE_AFTER / 2).await;
                assert_eq!(master(&votes), Some(one.clone()));
            }
            let generation = votes.generation();
            votes.record(0, &one, Instant::now());
            votes.withdraw(1);
            assert_eq!(master(&votes).is_none(), is_left, "{sentinels} sentinels");
            assert_eq!(votes.generation(), generation + u64::from(is_left));
        }
    }

    #[test]
    fn of_two_that_disagree_the_last_to_change_is_believed() {
        let [one, other] = addresses();
        let votes = Votes::new(2);
        for (address, expected) in [(&one, &one), (&other, &other), (&other, &other)] {
            votes.record(0, &one, Instant::now());
            votes.record(1, address, Instant::now());
            assert_eq!(master(&votes).as_ref(), Some(expected));
        }
        assert_eq!(votes.generation(), 2);
    }

    #[test]
    fn a_connection_is_outdated_if_the_master_changed_meanwhile() {
        let [one, other] = addresses();
        let votes = Votes::new(1);
        let sent_at = Instant::now();
        let since = votes.generation();
        let generation = votes.agree(&one, sent_at, since);
        assert_eq!(generation, votes.generation());
        votes.record(0, &one, sent_at);
        assert_eq!(votes.agree(&one, sent_at, since), votes.generation());
        votes.record(0, &other, sent_at);
        assert_ne!(generation, votes.generation());
        assert_ne!(votes.agree(&one, sent_at, generation), votes.generation());
        assert_eq!(master(&votes), Some(other));
    }
}
