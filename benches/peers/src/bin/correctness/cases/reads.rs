//! Reads of a session that is written meanwhile, and several reads at once.

use std::time::Duration;

use futures_util::future::{join, join_all};
use test_support::unique;
use tokio::time::sleep;

use crate::client::{Answer, Reply, Site};
use crate::finding::{Finding, Promise, how_many, rounds};
use crate::harness::Harness;

pub(super) async fn run(harness: &Harness, number: usize) -> [Finding; 5] {
    let site = || harness.a.site.clone();
    let beside = rounds(number, 10, |_| beside_a_write(site())).await;
    let count = |row, of: fn(&Beside) -> bool| {
        let row = format!("a read while a write is in flight: {row}");
        Finding::count(row, how_many(&beside, of), number)
    };
    let at_once = rounds(number, 1, |_| at_once(site())).await;
    let count_at_once = |row, of: fn(&AtOnce) -> bool| {
        let row = format!("six reads at once: {row}");
        Finding::count(row, how_many(&at_once, of), number)
    };
    [
        count("the read is not answered 200", |it| it.is_refused),
        count("the write is answered 200 and lost", |it| it.is_lost).of(Promise::KeepsWrites),
        count("the session is lost", |it| it.is_gone).of(Promise::KeepsSessions),
        count_at_once("one is answered 401", |it| it.is_refused),
        count_at_once("the session is lost", |it| it.is_gone).of(Promise::KeepsSessions),
    ]
}

struct Beside {
    is_refused: bool,
    is_lost: bool,
    is_gone: bool,
}

async fn beside_a_write(site: Site) -> Beside {
    let credential = site.login(&unique("user")).await;
    let read = async {
        sleep(Duration::from_millis(40)).await;
        site.get("/read", &credential).await
    };
    let (set, read) = join(site.post("/set?k=a&v=1&sleep_ms=100", &credential), read).await;
    let fields = site.read(&credential).await;
    let lacks = |name| fields.as_ref().is_some_and(|it| !it.contains_key(name));
    Beside {
        is_refused: !read.is_ok(),
        is_lost: set.is_ok() && lacks("a"),
        is_gone: fields.is_none(),
    }
}

struct AtOnce {
    is_refused: bool,
    is_gone: bool,
}

async fn at_once(site: Site) -> AtOnce {
    let credential = site.login(&unique("user")).await;
    let reads = join_all((0..6).map(|_| site.get("/read", &credential))).await;
    let is_refused = |answer: &Answer| answer.reply == Reply::Status(401);
    AtOnce {
        is_refused: reads.iter().any(is_refused),
        is_gone: !site.is_alive(&credential).await,
    }
}
