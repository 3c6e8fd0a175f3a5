//! How soon after an outage reads are right again.

use std::time::{Duration, Instant};

use futures_util::future::join;
use peers::Peer;
use test_support::unique;
use tokio::time::sleep;

use super::{Outage, Rounds};
use crate::client::{Credential, Site};
use crate::finding::{Finding, seconds};
use crate::harness::Harness;

const LIMIT: Duration = Duration::from_secs(15);

/// Redis is away for 3 s; meanwhile, sessions are read four times a second in each process.
pub(super) async fn after_a_short_outage(peer: Peer, rounds: Rounds) -> Finding {
    let mut times = Vec::new();
    for _ in 0..rounds.outages {
        let mut harness = Harness::start(peer, Duration::from_secs(1));
        let [a, b] = [&harness.a, &harness.b].map(|process| process.site.clone());
        let credential = a.login(&unique("user")).await;
        Outage::Killed.begin(&mut harness);
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end {
            join(a.get("/read", &credential), b.get("/read", &credential)).await;
            sleep(Duration::from_millis(250)).await;
        }
        Outage::Killed.end(&mut harness);
        times.extend(recoveries([(&a, &credential), (&b, &credential)]).await);
    }
    finding("Redis is killed and back after 3 s", &times)
}

pub(super) fn finding(outage: &str, times: &[Option<Duration>]) -> Finding {
    let never = times.iter().filter(|time| time.is_none()).count();
    let row = format!("{outage}: afterwards, a read is right again after");
    let mut found: Vec<_> = times.iter().flatten().collect();
    found.sort_unstable();
    let range = match found[..] {
        [] => String::new(),
        [first, .., last] if seconds(*first) != seconds(*last) => {
            format!("{} to {}", seconds(*first), seconds(*last))
        }
        [first, ..] => seconds(*first),
    };
    let never_text = format!(
        "not within {} s ({never} of {})",
        LIMIT.as_secs(),
        times.len()
    );
    let text = match (range.is_empty(), never) {
        (false, 0) => range,
        (false, _) => format!("{range}; {never_text}"),
        (true, _) => never_text,
    };
    Finding {
        text,
        ..Finding::count(row, never, times.len())
    }
}

/// Reads in two processes until both are right.
pub(super) async fn recoveries(reads: [(&Site, &Credential); 2]) -> [Option<Duration>; 2] {
    let [first, second] = reads.map(|(site, credential)| recovery(site, credential));
    join(first, second).await.into()
}

async fn recovery(site: &Site, credential: &Credential) -> Option<Duration> {
    let site = Site {
        patience: Duration::from_secs(3),
        ..site.clone()
    };
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if site.is_alive(credential).await {
            return Some(start.elapsed());
        }
        sleep(Duration::from_millis(50)).await;
    }
    None
}
