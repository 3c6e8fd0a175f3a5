//! Redis is killed and comes back, or hangs for a while.

mod long;
mod recovery;
mod requests;

use peers::Peer;

use super::Rounds;
use crate::finding::Finding;
use crate::harness::Harness;

pub(super) async fn run(peer: Peer, rounds: Rounds) -> Vec<Finding> {
    let mut findings = Vec::new();
    for outage in [Outage::Killed, Outage::Hangs] {
        findings.extend(long::run(peer, outage, rounds).await);
    }
    findings.push(recovery::after_a_short_outage(peer, rounds).await);
    findings
}

#[derive(Clone, Copy, Debug)]
enum Outage {
    Killed,
    Hangs,
}

impl Outage {
    fn name(self) -> &'static str {
        match self {
            Self::Killed => "Redis is killed",
            Self::Hangs => "Redis hangs",
        }
    }

    fn begin(self, harness: &mut Harness) {
        match self {
            Self::Killed => harness.redis.kill(),
            Self::Hangs => harness.redis.pause(),
        }
    }

    /// Returns when Redis answers again, with all its data.
    fn end(self, harness: &mut Harness) {
        match self {
            Self::Killed => tokio::task::block_in_place(|| harness.redis.restart()),
            Self::Hangs => harness.redis.resume(),
        }
    }
}
