//! F24: what clients saw while Redis was killed, hung and cut off, checked as a whole.
//!
//! `LONG=1` lets it run for several minutes instead of some seconds.

mod checker;
mod checker_tests;
mod client;
mod event;
mod nemesis;

use std::sync::Arc;
use std::time::{Duration, Instant};

use checker::check;
use client::{Client, World};
use event::{Did, Event};
use nemesis::Nemesis;

use crate::support::is_long;

const CLIENTS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_a_history_with_faults_holds_every_promise() {
    let patience = Duration::from_secs(if is_long() { 240 } else { 7 });
    let mut nemesis = Nemesis::start().await;
    let world = Arc::new(World::default());
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let client = Client::connect(number, &nemesis.url(number), Arc::clone(&world));
        clients.push(tokio::spawn(client.work()));
    }
    let end = Instant::now() + patience;
    while Instant::now() < end {
        nemesis.strike().await;
    }
    nemesis.heal();
    world.stop();
    for client in clients {
        client.await.expect("no client panics");
    }
    // Whatever was on its way has come or never will: a last look at every session.
    let last = Client::connect(CLIENTS, &nemesis.url(0), Arc::clone(&world));
    last.read_all().await;
    let history = world.history();
    let unknown = history.iter().filter(|event| event.did.is_unknown());
    let unknown = unknown.count();
    let fine = history.len() - unknown;
    eprintln!("f24: {} strikes, {}", nemesis.strikes(), counts(&history));
    check(&history).unwrap_or_else(|violation| panic!("{violation}"));
    assert!(fine > 500, "too few answers to prove anything");
    assert!(unknown > 0, "no fault reached a client");
}

fn counts(history: &[Event]) -> String {
    let count = |test: fn(&Did) -> bool| history.iter().filter(|event| test(&event.did)).count();
    format!(
        "{} events, {} unknown; {} creates, {} reads, {} updates, {} rotations, {} destroys, {} \
         destroys of all",
        history.len(),
        count(Did::is_unknown),
        count(|did| matches!(did, Did::Create { .. })),
        count(|did| matches!(did, Did::Read { .. })),
        count(|did| matches!(did, Did::Update { .. })),
        count(|did| matches!(did, Did::Rotate { .. })),
        count(|did| matches!(did, Did::Destroy { .. })),
        count(|did| matches!(did, Did::DestroyAll { .. })),
    )
}
