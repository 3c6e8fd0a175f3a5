//! F22: `destroy_all` while sessions are being created.

use std::collections::BTreeSet;
use std::ops::Range;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use jwt_redis_session::{SessionError, Token};

use super::{Race, UNKNOWN, created, listed, open};
use crate::support::{rounds, until_it_went_both_ways};

const CREATES: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f22_destroy_all_ends_all_before_it_and_leaves_none_unlisted() {
    let race = &Race::prepare().await;
    let rounds = rounds(60, 2_000);
    let mut first = 0;
    until_it_went_both_ways(async |_| {
        let survivors = survivors(race, first..first + rounds).await;
        first += rounds;
        let all = rounds * CREATES;
        eprintln!("f22: {survivors} of {all} survived");
        0 < survivors && survivors < all
    })
    .await;
}

/// Runs rounds and returns how many of the sessions that were created meanwhile survived.
async fn survivors(race: &Race, rounds: Range<usize>) -> usize {
    stream::iter(rounds)
        .map(async |number| {
            let [one, other] = race.round(number);
            let mut before = Vec::new();
            for _ in 0..3 {
                before.push(created(&one, Some("jo")).await.1);
            }
            let create = async |_| {
                let session = other.new_session();
                session.set_owner("jo").unwrap();
                session.create().await
            };
            let creates = join_all((0..CREATES).map(create));
            let (destroyed, creates) = tokio::join!(one.destroy_all("jo"), creates);
            assert!(destroyed.expect("redis answers") >= before.len());
            for token in &before {
                assert_eq!(open(&other, token).await.err(), Some(UNKNOWN));
            }
            let mut alive = BTreeSet::new();
            for outcome in creates {
                alive.extend(survivor(&one, outcome).await);
            }
            let alive: Vec<_> = alive.into_iter().collect();
            assert_eq!(listed(&one, "jo").await, alive, "what works is listed");
            assert_eq!(race.records(number), alive, "what is there has a token");
            assert_eq!(other.destroy_all("jo").await, Ok(alive.len()));
            assert!(race.records(number).is_empty());
            alive.len()
        })
        .buffer_unordered(4)
        .fold(0, async |sum, alive| sum + alive)
        .await
}

/// The id of a session that was created meanwhile, if it works.
async fn survivor(
    sessions: &jwt_redis_session::Sessions,
    outcome: Result<Token, SessionError>,
) -> Option<String> {
    let token = match outcome {
        Ok(token) => token,
        Err(error) => {
            assert_eq!(error, SessionError::Revoked);
            return None;
        }
    };
    match open(sessions, &token).await {
        Ok(session) => Some(session.id().expect("an id").as_str().to_owned()),
        Err(error) => {
            assert_eq!(error, UNKNOWN);
            None
        }
    }
}
