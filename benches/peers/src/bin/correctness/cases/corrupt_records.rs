//! The record of a session is no longer what the library has written.

use test_support::unique;

use crate::client::Answer;
use crate::finding::{Finding, Promise, how_many};
use crate::harness::Harness;
use crate::records;

/// Records that are no JSON, and no object.
const DAMAGES: [(&str, &str); 2] = [
    ("the record is damaged", "garbage{not a record"),
    ("the record is `[1,2]`", "[1,2]"),
];

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, damage) in DAMAGES {
        let mut results = Vec::new();
        for _ in 0..number {
            results.push(damaged(harness, damage).await);
        }
        findings.extend(described(name, &results));
    }
    findings
}

fn described(name: &str, results: &[Damaged]) -> [Finding; 4] {
    let is_wrong = |answer: &Answer| answer.is_ok() || answer.hangs();
    let answers = |row, answer: fn(&Damaged) -> &Answer| {
        let answers: Vec<_> = results.iter().map(|it| answer(it).clone()).collect();
        Finding::answers(format!("{name}: {row}"), &answers, is_wrong)
    };
    let count = |row, of: fn(&Damaged) -> bool| {
        Finding::count(
            format!("{name}: {row}"),
            how_many(results, of),
            results.len(),
        )
    };
    [
        answers("a read", |it| &it.read),
        answers("a write", |it| &it.write),
        count("a read or a write overwrites it", |it| it.is_overwritten).of(Promise::KeepsRecords),
        count("a logout leaves it", |it| it.is_left).not_promised(),
    ]
}

struct Damaged {
    read: Answer,
    write: Answer,
    is_overwritten: bool,
    is_left: bool,
}

async fn damaged(harness: &Harness, damage: &str) -> Damaged {
    let Harness { redis, a, b, .. } = harness;
    redis.run(&["FLUSHALL"]);
    let credential = a.site.login(&unique("user")).await;
    let key = records::keys(redis).pop().expect("the record of a session");
    let put = || redis.run(&["SET", &key, damage, "KEEPTTL"]);
    let is_changed = || records::get(redis, &key).as_deref() != Some(damage.as_bytes());
    put();
    let read = b.site.get("/read", &credential).await;
    let mut is_overwritten = is_changed();
    put();
    let write = b.site.post("/set?k=a&v=1", &credential).await;
    is_overwritten |= is_changed();
    put();
    b.site.post("/logout", &credential).await;
    Damaged {
        read,
        write,
        is_overwritten,
        is_left: records::get(redis, &key).is_some(),
    }
}
