//! Promises about indexes and their scores.

use super::bench::{Bench, LONG};
use crate::store::legacy::Superseded;

pub(super) async fn an_absent_index_is_empty(bench: Bench) {
    let index = bench.name("index");
    bench.must(
        bench.entries(&index).await.is_empty(),
        "an absent index must have no entries",
    );
    bench.must(
        !bench.check(&index, "a").await,
        "an absent index must have no members",
    );
    bench.must(
        bench.due(&index, i64::MAX, 9).await.is_empty(),
        "an absent index must have none due",
    );
    bench.must(
        bench.mark_all(&index, None).await.is_empty(),
        "an absent index must have none to mark",
    );
    bench.must(
        bench.supersede(&index, "a", "b").await == Superseded::OldGone,
        "in an absent index the old member must be gone",
    );
    bench.remove(&index, &["a"]).await;
    bench.remove(&index, &[]).await;
    bench.must(
        bench.entries(&index).await.is_empty(),
        "only an index-put may enter a member",
    );
}

pub(super) async fn put_enters_and_raises(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("a", 10), ("b", 20)]).await;
    let expected = [("a", Some(10)), ("b", Some(20))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "an index-put must enter its member",
    );
    bench
        .put_all(&index, &[("a", 30), ("b", 20), ("b", 5)])
        .await;
    let expected = [("a", Some(30)), ("b", Some(20))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "an index-put must raise its member's score, and never lower it",
    );
}

pub(super) async fn scores_are_exact(bench: Bench) {
    let index = bench.name("index");
    let scores = [
        ("a", 5),
        ("b", 0),
        ("c", 1_700_000_001),
        ("d", 253_402_300_799),
    ];
    bench.put_all(&index, &scores).await;
    let expected = scores.map(|(member, score)| (member, Some(score)));
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "scores must be kept to the second",
    );
}

pub(super) async fn remove_takes_only_its_members(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("a", 1), ("b", 2), ("c", 3)]).await;
    bench.remove(&index, &[]).await;
    bench.remove(&index, &["unknown"]).await;
    bench.must(
        bench.entries(&index).await.len() == 3,
        "an index-remove must take no member that it does not name",
    );
    bench.remove(&index, &["a", "unknown", "c", "a"]).await;
    let expected = [("b", Some(2))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "an index-remove must take its members",
    );
    bench.remove(&index, &["b"]).await;
    bench.must(
        bench.entries(&index).await.is_empty(),
        "an index-remove must take the last member, too",
    );
    bench.put(&index, "b", 1, LONG).await;
    let expected = [("b", Some(1))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "a member removed and put again must have the new score",
    );
}

pub(super) async fn check_asks_for_the_member(bench: Bench) {
    let index = bench.name("index");
    bench
        .put_all(&index, &[("a", 1), ("ab", 0), ("c", 2)])
        .await;
    for (member, stands) in [
        ("a", true),
        ("ab", true),
        ("c", true),
        ("b", false),
        ("", false),
    ] {
        bench.must(
            bench.check(&index, member).await == stands,
            "an index-check must find a member that stands, and no other",
        );
    }
}

pub(super) async fn due_is_ordered_and_limited(bench: Bench) {
    let index = bench.name("index");
    let members = [("e", 10), ("d", 20), ("c", 30), ("b", 40), ("a", 50)];
    bench.put_all(&index, &members).await;
    for (score, limit, expected) in [
        (9, 9, &[][..]),
        (10, 9, &["e"]),
        (35, 9, &["c", "d", "e"]),
        (50, 3, &["c", "d", "e"]),
        (i64::MAX, 1, &["e"]),
        (i64::MAX, usize::MAX, &["a", "b", "c", "d", "e"]),
        (50, 0, &[]),
    ] {
        bench.must(
            bench.due(&index, score, limit).await == expected,
            "index-due must list those whose score is at most the given one, lowest first, up to the limit",
        );
    }
    bench.must(
        bench.entries(&index).await.len() == members.len(),
        "index-due must leave the index alone",
    );
}

pub(super) async fn indexes_are_apart(bench: Bench) {
    let names = ["owner", "owner-1", "owner*", "own"].map(|name| bench.name(name));
    for (name, score) in names.iter().zip(1..) {
        bench.put_all(name, &[("member", score)]).await;
    }
    bench.mark_all(&names[0], None).await;
    bench.remove(&names[3], &["member"]).await;
    for (name, score) in names[1..3].iter().zip(2..) {
        bench.must_hold(
            &bench.entries(name).await,
            &[("member", Some(score))],
            "a command must touch the index of its own name only",
        );
    }
}
