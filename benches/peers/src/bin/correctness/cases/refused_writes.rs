//! Redis refuses writes: its memory is full, or it has become a replica.

use test_support::{eventually, unique};

use crate::client::{Credential, Reply, Site};
use crate::finding::{Finding, Promise, how_many};
use crate::harness::Harness;

/// A condition, and the commands that begin and end it.
const CONDITIONS: [(&str, &[&str], &[&str]); 2] = [
    (
        "the memory of Redis is full",
        &["CONFIG", "SET", "maxmemory", "1"],
        &["CONFIG", "SET", "maxmemory", "0"],
    ),
    (
        "Redis is read-only",
        &["REPLICAOF", "127.0.0.1", "1"],
        &["REPLICAOF", "NO", "ONE"],
    ),
];

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (condition, begin, end) in CONDITIONS {
        let mut results = Vec::new();
        for _ in 0..number {
            results.push(refused(harness, begin, end).await);
        }
        let count = |row, violation: fn(&Refused) -> bool| {
            let row = format!("{condition}: {row}");
            Finding::count(row, how_many(&results, violation), number)
        };
        let keeps = Promise::AnswersInOutage;
        findings.extend([
            count("a write is answered 200 and not stored", |it| it.set_lost).of(keeps),
            count("a login is answered 200 and not stored", |it| it.login_lost).of(keeps),
            count("a logout is answered 200 and the token works", |it| {
                it.logout_undone
            })
            .of(Promise::EndsSessions),
            if results.iter().any(|it| it.cannot_rotate) {
                Finding::no_such_operation(format!("{condition}: a new id loses the session"))
            } else {
                count("a new id loses the session", |it| it.rotate_lost).of(Promise::KeepsSessions)
            },
        ]);
    }
    findings
}

struct Refused {
    set_lost: bool,
    login_lost: bool,
    logout_undone: bool,
    rotate_lost: bool,
    cannot_rotate: bool,
}

async fn refused(harness: &Harness, begin: &[&str], end: &[&str]) -> Refused {
    let (a, b) = (&harness.a.site, &harness.b.site);
    let [set_one, logout_one, rotate_one, idle] = logins(a).await;
    harness.redis.run(begin);
    let set = a.post("/set?k=a&v=1", &set_one).await;
    let logout = a.post("/logout", &logout_one).await;
    let rotate = a.post("/rotate", &rotate_one).await;
    let path = format!("/login?user={}&renew=1", unique("user"));
    let login = a.post(&path, &Credential::default()).await;
    harness.redis.run(end);
    // Some clients connect again first.
    eventually("reads are right again", || async { b.user(&idle).await }).await;
    let fields = b.read(&set_one).await.unwrap_or_default();
    let rotated = rotate.is_ok() && b.is_alive(&rotate.credential()).await;
    Refused {
        set_lost: set.is_ok() && !fields.contains_key("a"),
        login_lost: login.is_ok() && !b.is_alive(&login.credential()).await,
        logout_undone: logout.is_ok() && b.is_alive(&logout_one).await,
        rotate_lost: !rotated && !b.is_alive(&rotate_one).await,
        cannot_rotate: rotate.reply == Reply::Status(404),
    }
}

async fn logins(site: &Site) -> [Credential; 4] {
    let login = || async { site.login(&unique("user")).await };
    [login().await, login().await, login().await, login().await]
}
