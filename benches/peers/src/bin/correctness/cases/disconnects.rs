//! Clients that disconnect before the response, while Redis is slow.

use std::time::Duration;

use peers::Peer;
use test_support::proxy::Proxy;
use test_support::unique;
use tokio::time::sleep;

use super::Rounds;
use crate::client::{Credential, Reply, Site};
use crate::finding::{Finding, Promise, how_many};
use crate::harness::{Harness, Process};
use crate::records;

/// In each direction: a reply takes twice as long.
const DELAY: Duration = Duration::from_millis(15);
/// Time in which a server finishes what it continues after a disconnect.
const SETTLE: Duration = Duration::from_millis(500);

pub(super) async fn run(peer: Peer, rounds: Rounds) -> Vec<Finding> {
    let slow = Slow::start(Harness::start(peer, rounds.patience)).await;
    let passes = rounds.outages;
    let mut findings = rotations(&slow, passes).await;
    let lefts = slow.cuts("/logout", passes).await;
    let lives = finding("logout", "the session lives on", &lefts, |it| {
        it.token_works
    });
    findings.push(lives.not_promised());
    let lefts = slow.cuts("/set?k=a&v=1", passes).await;
    let gone = finding("write", "the session is lost", &lefts, |it| !it.token_works);
    let stored = finding("write", "it is stored", &lefts, |it| it.is_written);
    findings.extend([gone.of(Promise::KeepsSessions), stored.not_promised()]);
    let lefts = slow.cuts("/login?renew=1", passes).await;
    let record = "a record is left that no one has a token for";
    findings.push(finding("login", record, &lefts, |it| it.records > 0).not_promised());
    findings
}

async fn rotations(slow: &Slow, passes: usize) -> Vec<Finding> {
    let (locked_out, gone) = ("the client's token no longer works", "the session is lost");
    let site = &slow.process.site;
    let probe = site.login(&unique("user")).await;
    if site.post("/rotate", &probe).await.reply == Reply::Status(404) {
        let rows = [locked_out, gone].map(|result| row("new id", result));
        return rows.map(Finding::no_such_operation).into();
    }
    let lefts = slow.cuts("/rotate", passes).await;
    vec![
        // The new token was in the answer that did not arrive.
        finding("new id", locked_out, &lefts, |it| !it.token_works).not_promised(),
        finding("new id", gone, &lefts, |it| {
            !it.token_works && it.records == 0
        })
        .of(Promise::KeepsSessions),
    ]
}

fn row(request: &str, result: &str) -> String {
    format!("the client disconnects in the middle of a {request}: {result}")
}

fn finding(request: &str, result: &str, lefts: &[Left], of: fn(&Left) -> bool) -> Finding {
    Finding::count(row(request, result), how_many(lefts, of), lefts.len())
}

/// A process whose Redis is sometimes slow.
struct Slow {
    harness: Harness,
    proxy: Proxy,
    process: Process,
}

/// What is left after the client has disconnected.
struct Left {
    /// The earlier token works in at least one process.
    token_works: bool,
    is_written: bool,
    /// Records of the user.
    records: usize,
}

impl Slow {
    async fn start(harness: Harness) -> Self {
        let proxy = Proxy::to(harness.redis.address()).await;
        Self {
            process: harness.process(&proxy.url()),
            proxy,
            harness,
        }
    }

    /// Disconnects after 5 ms, 20 ms and so on, until there is an answer before.
    async fn cuts(&self, path: &str, passes: usize) -> Vec<Left> {
        let mut lefts = Vec::new();
        for _ in 0..passes {
            for after in (5..=305).step_by(15).map(Duration::from_millis) {
                match self.cut(path, after).await {
                    Some(left) => lefts.push(left),
                    None => break,
                }
            }
        }
        lefts
    }

    /// Returns nothing if there is an answer before the client disconnects.
    async fn cut(&self, path: &str, after: Duration) -> Option<Left> {
        let user = unique("user");
        self.harness.redis.run(&["FLUSHALL"]);
        let site = &self.process.site;
        let (path, credential) = match path.starts_with("/login") {
            true => (format!("{path}&user={user}"), Credential::default()),
            false => (path.to_owned(), site.login(&user).await),
        };
        let hasty = Site {
            patience: after,
            ..site.clone()
        };
        self.proxy.delay(DELAY);
        let answer = hasty.post(&path, &credential).await;
        sleep(SETTLE).await;
        self.proxy.delay(Duration::ZERO);
        match answer.hangs() {
            true => Some(self.left(&credential, &user).await),
            false => None,
        }
    }

    async fn left(&self, credential: &Credential, user: &str) -> Left {
        let records = records::of_user(&self.harness.redis, user);
        let stored = self.harness.b.site.read(credential).await;
        Left {
            token_works: stored.is_some() || self.process.site.is_alive(credential).await,
            is_written: stored.is_some_and(|fields| fields.contains_key("a")),
            records,
        }
    }
}
