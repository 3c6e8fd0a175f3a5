//! A user with very many sessions. For comparison: nothing here is a fault.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_util::future::join;
use test_support::unique;

use crate::client::{Answer, Credential, Reply, Site};
use crate::finding::{Finding, rounds, seconds};
use crate::harness::Harness;

const SESSIONS: usize = 5000;

pub(super) async fn run(harness: &Harness) -> [Finding; 2] {
    let routes = [("the list", "/list"), ("logout everywhere", "/logout-all")];
    let rows = routes.map(|(name, _)| format!("a user with {SESSIONS} sessions: {name}"));
    let site = &harness.a.site;
    let other = site.login(&unique("user")).await;
    if site.get("/list", &other).await.reply == Reply::Status(404) {
        return rows.map(Finding::no_such_operation);
    }
    let user = unique("user");
    let sessions = rounds(SESSIONS, 32, |_| site.login(&user)).await;
    let list = beside_reads(site, &other, site.get("/list", &sessions[0])).await;
    let logout = site.post("/logout-all", &sessions[0]);
    let logout = beside_reads(site, &other, logout).await;
    let [list_row, logout_row] = rows;
    [
        Finding::note(list_row, list),
        Finding::note(logout_row, logout),
    ]
}

/// Describes how long a request takes, and the slowest of the reads that are sent meanwhile.
async fn beside_reads(
    site: &Site,
    other: &Credential,
    request: impl Future<Output = Answer>,
) -> String {
    let is_done = AtomicBool::new(false);
    let request = async {
        let answer = request.await;
        is_done.store(true, Relaxed);
        answer
    };
    let reads = async {
        let mut slowest = Duration::ZERO;
        while !is_done.load(Relaxed) {
            slowest = slowest.max(site.get("/read", other).await.took);
        }
        slowest
    };
    let (answer, slowest) = join(request, reads).await;
    let (reply, took) = (answer.reply, seconds(answer.took));
    format!("{reply}; {took}; slowest other read {}", seconds(slowest))
}
