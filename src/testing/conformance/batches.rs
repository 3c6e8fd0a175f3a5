//! Promises about calls of several commands.

use super::bench::{Bench, LONG};
use crate::store::legacy::{Command, Compared, IndexEntry, Reply, Standing, Superseded};

pub(super) async fn no_commands_no_replies(bench: Bench) {
    bench.must(
        bench.run(&[]).await.is_empty(),
        "a call without commands must have no replies",
    );
}

pub(super) async fn replies_stand_in_their_places(bench: Bench) {
    let (key, index) = (&*bench.name("record"), &*bench.name("index"));
    let put = |member, score| Command::IndexPut {
        index,
        member,
        score,
        ttl: LONG,
    };
    let entry = |member: &str, score| IndexEntry {
        member: member.into(),
        standing: Standing::Live { score },
    };
    let pairs = [
        (Command::Load { key }, Reply::Record(None)),
        (
            Command::Insert {
                key,
                value: b"1",
                ttl: LONG,
            },
            Reply::Applied(true),
        ),
        (put("old", 1), Reply::Done),
        (
            Command::Insert {
                key,
                value: b"2",
                ttl: LONG,
            },
            Reply::Applied(false),
        ),
        (
            Command::Replace {
                key,
                value: b"3",
                ttl: LONG,
            },
            Reply::Applied(true),
        ),
        (
            Command::IndexCheck {
                index,
                member: "old",
            },
            Reply::Applied(true),
        ),
        (Command::Expire { key, ttl: LONG }, Reply::Applied(true)),
        (put("new", 2), Reply::Done),
        (
            Command::CompareAndSet {
                key,
                expected: b"3",
                value: b"4",
                ttl: LONG,
            },
            Reply::Compared(Compared::Equal),
        ),
        (
            Command::IndexSupersede {
                index,
                old: "old",
                new: "new",
                now: super::bench::MARKED,
            },
            Reply::Superseded(Superseded::Marked),
        ),
        (
            Command::CompareAndDelete {
                key,
                expected: b"3",
            },
            Reply::Compared(Compared::Different(b"4"[..].into())),
        ),
        (
            Command::IndexDue {
                index,
                score: 9,
                limit: 9,
            },
            Reply::Members(vec!["new".into()]),
        ),
        (
            Command::IndexMarkAll {
                index,
                keep: Some("new"),
                now: super::bench::MARKED,
            },
            Reply::Members(vec!["old".into()]),
        ),
        (Command::Delete { key }, Reply::Applied(true)),
        (
            Command::IndexRemove {
                index,
                members: &["old"],
            },
            Reply::Done,
        ),
        (
            Command::IndexEntries { index },
            Reply::Entries(vec![entry("new", 2)]),
        ),
        (Command::Load { key }, Reply::Record(None)),
    ];
    let commands = pairs.each_ref().map(|(command, _)| *command);
    for (reply, (command, expected)) in bench.run(&commands).await.iter().zip(&pairs) {
        bench.must(
            reply == expected,
            &format!("in a batch of all commands {command:?} must be answered by {expected:?}, not {reply:?}"),
        );
    }
}

pub(super) async fn commands_run_in_order(bench: Bench) {
    let key = &*bench.name("record");
    let values: Vec<_> = (0..50).map(|n: u32| n.to_string()).collect();
    let mut commands = vec![Command::Insert {
        key,
        value: b"",
        ttl: LONG,
    }];
    for value in &values {
        commands.push(Command::Replace {
            key,
            value: value.as_bytes(),
            ttl: LONG,
        });
        commands.push(Command::Load { key });
    }
    let replies = bench.run(&commands).await;
    for (pair, value) in replies[1..].chunks(2).zip(&values) {
        let seen =
            matches!(&pair[1], Reply::Record(Some(stored)) if stored.value == value.as_bytes());
        bench.must(
            seen,
            "a command must see what those before it in the same call did",
        );
    }
}

pub(super) async fn a_long_batch(bench: Bench) {
    let keys: Vec<_> = (0..300).map(|n| bench.name(&n.to_string())).collect();
    let insert = |key| Command::Insert {
        key,
        value: key.as_bytes(),
        ttl: LONG,
    };
    let inserts: Vec<_> = keys
        .iter()
        .step_by(3)
        .map(|key| insert(key.as_str()))
        .collect();
    bench.run(&inserts).await;
    let loads: Vec<_> = keys.iter().map(|key| Command::Load { key }).collect();
    for (at, reply) in bench.run(&loads).await.into_iter().enumerate() {
        let kept = match reply {
            Reply::Record(Some(stored)) => at % 3 == 0 && stored.value == keys[at].as_bytes(),
            Reply::Record(None) => at % 3 != 0,
            _ => false,
        };
        bench.must(
            kept,
            "each of 300 loads in one call must be answered by its own record",
        );
    }
}

pub(super) async fn a_dropped_call_disturbs_nobody(bench: Bench) {
    let known = bench.name("known");
    bench.insert(&known, b"known", LONG).await;
    for n in 0..30 {
        let key = &*bench.name(&format!("dropped-{n}"));
        let insert = Command::Insert {
            key,
            value: b"whole",
            ttl: LONG,
        };
        bench.drop_call(&[insert, Command::Load { key }]).await;
        bench.must(
            bench.value(&known).await.as_deref() == Some(b"known"),
            "a dropped call must not disturb the answers of later calls",
        );
        let value = bench.value(key).await;
        bench.must(
            value.is_none_or(|value| value == b"whole"),
            "a command of a dropped call must be applied wholly or not at all",
        );
    }
}
