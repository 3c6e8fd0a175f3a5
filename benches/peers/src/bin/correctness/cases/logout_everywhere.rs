//! "Log out everywhere" while a write, a rotation and a login of the user are in flight.

use std::time::Duration;

use futures_util::future::join4;
use test_support::unique;
use tokio::time::sleep;

use crate::client::{Credential, Reply, Site};
use crate::finding::{Finding, Promise, how_many, rounds};
use crate::harness::Harness;

const ROW: &str = "logout everywhere while a write, a rotation and a login are in flight";

pub(super) async fn run(harness: &Harness, number: usize) -> Vec<Finding> {
    let works = format!("{ROW}: an earlier session works afterwards");
    let unlisted = format!("{ROW}: a session works and is not listed");
    let probe = harness.a.site.login(&unique("user")).await;
    if harness.a.site.get("/list", &probe).await.reply == Reply::Status(404) {
        return [works, unlisted].map(Finding::no_such_operation).into();
    }
    let [_, (_, sites)] = harness.pairs();
    let results = rounds(number, 5, |round| everywhere(sites.clone(), round)).await;
    vec![
        Finding::count(works, how_many(&results, |result| result.works), number)
            .of(Promise::EndsSessions),
        Finding::count(
            unlisted,
            how_many(&results, |result| result.is_unlisted),
            number,
        ),
    ]
}

struct Everywhere {
    works: bool,
    is_unlisted: bool,
}

async fn everywhere([a, b]: [Site; 2], round: usize) -> Everywhere {
    let user = unique("user");
    let sessions = [
        a.login(&user).await,
        a.login(&user).await,
        a.login(&user).await,
    ];
    let logout = async {
        sleep(Duration::from_millis(round as u64 % 12)).await;
        a.post("/logout-all", &sessions[2]).await
    };
    let login = format!("/login?user={user}");
    let none = Credential::default();
    let (logout, _, rotated, late) = join4(
        logout,
        b.post("/set?k=a&v=1&sleep_ms=5", &sessions[0]),
        b.post("/rotate?sleep_ms=5", &sessions[1]),
        b.post(&login, &none),
    )
    .await;
    let mut works = false;
    for earlier in &sessions {
        works |= b.is_alive(earlier).await;
    }
    if rotated.is_ok() {
        works |= b.is_alive(&rotated.credential()).await;
    }
    Everywhere {
        works: logout.is_ok() && works,
        is_unlisted: !is_listed(&b, &late.credential()).await,
    }
}

/// Returns whether a session is in its own list, or has ended.
async fn is_listed(site: &Site, credential: &Credential) -> bool {
    let list = site.get("/list", credential).await;
    !list.is_ok() || list.text.matches('"').count() == 2
}
