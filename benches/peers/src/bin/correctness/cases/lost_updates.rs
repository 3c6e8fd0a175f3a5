//! Two requests load the same session and set different fields, or add to the same one.

use futures_util::future::join;
use serde_json::json;
use test_support::unique;

use crate::client::{Answer, Reply, Site};
use crate::finding::{Finding, Promise, how_many, rounds};
use crate::harness::Harness;

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, sites) in harness.pairs() {
        // The first requests to a process are slow and may not meet.
        rounds(20, 10, |_| loses_one(sites.clone(), 20)).await;
        for (wait, sleep_ms, at_once) in [("", 20, 10), (" without a wait", 0, 1)] {
            let round = |_| loses_one(sites.clone(), sleep_ms);
            let lost = rounds(number, at_once, round).await;
            let row = format!("two requests set different fields{wait}, {name}");
            let row = format!("{row}: one is answered 200 and lost");
            let finding = Finding::count(row, how_many(&lost, |lost| *lost), number);
            findings.push(finding.of(Promise::KeepsWrites));
        }
    }
    for (name, sites) in harness.pairs() {
        let row = format!("two requests add 1 to the same field, {name}: one is answered 200");
        let row = format!("{row} and lost");
        let finding = additions(&row, &sites, "/add", number).await;
        findings.push(finding.of(Promise::KeepsAdditions).not_promised());
        let row = format!("{row}, with an atomic operation of the library");
        findings.push(additions(&row, &sites, "/add-atomically", number).await);
    }
    findings
}

async fn loses_one([a, b]: [Site; 2], sleep_ms: u64) -> bool {
    let credential = a.login(&unique("user")).await;
    let [one, other] = ["a", "b"].map(|k| format!("/set?k={k}&v=1&sleep_ms={sleep_ms}"));
    let (first, second) = join(a.post(&one, &credential), b.post(&other, &credential)).await;
    let mut is_lost = false;
    for site in [a, b] {
        let fields = site.read(&credential).await.unwrap_or_default();
        let lacks = |answer: &Answer, name| answer.is_ok() && !fields.contains_key(name);
        is_lost |= lacks(&first, "a") || lacks(&second, "b");
    }
    is_lost
}

async fn additions(row: &str, sites: &[Site; 2], route: &str, number: usize) -> Finding {
    let site = &sites[0];
    let probe = site.login(&unique("user")).await;
    if site.post(route, &probe).await.reply == Reply::Status(404) {
        return Finding::no_such_operation(row);
    }
    let lost = rounds(number, 10, |_| loses_an_addition(sites.clone(), route)).await;
    Finding::count(row, how_many(&lost, |lost| *lost), number)
}

async fn loses_an_addition([a, b]: [Site; 2], route: &str) -> bool {
    let credential = a.login(&unique("user")).await;
    let path = format!("{route}?sleep_ms=20");
    let (first, second) = join(a.post(&path, &credential), b.post(&path, &credential)).await;
    let added = usize::from(first.is_ok()) + usize::from(second.is_ok());
    let fields = a.read(&credential).await.unwrap_or_default();
    added > 0 && fields.get("count") != Some(&json!(added))
}
