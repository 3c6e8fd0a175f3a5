//! Redis is killed between load and save of a write, and is back soon.

use std::time::Duration;

use futures_util::future::{join, join_all};
use peers::Peer;
use test_support::unique;
use tokio::time::sleep;

use super::{Outage, Rounds, served, unanswered};
use crate::client::{Answer, Credential};
use crate::finding::{Finding, Promise};
use crate::harness::Harness;

const ROW: &str = "Redis is killed between load and save of a write, and back after 1 s";
const SESSIONS: usize = 8;

pub(super) async fn run(peer: Peer, rounds: Rounds) -> [Finding; 3] {
    let (mut answers, mut lost, mut missing) = (Vec::new(), 0, 0);
    for _ in 0..rounds.outages {
        for (answer, is_stored) in round(peer, rounds.patience).await {
            lost += usize::from(answer.is_ok() && !is_stored);
            missing += usize::from(!is_stored);
            answers.push(answer);
        }
    }
    let count =
        |row, violations| Finding::count(format!("{ROW}: {row}"), violations, answers.len());
    let row = format!("{ROW}: the write");
    let write = Finding::answers(row.as_str(), &answers, unanswered);
    let write = write.of(Promise::AnswersInOutage);
    [
        write.and(served(&row, &answers)),
        count("the write is answered 200 and not stored", lost).of(Promise::AnswersInOutage),
        count("the write is not stored", missing).not_promised(),
    ]
}

/// Returns the answers to writes, and whether they are stored.
async fn round(peer: Peer, patience: Duration) -> Vec<(Answer, bool)> {
    let mut harness = Harness::start(peer, patience);
    let site = harness.a.site.clone();
    let login = async || site.login(&unique("user")).await;
    let credentials: Vec<Credential> = join_all((0..SESSIONS).map(|_| login())).await;
    let write = |it| site.post("/set?k=a&v=1&sleep_ms=1000", it);
    let outage = async {
        sleep(Duration::from_millis(500)).await;
        Outage::Killed.begin(&mut harness);
        sleep(Duration::from_secs(1)).await;
        Outage::Killed.end(&mut harness);
    };
    let (answers, ()) = join(join_all(credentials.iter().map(write)), outage).await;
    let fresh = harness.fresh();
    let mut results = Vec::new();
    for (answer, credential) in answers.into_iter().zip(&credentials) {
        let fields = fresh.site.read(credential).await.unwrap_or_default();
        results.push((answer, fields.contains_key("a")));
    }
    results
}
