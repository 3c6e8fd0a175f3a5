//! F26: requests that are given up never leave their answer to another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::{connect, open, sessions};
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;
use crate::support::{rounds, until_it_went_both_ways};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_a_cancelled_load_never_gives_its_session_to_another() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let sessions = &sessions(connect(&proxy).await);
    let mut tokens = Vec::new();
    for number in 0..50 {
        let session = sessions.new_session();
        session.insert("number", number).expect("a number");
        let token = session.create().await.expect("redis answers");
        tokens.push((number, session.id(), token));
    }
    proxy.delay(Duration::from_millis(5));
    let (answered, cancelled) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    until_it_went_both_ways(async |factor| {
        for _ in 0..rounds(10, 500) {
            let loads = (0..200).map(|load| {
                let (number, id, token) = &tokens[load % tokens.len()];
                async move {
                    let patience = rand::random::<u64>() % (25_000 * u64::from(factor));
                    let patience = Duration::from_micros(patience);
                    match tokio::time::timeout(patience, open(sessions, token)).await {
                        Ok(session) => {
                            let session = session.expect("redis answers");
                            assert_eq!(session.get("number"), Ok(Some(*number)), "crossed");
                            assert_eq!(session.id(), *id);
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(_) => _ = cancelled.fetch_add(1, Ordering::Relaxed),
                    }
                }
            });
            join_all(loads).await;
        }
        let answered = answered.load(Ordering::Relaxed);
        let cancelled = cancelled.load(Ordering::Relaxed);
        eprintln!("f26: {answered} answered, {cancelled} cancelled");
        answered > 100 && cancelled > 100
    })
    .await;
}
