//! The cases, one file each.

mod corrupt_records;
mod costs;
mod disconnects;
mod fixation;
mod lifetimes;
mod logout;
mod logout_everywhere;
mod lost_updates;
mod many_sessions;
mod outages;
mod reads;
mod refused_writes;
mod rotation;

use std::time::Duration;

use peers::Peer;

use crate::finding::Finding;
use crate::harness::Harness;

/// How often each case runs, and how long its clients wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    pub races: usize,
    pub outages: usize,
    pub patience: Duration,
}

/// Runs the cases in which requests meet, and those that break something only for a moment. They
/// run for one library at a time.
pub(crate) async fn meet(peer: Peer, rounds: Rounds) -> Vec<Finding> {
    let harness = Harness::start(peer, rounds.patience);
    let few = rounds.races.min(20);
    let mut findings = lost_updates::run(&harness, rounds.races).await;
    findings.extend(logout::run(&harness, rounds.races / 2).await);
    findings.extend(logout_everywhere::run(&harness, rounds.races / 2).await);
    findings.extend(rotation::run(&harness, rounds.races / 2).await);
    findings.extend(reads::run(&harness, rounds.races / 2).await);
    findings.extend(refused_writes::run(&harness, few).await);
    findings.extend(fixation::run(&harness, few).await);
    findings.extend(corrupt_records::run(&harness, few).await);
    findings.extend(costs::run(&harness).await);
    findings.extend(many_sessions::run(&harness).await);
    findings
}

/// Runs the cases that mostly wait. They run for all libraries at the same time.
pub(crate) async fn wait(peer: Peer, rounds: Rounds) -> Vec<Finding> {
    let others = tokio::spawn(async move {
        let disconnects = disconnects::run(peer, rounds).await;
        (disconnects, outages::of_requests(peer, rounds).await)
    });
    let mut findings = outages::run(peer, rounds).await;
    let lifetimes = lifetimes::run(peer, rounds.patience).await;
    let (disconnects, requests) = others.await.expect("the cases run");
    findings.extend(requests);
    findings.extend(lifetimes);
    findings.extend(disconnects);
    findings
}
