//! A new id for a session while another request does the same, or writes.

use std::time::Duration;

use futures_util::future::join;
use test_support::unique;
use tokio::time::sleep;

use crate::client::{Credential, Reply, Site};
use crate::finding::{Finding, Promise, how_many, rounds};
use crate::harness::Harness;

const BESIDE_A_WRITE: &str = "a new id while a write is in flight";

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let site = &harness.a.site;
    let login = site.login(&unique("user")).await;
    let is_missing = site.post("/rotate", &login).await.reply == Reply::Status(404);
    let mut findings = Vec::new();
    for (name, sites) in harness.pairs() {
        let rows = ["two new tokens work", "a request is refused"];
        let rows = rows.map(|row| format!("two requests ask for a new id, {name}: {row}"));
        findings.extend(match is_missing {
            true => rows.map(Finding::no_such_operation),
            false => meet(rows, sites, number).await,
        });
    }
    let rows = [
        "the write is answered 200 and lost",
        "the write is refused",
        "the old token works afterwards",
        "the answer to the write has one more live session",
        "no token works afterwards",
    ];
    let rows = rows.map(|row| format!("{BESIDE_A_WRITE}: {row}"));
    findings.extend(match is_missing {
        true => rows.map(Finding::no_such_operation),
        false => meet_a_write(rows, site, number).await,
    });
    findings
}

async fn meet([two, refused]: [String; 2], sites: [Site; 2], number: usize) -> [Finding; 2] {
    let results = rounds(number, 10, |_| winners(sites.clone())).await;
    let two = Finding::count(two, how_many(&results, |it| it.winners > 1), number);
    let refused = Finding::count(refused, how_many(&results, |it| it.is_refused), number);
    [two.of(Promise::RotatesOnce), refused.not_promised()]
}

async fn meet_a_write(rows: [String; 5], site: &Site, number: usize) -> [Finding; 5] {
    let results = rounds(number, 10, |_| beside_a_write(site.clone())).await;
    let [lost, refused, old, third, gone] = rows;
    let count = |row, of: fn(&Beside) -> bool| Finding::count(row, how_many(&results, of), number);
    [
        count(lost, |result| result.is_lost).of(Promise::KeepsWrites),
        count(refused, |result| result.is_refused).not_promised(),
        count(old, |result| result.old_works).of(Promise::EndsSessions),
        count(third, |result| result.third_works).of(Promise::EndsSessions),
        count(gone, |result| result.is_gone).of(Promise::KeepsSessions),
    ]
}

struct Rotations {
    winners: usize,
    is_refused: bool,
}

async fn winners([a, b]: [Site; 2]) -> Rotations {
    let old = a.login(&unique("user")).await;
    let path = "/rotate?sleep_ms=20";
    let (first, second) = join(a.post(path, &old), b.post(path, &old)).await;
    let is_refused = !first.is_ok() || !second.is_ok();
    let mut new: Vec<Credential> = Vec::new();
    for answer in [first, second] {
        let credential = answer.credential();
        let is_new = answer.is_ok() && credential != old && !new.contains(&credential);
        if is_new && a.is_alive(&credential).await && b.is_alive(&credential).await {
            new.push(credential);
        }
    }
    Rotations {
        winners: new.len(),
        is_refused,
    }
}

struct Beside {
    is_lost: bool,
    is_refused: bool,
    old_works: bool,
    third_works: bool,
    is_gone: bool,
}

async fn beside_a_write(site: Site) -> Beside {
    let old = site.login(&unique("user")).await;
    let rotate = async {
        sleep(Duration::from_millis(40)).await;
        site.post("/rotate", &old).await
    };
    let (set, rotate) = join(site.post("/set?k=a&v=1&sleep_ms=120", &old), rotate).await;
    let new = rotate.credential();
    let third = set
        .cookies
        .clone()
        .filter(|third| *third != old && *third != new);
    let is_rotated = rotate.is_ok() && new != old;
    let old_works = site.is_alive(&old).await;
    let third_fields = match &third {
        Some(third) => site.read(third).await,
        None => None,
    };
    let third_works = third_fields.is_some();
    // The cookie of the write came last: a browser has that one.
    let fields = match third_fields {
        Some(fields) => Some(fields),
        None => site.read(if is_rotated { &new } else { &old }).await,
    };
    Beside {
        is_refused: !set.is_ok(),
        is_lost: set.is_ok()
            && fields
                .as_ref()
                .is_some_and(|fields| !fields.contains_key("a")),
        old_works: is_rotated && old_works,
        third_works: is_rotated && third_works,
        is_gone: fields.is_none() && !old_works && !third_works,
    }
}
