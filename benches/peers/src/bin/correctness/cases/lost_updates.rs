//! Two requests load the same session and set different fields.

use futures_util::future::join;
use test_support::unique;

use crate::client::{Answer, Site};
use crate::finding::{Finding, Promise, how_many, rounds};
use crate::harness::Harness;

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, sites) in harness.pairs() {
        // The first requests to a process are slow and may not meet.
        rounds(20, 10, |_| loses_one(sites.clone())).await;
        let lost = rounds(number, 10, |_| loses_one(sites.clone())).await;
        let row =
            format!("two requests set different fields, {name}: one is answered 200 and lost");
        let finding = Finding::count(row, how_many(&lost, |lost| *lost), number);
        findings.push(finding.of(Promise::KeepsWrites));
    }
    findings
}

async fn loses_one([a, b]: [Site; 2]) -> bool {
    let credential = a.login(&unique("user")).await;
    let answers = join(
        a.post("/set?k=a&v=1&sleep_ms=20", &credential),
        b.post("/set?k=b&v=1&sleep_ms=20", &credential),
    );
    let (first, second) = answers.await;
    let mut is_lost = false;
    for site in [a, b] {
        let fields = site.read(&credential).await.unwrap_or_default();
        let lacks = |answer: &Answer, name| answer.is_ok() && !fields.contains_key(name);
        is_lost |= lacks(&first, "a") || lacks(&second, "b");
    }
    is_lost
}
