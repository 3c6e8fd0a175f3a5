//! Promises about members that are marked as dying.

use super::bench::{Bench, LONG};
use crate::store::legacy::Superseded;

pub(super) async fn mark_all_marks_all(bench: Bench) {
    let index = bench.name("index");
    bench
        .put_all(&index, &[("a", 1), ("b", i64::from(i32::MAX))])
        .await;
    bench.must(
        bench.mark_all(&index, None).await == ["a", "b"],
        "index-mark-all must return all that it marks",
    );
    for member in ["a", "b"] {
        bench.must(
            !bench.check(&index, member).await,
            "a marked member must not stand unmarked",
        );
    }
    let expected = [("a", None), ("b", None)];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "a marked member must be listed as such",
    );
}

pub(super) async fn mark_all_spares_one(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("a", 1), ("b", 2), ("c", 3)]).await;
    bench.must(
        bench.mark_all(&index, Some("b")).await == ["a", "c"],
        "index-mark-all must not return the member to keep",
    );
    let expected = [("a", None), ("b", Some(2)), ("c", None)];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "index-mark-all must leave the member to keep alone",
    );
    bench.must(
        bench.mark_all(&index, Some("unknown")).await == ["a", "b", "c"],
        "index-mark-all must mark all if the member to keep is missing",
    );
    bench.must(
        !bench.entries(&index).await.contains_key("unknown"),
        "index-mark-all must not enter the member to keep",
    );
}

pub(super) async fn mark_all_returns_leftovers(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("a", 1), ("b", 2)]).await;
    bench.mark_all(&index, None).await;
    bench.put_all(&index, &[("c", 3)]).await;
    bench.must(
        bench.mark_all(&index, Some("c")).await == ["a", "b"],
        "index-mark-all must return those marked before",
    );
    bench.must(
        bench.mark_all(&index, Some("a")).await == ["a", "b", "c"],
        "index-mark-all must return those marked before, even the one to keep",
    );
}

pub(super) async fn a_mark_stays(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("a", 1), ("b", 1)]).await;
    bench.mark_all(&index, Some("b")).await;
    bench
        .put_all(&index, &[("a", 0), ("a", 253_402_300_799)])
        .await;
    let expected = [("a", None), ("b", Some(1))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "an index-put must not lift a mark",
    );
    bench.must(
        !bench.check(&index, "a").await,
        "an index-put must not lift a mark",
    );
}

pub(super) async fn a_mark_can_be_removed(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("a", 1), ("b", 1)]).await;
    bench.mark_all(&index, Some("b")).await;
    bench.remove(&index, &["a"]).await;
    let expected = [("b", Some(1))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "an index-remove must take the marked",
    );
    bench.put(&index, "a", 2, LONG).await;
    bench.must(
        bench.check(&index, "a").await,
        "a member removed and put again must stand unmarked",
    );
}

pub(super) async fn the_marked_are_not_due(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("a", 1), ("b", 2), ("c", 3)]).await;
    bench.supersede(&index, "a", "b").await;
    bench.must(
        bench.due(&index, i64::MAX, 2).await == ["b", "c"],
        "index-due must not list the marked, nor count them",
    );
}

pub(super) async fn supersede_marks_the_old(bench: Bench) {
    let index = bench.name("index");
    bench
        .put_all(&index, &[("old", 1), ("new", 2), ("other", 3)])
        .await;
    bench.must(
        bench.supersede(&index, "old", "new").await == Superseded::Marked,
        "index-supersede must mark the old member if both stand unmarked",
    );
    let expected = [("new", Some(2)), ("old", None), ("other", Some(3))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "index-supersede must mark the old member and no other",
    );
}

pub(super) async fn supersede_sees_the_old_gone(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("marked", 1), ("new", 2)]).await;
    bench.mark_all(&index, Some("new")).await;
    for (old, new) in [
        ("marked", "new"),
        ("missing", "new"),
        ("marked", "missing"),
        ("missing", "missing"),
    ] {
        bench.must(
            bench.supersede(&index, old, new).await == Superseded::OldGone,
            "index-supersede must be OldGone if the old member is marked or missing",
        );
    }
    let expected = [("marked", None), ("new", Some(2))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "a refused supersession must do nothing",
    );
}

pub(super) async fn supersede_sees_the_new_gone(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("marked", 1), ("old", 2)]).await;
    bench.mark_all(&index, Some("old")).await;
    for new in ["marked", "missing"] {
        bench.must(
            bench.supersede(&index, "old", new).await == Superseded::NewGone,
            "index-supersede must be NewGone if only the new member is marked or missing",
        );
    }
    let expected = [("marked", None), ("old", Some(2))];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "a refused supersession must do nothing",
    );
}

pub(super) async fn unmark_takes_the_mark_away(bench: Bench) {
    let index = bench.name("index");
    bench.put_all(&index, &[("a", 5), ("b", 5), ("c", 5)]).await;
    bench.mark_all(&index, Some("c")).await;
    for (member, score) in [("a", 3), ("c", 4), ("new", 7)] {
        bench.unmark(&index, member, score).await;
    }
    let expected = [
        ("a", Some(3)),
        ("b", None),
        ("c", Some(5)),
        ("new", Some(7)),
    ];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "index-unmark must take the mark of its member away, and never lower a score",
    );
}

pub(super) async fn prune_takes_only_what_is_due(bench: Bench) {
    let index = bench.name("index");
    bench
        .put_all(&index, &[("a", 5), ("b", 9), ("c", 10), ("d", 1)])
        .await;
    bench.mark_all(&index, Some("c")).await;
    bench
        .put_all(&index, &[("e", 5), ("f", 9), ("g", 10)])
        .await;
    for members in [&["a", "c", "e", "f", "g", "unknown"][..], &[]] {
        bench.prune(&index, members, 9).await;
    }
    let expected = [
        ("a", None),
        ("b", None),
        ("c", Some(10)),
        ("d", None),
        ("g", Some(10)),
    ];
    bench.must_hold(
        &bench.entries(&index).await,
        &expected,
        "index-prune must leave what is marked, not due, or not named",
    );
}
