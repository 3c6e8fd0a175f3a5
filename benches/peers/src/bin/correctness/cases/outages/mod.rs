//! Redis is killed and comes back, hangs for a while, or stops for a moment.

mod impatience;
mod long;
mod recovery;
mod requests;
mod saves;
mod stall;

use peers::Peer;

use super::Rounds;
use crate::client::{Answer, Reply};
use crate::finding::{Finding, Promise};
use crate::harness::Harness;

pub(super) async fn run(peer: Peer, rounds: Rounds) -> Vec<Finding> {
    let mut findings = Vec::new();
    for outage in [Outage::Killed, Outage::Hangs] {
        findings.extend(long::run(peer, outage, rounds).await);
    }
    findings.push(recovery::after_a_short_outage(peer, rounds).await);
    findings.extend(stall::run(peer, rounds).await);
    findings
}

/// Short outages in the middle of single requests.
pub(super) async fn of_requests(peer: Peer, rounds: Rounds) -> Vec<Finding> {
    let mut findings = Vec::from(saves::run(peer, rounds).await);
    findings.extend(impatience::run(peer, rounds).await);
    findings
}

/// Returns whether the client received no response.
fn unanswered(answer: &Answer) -> bool {
    matches!(answer.reply, Reply::Hangs | Reply::Closed)
}

/// Answers that should be 200 if only the client counts: this library gives up early on purpose.
fn served(row: &str, answers: &[Answer]) -> Finding {
    let finding = Finding::answers(row, answers, |answer| !answer.is_ok());
    finding.of(Promise::ServesInOutage).not_promised()
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
