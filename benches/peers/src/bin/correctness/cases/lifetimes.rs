//! Sessions that live for 3 s, one of them read each second.

use std::time::Duration;

use peers::Peer;
use test_support::unique;
use tokio::time::sleep;

use crate::client::{Credential, Site};
use crate::finding::Finding;
use crate::harness::Harness;

const MAX_AGE: u32 = 3;
const SESSIONS: usize = 5;

pub(super) async fn run(peer: Peer, patience: Duration) -> Vec<Finding> {
    let harness = Harness::start_with(peer, patience, MAX_AGE);
    let site = &harness.a.site;
    let (read, idle) = (logins(site).await, logins(site).await);
    let mut ended = 0;
    for second in 1..=9 {
        sleep(Duration::from_secs(1)).await;
        let alive = alive(site, &read).await;
        if second == 9 {
            ended = SESSIONS - alive;
        }
    }
    vec![
        Finding::count("a session that is read each second ends", ended, SESSIONS),
        Finding::count(
            "a session that is not used works after its end",
            alive(site, &idle).await,
            SESSIONS,
        ),
    ]
}

async fn logins(site: &Site) -> Vec<Credential> {
    let mut credentials = Vec::new();
    for _ in 0..SESSIONS {
        credentials.push(site.login(&unique("user")).await);
    }
    credentials
}

async fn alive(site: &Site, credentials: &[Credential]) -> usize {
    let mut alive = 0;
    for credential in credentials {
        alive += usize::from(site.is_alive(credential).await);
    }
    alive
}
