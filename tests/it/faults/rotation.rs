//! Rotations that race each other, updates and the end of their session.

use futures_util::{StreamExt, stream};
use jwt_redis_session::{Session, SessionError, Sessions, Token};

use super::{Race, UNKNOWN, created, listed, open};
use crate::support::{rounds, until_it_went_both_ways};

const LANES: usize = 8;

/// Two handles on one session, over two connections.
struct Duel {
    sessions: [Sessions; 2],
    one: Session,
    other: Session,
    old: Token,
}

impl Duel {
    async fn prepare(race: &Race, number: usize) -> Self {
        let sessions = race.round(number);
        let owner = number.is_multiple_of(2).then_some("jo");
        let (one, old) = created(&sessions[0], owner).await;
        let other = open(&sessions[1], &old).await.expect("it lives");
        Self {
            sessions,
            one,
            other,
            old,
        }
    }

    /// Nothing but the session of `token` is left, if any; its owner's list and the records of
    /// this round say the same.
    async fn ends_with(&self, race: &Race, number: usize, token: Option<&Token>) {
        let [here, there] = &self.sessions;
        let mut left = Vec::new();
        if let Some(token) = token {
            let session = open(there, token).await.expect("the winner lives");
            left.push(session.id().expect("an id").as_str().to_owned());
        }
        for sessions in [here, there] {
            assert_eq!(open(sessions, &self.old).await.err(), Some(UNKNOWN));
        }
        assert_eq!(race.records(number), left, "no session without a token");
        if number.is_multiple_of(2) {
            assert_eq!(listed(here, "jo").await, left);
        }
    }
}

/// Lets the rotation, which takes several round trips, get ahead by 0 to 4 of them.
async fn give_a_start(session: &Session, number: usize) {
    for _ in 0..number / 2 % 5 {
        let _ = session.is_alive().await;
    }
}

fn is_gone<T: PartialEq + std::fmt::Debug>(outcome: &Result<T, SessionError>) {
    assert_eq!(outcome.as_ref().err(), Some(&SessionError::Gone));
}

/// Runs `round` for many numbers, until it has returned both values. `what` is true if it returns
/// true.
async fn race<F: Future<Output = bool>>(what: &str, round: impl Fn(usize) -> F) {
    let rounds = rounds(100, 3_000);
    let mut first = 0;
    until_it_went_both_ways(async |_| {
        let won = stream::iter(first..first + rounds)
            .map(&round)
            .buffer_unordered(LANES)
            .fold(0, async |sum, won| sum + usize::from(won))
            .await;
        first += rounds;
        eprintln!("f21: {what}: {won} of {rounds}");
        0 < won && won < rounds
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_of_two_rotations_one_wins_and_nothing_else_is_left() {
    let servers = &Race::prepare().await;
    race("the first rotation won", async |number| {
        let duel = Duel::prepare(servers, number).await;
        let (one, other) = tokio::join!(duel.one.rotate(), duel.other.rotate());
        let first = one.is_ok();
        let (won, lost) = if first { (one, other) } else { (other, one) };
        is_gone(&lost);
        let won = won.expect("one wins");
        duel.ends_with(servers, number, Some(&won)).await;
        first
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_a_rotation_takes_every_acknowledged_update_along() {
    let servers = &Race::prepare().await;
    race("the update came in time", async |number| {
        let duel = Duel::prepare(servers, number).await;
        duel.other.insert("b", 2).expect("a number");
        let update = async {
            give_a_start(&duel.other, number).await;
            duel.other.update().await
        };
        let (rotated, updated) = tokio::join!(duel.one.rotate(), update);
        let new = rotated.expect("nobody else rotates");
        let session = open(&duel.sessions[1], &new).await.expect("it lives");
        if updated.is_ok() {
            assert_eq!(session.get::<u8>("b"), Ok(Some(2)), "the update is lost");
        } else {
            is_gone(&updated);
            assert_eq!(session.get::<u8>("b"), Ok(None), "an error is no update");
        }
        duel.ends_with(servers, number, Some(&new)).await;
        updated.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_a_rotation_and_a_destroy_leave_one_session_or_none() {
    let servers = &Race::prepare().await;
    race("the rotation won", async |number| {
        let duel = Duel::prepare(servers, number).await;
        let destroy = async {
            give_a_start(&duel.other, number).await;
            duel.other.destroy().await
        };
        let (rotated, destroyed) = tokio::join!(duel.one.rotate(), destroy);
        let destroyed = destroyed.expect("redis answers");
        match &rotated {
            Ok(new) => {
                assert!(!destroyed, "both say that they ended the old session");
                duel.ends_with(servers, number, Some(new)).await;
            }
            Err(_) => {
                assert!(destroyed);
                is_gone(&rotated);
                duel.ends_with(servers, number, None).await;
            }
        }
        rotated.is_ok()
    })
    .await;
}
