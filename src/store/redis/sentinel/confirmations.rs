//! The time at which sentinels last named each server as the master.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::time::Instant;

use super::query::Address;
use crate::store::redis::cache::Moment;

/// When the newest query was sent whose answer names a server, for the servers that are in use.
#[derive(Default)]
pub(super) struct Confirmations(Mutex<Vec<(Address, Weak<Moment>)>>);

impl Confirmations {
    /// Returns when the newest query was sent whose answer names `address`. It is kept up to date.
    pub(super) fn of(&self, address: &Address) -> Arc<Moment> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Records that the answer to a query sent at `asked` names `address`.
    pub(super) fn record(&self, address: &Address, asked: Instant) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().filter(|(known, _)| known == address);
        for moment in known.filter_map(|(_, moment)| moment.upgrade()) {
            moment.record(asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_counts_for_its_server_only() {
        let confirmations = Confirmations::default();
        let [one, other] = ["a", "b"].map(|host| (host.to_owned(), 1));
        let [first, again, others] = [&one, &one, &other].map(|each| confirmations.of(each));
        confirmations.record(&one, Instant::now());
        assert!(first.latest().is_some() && first.latest() == again.latest());
        assert_eq!(others.latest(), None);
        drop((first, again));
        assert_eq!(
            confirmations.of(&one).latest(),
            None,
            "forgotten with its users"
        );
    }
}
