//! A logout while a write of the same session is in flight, and after reads in another process.

use std::time::Duration;

use futures_util::future::join;
use test_support::unique;
use tokio::time::sleep;

use crate::client::{Credential, Site};
use crate::finding::{Finding, Promise, how_many, rounds};
use crate::harness::Harness;

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, sites) in harness.pairs() {
        let undone = rounds(number, 10, |_| beside_a_write(sites.clone())).await;
        let row = format!("logout while a write is in flight, {name}");
        findings.extend([
            Finding::count(
                format!("{row}: the token works afterwards"),
                how_many(&undone, |undone| undone.by_token),
                number,
            ),
            Finding::count(
                format!("{row}: the answer to the write has a new, live session"),
                how_many(&undone, |undone| undone.by_answer),
                number,
            ),
        ]);
    }
    let [_, (_, sites)] = harness.pairs();
    let alive = rounds(number, 10, |_| elsewhere(sites.clone())).await;
    findings.push(Finding::count(
        "logout in another process, after a read in this one: the token works here",
        how_many(&alive, |alive| *alive),
        number,
    ));
    let findings = findings.into_iter();
    findings
        .map(|finding| finding.of(Promise::EndsSessions))
        .collect()
}

struct Undone {
    by_token: bool,
    by_answer: bool,
}

async fn beside_a_write([a, b]: [Site; 2]) -> Undone {
    let credential = a.login(&unique("user")).await;
    let logout = async {
        sleep(Duration::from_millis(80)).await;
        b.post("/logout", &credential).await
    };
    let set = a.post("/set?k=a&v=1&sleep_ms=200", &credential);
    let (set, logout) = join(set, logout).await;
    let new = set.cookies.filter(|new| *new != credential);
    Undone {
        by_token: logout.is_ok() && works(&[&a, &b], &credential).await,
        by_answer: match new {
            Some(new) => logout.is_ok() && works(&[&a, &b], &new).await,
            None => false,
        },
    }
}

async fn elsewhere([a, b]: [Site; 2]) -> bool {
    let credential = a.login(&unique("user")).await;
    b.read(&credential).await;
    b.post("/logout", &credential).await.is_ok() && a.is_alive(&credential).await
}

async fn works(sites: &[&Site], credential: &Credential) -> bool {
    for site in sites {
        if site.is_alive(credential).await {
            return true;
        }
    }
    false
}
