//! The sessions and the requests of an outage.

use std::time::Duration;

use futures_util::future::join_all;
use test_support::unique;
use tokio::time::sleep;

use crate::client::{Answer, Credential, Site};

/// Sessions that are read in each process. Each is read twice.
const READ: usize = 5;

/// Sessions from before an outage, each with the field `a`.
#[derive(Debug)]
pub(super) struct Sessions {
    /// Were used in process A, and are read there.
    pub used: Vec<Credential>,
    /// Were never used in process B, and are read there.
    pub unused: Vec<Credential>,
    pub written: Credential,
    pub ended: Credential,
    /// Is read in process B in the outage, and then ended.
    pub read_and_ended: Credential,
    pub idle: Credential,
}

/// The answers during an outage.
#[derive(Debug)]
pub(super) struct Answers {
    pub reads: Vec<Answer>,
    pub set: Answer,
    pub logouts: [Answer; 2],
    pub login: Answer,
    pub none: Answer,
}

impl Sessions {
    pub(super) async fn create(a: &Site) -> Self {
        Self {
            used: several(a).await,
            unused: several(a).await,
            written: session(a).await,
            ended: session(a).await,
            read_and_ended: session(a).await,
            idle: session(a).await,
        }
    }
}

async fn several(site: &Site) -> Vec<Credential> {
    let mut credentials = Vec::new();
    for _ in 0..READ {
        credentials.push(session(site).await);
    }
    credentials
}

async fn session(site: &Site) -> Credential {
    let credential = site.login(&unique("user")).await;
    let set = site.post("/set?k=a&v=1", &credential).await;
    assert!(set.is_ok(), "a write fails: {set:?}");
    credential
}

/// Sends reads over two seconds, and the other requests within that time. Waits for all answers.
pub(super) async fn send([a, b]: [Site; 2], sessions: &Sessions) -> Answers {
    let reads = (0..2 * READ).flat_map(|wave| {
        let delay = Duration::from_millis(200 * wave as u64);
        let index = wave % READ;
        [
            read(delay, &a, &sessions.used[index]),
            read(delay, &b, &sessions.unused[index]),
        ]
    });
    let others = async {
        sleep(Duration::from_millis(500)).await;
        let login = format!("/login?user={}&renew=1", unique("user"));
        let no_session = Credential::default();
        let read_and_end = async {
            b.get("/read", &sessions.read_and_ended).await;
            b.post("/logout", &sessions.read_and_ended).await
        };
        tokio::join!(
            a.post("/set?k=b&v=1", &sessions.written),
            a.post("/logout", &sessions.ended),
            read_and_end,
            a.post(&login, &no_session),
            a.get("/none", &sessions.idle),
        )
    };
    let (reads, (set, logout, later, login, none)) = tokio::join!(join_all(reads), others);
    Answers {
        reads,
        set,
        logouts: [logout, later],
        login,
        none,
    }
}

async fn read(delay: Duration, site: &Site, credential: &Credential) -> Answer {
    sleep(delay).await;
    site.get("/read", credential).await
}
