//! Redis stops for a moment, as for a slow command or a fork: who waits gets an answer.

use std::time::Duration;

use futures_util::future::{join, join_all};
use peers::Peer;
use test_support::unique;
use tokio::time::sleep;

use super::{Outage, Rounds, served};
use crate::client::Site;
use crate::finding::Finding;
use crate::harness::Harness;

/// Longer than the deadline of this library, shorter than the timeouts of the variants `best`.
const SPAN: Duration = Duration::from_millis(1500);
const SESSIONS: usize = 5;

pub(super) async fn run(peer: Peer, rounds: Rounds) -> [Finding; 2] {
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for _ in 0..rounds.outages {
        let mut harness = Harness::start(peer, rounds.patience);
        let site = harness.a.site.clone();
        let credentials = join_all((0..SESSIONS).map(|_| login(&site))).await;
        Outage::Hangs.begin(&mut harness);
        let answers = join(
            join_all(credentials.iter().map(|it| site.get("/read", it))),
            join_all(credentials.iter().map(|it| site.post("/set?k=a&v=1", it))),
        );
        let (answers, ()) = join(answers, async {
            sleep(SPAN).await;
            Outage::Hangs.end(&mut harness);
        })
        .await;
        reads.extend(answers.0);
        writes.extend(answers.1);
    }
    let row = "Redis stops for 1.5 s";
    [
        served(&format!("{row}: a read of a live session"), &reads),
        served(&format!("{row}: a write"), &writes),
    ]
}

async fn login(site: &Site) -> crate::client::Credential {
    site.login(&unique("user")).await
}
