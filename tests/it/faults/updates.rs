//! Writers that race each other and the end of their session.

use std::ops::Range;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use jwt_redis_session::SessionError;

use super::{Race, UNKNOWN, created, open, patient, sessions};
use crate::support::redis_server::RedisServer;
use crate::support::{rounds, until_it_went_both_ways};

/// How many rounds go on at once.
const LANES: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f19_after_destroy_no_update_brings_a_session_back() {
    let race = &Race::prepare().await;
    let rounds = rounds(300, 10_000);
    let mut first = 0;
    until_it_went_both_ways(async |_| {
        let in_time = updates_in_time(race, first..first + rounds).await;
        first += rounds;
        eprintln!("f19: {in_time} of {rounds} updates came in time");
        0 < in_time && in_time < rounds
    })
    .await;
    let left = race.server.run(&["KEYS", "*:[A-Za-z0-9_-]*[A-Za-z0-9_-]"]);
    let left: Vec<String> = redis::from_redis_value(left).expect("names");
    assert_eq!(left, Vec::<String>::new(), "no record is left");
}

/// Runs rounds of an update and a `destroy` at the same time, and returns how many of the updates
/// came first.
async fn updates_in_time(race: &Race, rounds: Range<usize>) -> usize {
    stream::iter(rounds)
        .map(async |number| {
            let [one, other] = race.round(number);
            let (session, token) = created(&one, number.is_multiple_of(2).then_some("jo")).await;
            let writer = open(&other, &token).await.expect("it lives");
            writer.insert("b", 2).expect("a number");
            let (updated, destroyed) = tokio::join!(writer.update(), session.destroy());
            assert_eq!(destroyed, Ok(true));
            if let Err(error) = &updated {
                assert_eq!(*error, SessionError::Gone);
            }
            for sessions in [&one, &other] {
                assert_eq!(open(sessions, &token).await.err(), Some(UNKNOWN));
            }
            assert_eq!(writer.update().await, Err(SessionError::Gone));
            usize::from(updated.is_ok())
        })
        .buffer_unordered(LANES)
        .fold(0, async |sum, one| sum + one)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f20_updates_of_different_keys_are_all_kept() {
    const WRITERS: usize = 12;
    let race = &Race::prepare().await;
    stream::iter(0..rounds(20, 1_000))
        .map(async |number| {
            let [one, other] = race.round(number);
            let (_, token) = created(&one, Some("jo")).await;
            let write = async |writer: usize| {
                let sessions = if writer.is_multiple_of(2) {
                    &one
                } else {
                    &other
                };
                let session = open(sessions, &token).await.expect("it lives");
                session.insert(format!("k{writer}"), writer)?;
                session.insert("last", writer)?;
                session.update().await
            };
            for outcome in join_all((0..WRITERS).map(write)).await {
                outcome.expect("every writer gets through");
            }
            let session = open(&one, &token).await.expect("it lives");
            for writer in 0..WRITERS {
                let kept = session.get::<usize>(&format!("k{writer}"));
                assert_eq!(kept, Ok(Some(writer)));
            }
            let last: Option<usize> = session.get("last").expect("a number");
            assert!(last.is_some_and(|last| last < WRITERS));
        })
        .buffer_unordered(4)
        .collect::<()>()
        .await;
}

/// What a client did, and when it knew.
struct Touch {
    start: Instant,
    end: Instant,
    alive: bool,
}

async fn touch_ten_times(session: &jwt_redis_session::Session, factor: u32) -> Vec<Touch> {
    let mut seen = Vec::new();
    for _ in 0..10 {
        let start = Instant::now();
        let ttl = factor * Duration::from_millis(5);
        let alive = match session.touch_for(ttl).await {
            Ok(()) => true,
            Err(SessionError::Gone) => false,
            Err(error) => panic!("{error}"),
        };
        let end = Instant::now();
        seen.push(Touch { start, end, alive });
        let pause = factor * Duration::from_millis(rand::random::<u64>() % 60);
        tokio::time::sleep(pause).await;
    }
    seen
}

/// F23: clients that touch a session around the moment of its end agree on whether it has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f23_who_saw_a_session_gone_never_sees_it_again() {
    let server = RedisServer::start();
    let sessions = &sessions(patient(&server.url()).await);
    let one_session = async |number: usize, factor: u32| {
        let (session, token) = created(sessions, number.is_multiple_of(2).then_some("jo")).await;
        let handles = join_all((0..20).map(|_| open(sessions, &token))).await;
        let life = factor * Duration::from_millis(200);
        let start = Instant::now();
        session.touch_for(life).await.expect("it lives");
        let clients = handles.into_iter().map(async |session| {
            let session = session.expect("it lives");
            let edge = life.mul_f64(0.97 + 0.06 * rand::random::<f64>());
            tokio::time::sleep_until((start + edge).into()).await;
            touch_ten_times(&session, factor).await
        });
        let seen: Vec<Touch> = join_all(clients).await.into_iter().flatten().collect();
        let gone = seen.iter().filter(|touch| !touch.alive);
        let first_gone = gone.map(|touch| touch.end).min();
        for touch in seen.iter().filter(|touch| touch.alive) {
            assert!(first_gone.is_none_or(|gone| touch.start < gone), "back");
        }
        let alive = seen.iter().filter(|touch| touch.alive).count();
        [alive, seen.len() - alive]
    };
    until_it_went_both_ways(async |factor| {
        let [alive, gone] = stream::iter(0..rounds(20, 400))
            .map(async |number| one_session(number, factor).await)
            .buffer_unordered(20)
            .fold([0, 0], async |sum, one| [sum[0] + one[0], sum[1] + one[1]])
            .await;
        eprintln!("f23: {alive} touches in time, {gone} too late");
        alive > 0 && gone > 0
    })
    .await;
}
