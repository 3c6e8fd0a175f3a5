//! An outage that lasts longer than the patience of the clients.

use std::slice;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use peers::Peer;
use tokio::time::{sleep, sleep_until};

use super::requests::{Answers, Sessions, send};
use super::{Outage, Rounds, recovery, unanswered};
use crate::client::{Answer, Credential, Reply, Site};
use crate::finding::{Finding, Promise};
use crate::harness::Harness;

/// What one outage has shown.
struct Round {
    answers: Answers,
    recoveries: [Option<Duration>; 2],
    /// Sessions that nothing has ended, and that are gone or incomplete.
    lost: usize,
    sessions: usize,
    /// Logins and writes that were answered 200 and are not stored.
    not_stored: usize,
    /// Logouts in the outage that were answered 200, and the token works.
    logouts_undone: usize,
    /// The same for logouts after it, of sessions that were read in it.
    later_undone: usize,
    later_logouts: usize,
}

pub(super) async fn run(peer: Peer, outage: Outage, rounds: Rounds) -> Vec<Finding> {
    let mut results = Vec::new();
    for _ in 0..rounds.outages {
        results.push(round(peer, outage, rounds.patience).await);
    }
    let mut findings = answered(outage.name(), &results);
    findings.extend(afterwards(outage.name(), &results));
    findings
}

async fn round(peer: Peer, outage: Outage, patience: Duration) -> Round {
    let mut harness = Harness::start(peer, patience);
    let [a, b] = [&harness.a, &harness.b].map(|process| process.site.clone());
    let sessions = Sessions::create(&a).await;
    let end = Instant::now() + patience + Duration::from_secs(3);
    outage.begin(&mut harness);
    let answers = send([a.clone(), b.clone()], &sessions).await;
    // The same outage for all libraries: those that answer sooner wait, too.
    sleep_until(end.into()).await;
    outage.end(&mut harness);
    let reads = [(&a, &sessions.used[0]), (&b, &sessions.unused[0])];
    let recoveries = recovery::recoveries(reads).await;
    let fresh = harness.fresh();
    let read = sessions.used.iter().chain(&sessions.unused);
    let lost = missing(&fresh.site, read.chain([&sessions.idle])).await;
    let later = &sessions.unused[1..];
    Round {
        recoveries,
        lost,
        sessions: sessions.used.len() + sessions.unused.len() + 1,
        not_stored: not_stored(&fresh.site, &answers, &sessions).await,
        logouts_undone: logouts_undone(&fresh.site, &answers, &sessions).await,
        later_undone: undone(&harness, &b, later).await,
        later_logouts: later.len(),
        answers,
    }
}

async fn missing(site: &Site, sessions: impl Iterator<Item = &Credential>) -> usize {
    let mut missing = 0;
    for credential in sessions {
        missing += usize::from(!is_complete(site, credential).await);
    }
    missing
}

/// Reads a session, again if the first answer is not right.
async fn is_complete(site: &Site, credential: &Credential) -> bool {
    for _ in 0..3 {
        let fields = site.read(credential).await.unwrap_or_default();
        if fields.contains_key("a") {
            return true;
        }
        sleep(Duration::from_millis(200)).await;
    }
    false
}

async fn not_stored(site: &Site, answers: &Answers, sessions: &Sessions) -> usize {
    let fields = site.read(&sessions.written).await.unwrap_or_default();
    let write = answers.set.is_ok() && !fields.contains_key("b");
    let login = answers.login.is_ok() && !site.is_alive(&answers.login.credential()).await;
    usize::from(write) + usize::from(login)
}

async fn logouts_undone(site: &Site, answers: &Answers, sessions: &Sessions) -> usize {
    let mut undone = 0;
    let ended = [&sessions.ended, &sessions.read_and_ended];
    for (answer, credential) in answers.logouts.iter().zip(ended) {
        undone += usize::from(answer.is_ok() && site.is_alive(credential).await);
    }
    undone
}

/// Ends sessions in process B; returns how many of those answered 200 work in a new process.
async fn undone(harness: &Harness, b: &Site, sessions: &[Credential]) -> usize {
    let logouts = sessions
        .iter()
        .map(|credential| b.post("/logout", credential));
    let answers = join_all(logouts).await;
    let fresh = harness.fresh();
    let mut alive = 0;
    for (credential, answer) in sessions.iter().zip(answers) {
        let is_undone = answer.is_ok() && fresh.site.is_alive(credential).await;
        alive += usize::from(is_undone);
    }
    alive
}

/// Returns the answers to one kind of request.
type Get = fn(&Answers) -> &[Answer];

fn answered(outage: &str, results: &[Round]) -> Vec<Finding> {
    let reads: Vec<_> = results
        .iter()
        .flat_map(|round| round.answers.reads.clone())
        .collect();
    let row = format!("{outage}: a read of a live session");
    let denied = Finding::answers(row.as_str(), &reads, |answer| {
        answer.reply == Reply::Status(401)
    });
    let served = super::served(row.as_str(), &reads);
    let reads = Finding::answers(row, &reads, unanswered).of(Promise::AnswersInOutage);
    let reads = reads.and(denied.of(Promise::KeepsLogins)).and(served);
    let mut findings = vec![reads];
    let others: [(_, Get); 4] = [
        ("a write", |answers| slice::from_ref(&answers.set)),
        ("a login", |answers| slice::from_ref(&answers.login)),
        ("a logout", |answers| &answers.logouts),
        ("a route that uses no session, with a token", |answers| {
            slice::from_ref(&answers.none)
        }),
    ];
    for (request, answer) in others {
        let answers: Vec<_> = results
            .iter()
            .flat_map(|round| answer(&round.answers).to_vec())
            .collect();
        let row = format!("{outage}: {request}");
        findings.push(Finding::answers(row, &answers, unanswered).of(Promise::AnswersInOutage));
    }
    findings
}

fn afterwards(outage: &str, results: &[Round]) -> [Finding; 5] {
    let sum = |row: &str, violations: fn(&Round) -> usize, of: fn(&Round) -> usize| {
        let violations = results.iter().map(violations).sum();
        let of = results.iter().map(of).sum();
        Finding::count(format!("{outage}: {row}"), violations, of)
    };
    let recoveries: Vec<_> = results.iter().flat_map(|round| round.recoveries).collect();
    [
        sum(
            "a write or login is answered 200 and not stored",
            |it| it.not_stored,
            |_| 2,
        )
        .of(Promise::AnswersInOutage),
        sum(
            "a logout is answered 200 and the token works afterwards",
            |it| it.logouts_undone,
            |it| it.answers.logouts.len(),
        )
        .of(Promise::EndsSessions),
        recovery::finding(outage, &recoveries),
        sum(
            "afterwards, a session is lost or incomplete",
            |it| it.lost,
            |it| it.sessions,
        )
        .of(Promise::KeepsRecords),
        sum(
            "afterwards, a logout is answered 200 and the token works in a new process",
            |it| it.later_undone,
            |it| it.later_logouts,
        )
        .of(Promise::EndsSessions),
    ]
}
