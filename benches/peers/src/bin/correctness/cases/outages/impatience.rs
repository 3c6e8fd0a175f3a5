//! Clients that give up before Redis answers: their requests may still be done.

use std::time::Duration;

use futures_util::future::{join, join_all};
use peers::Peer;
use test_support::redis_server::RedisServer;
use test_support::unique;
use tokio::time::sleep;

use super::{Outage, Rounds, unanswered};
use crate::client::{Answer, Credential, Site};
use crate::finding::Finding;
use crate::harness::Harness;
use crate::records;

const PATIENCE: Duration = Duration::from_secs(5);
const SPAN: Duration = Duration::from_secs(6);
const CLIENTS: usize = 3;

/// A client that writes one session, ends another, and logs in as a third user.
struct Client {
    written: Credential,
    ended: Credential,
    user: String,
}

/// What a client has sent, and whether it was done.
struct Request {
    kind: Kind,
    answer: Answer,
    is_done: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Write,
    Logout,
    Login,
}

pub(super) async fn run(peer: Peer, rounds: Rounds) -> [Finding; 4] {
    let mut requests = Vec::new();
    for _ in 0..rounds.outages {
        requests.extend(round(peer).await);
    }
    let row = "Redis hangs for 6 s, clients give up after 5 s";
    let answers: Vec<_> = requests.iter().map(|it| it.answer.clone()).collect();
    let done = |result, kind| {
        let of_kind = || requests.iter().filter(|it| it.kind == kind);
        let done = of_kind().filter(|it| it.is_done && !it.answer.is_ok());
        let row = format!("{row}: {result}");
        Finding::count(row, done.count(), of_kind().count()).not_promised()
    };
    let answers_row = format!("{row}: a write, a logout or a login");
    [
        Finding::answers(answers_row, &answers, unanswered),
        done("a write that is not answered 200 is stored", Kind::Write),
        done("a logout that is not answered 200 is done", Kind::Logout),
        done(
            "a login that is not answered 200 leaves a record",
            Kind::Login,
        ),
    ]
}

async fn round(peer: Peer) -> Vec<Request> {
    let mut harness = Harness::start(peer, PATIENCE);
    let site = harness.a.site.clone();
    let clients = join_all((0..CLIENTS).map(|_| Client::new(&site))).await;
    Outage::Hangs.begin(&mut harness);
    let answers = join_all(clients.iter().map(|client| client.send(&site)));
    let (answers, ()) = join(answers, async {
        sleep(SPAN).await;
        Outage::Hangs.end(&mut harness);
    })
    .await;
    // Servers may go on with a request whose client has gone.
    sleep(Duration::from_secs(2)).await;
    let fresh = harness.fresh();
    let mut requests = Vec::new();
    for (client, answers) in clients.iter().zip(answers) {
        let done = client.done(&fresh.site, &harness.redis).await;
        let each = answers.into_iter().zip(done);
        requests.extend(each.map(|(answer, (kind, is_done))| Request {
            kind,
            answer,
            is_done,
        }));
    }
    requests
}

impl Client {
    async fn new(site: &Site) -> Self {
        Self {
            written: site.login(&unique("user")).await,
            ended: site.login(&unique("user")).await,
            user: unique("user"),
        }
    }

    async fn send(&self, site: &Site) -> [Answer; 3] {
        let login = format!("/login?user={}&renew=1", self.user);
        let no_session = Credential::default();
        tokio::join!(
            site.post("/set?k=a&v=1", &self.written),
            site.post("/logout", &self.ended),
            site.post(&login, &no_session),
        )
        .into()
    }

    /// Returns which of its requests have been done.
    async fn done(&self, site: &Site, redis: &RedisServer) -> [(Kind, bool); 3] {
        let written = site.read(&self.written).await.unwrap_or_default();
        [
            (Kind::Write, written.contains_key("a")),
            (Kind::Logout, !site.is_alive(&self.ended).await),
            (Kind::Login, records::of_user(redis, &self.user) > 0),
        ]
    }
}
