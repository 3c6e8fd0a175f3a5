//! Waiting for the end of a session that is rotated with a grace.

use super::ends::Setup;
use super::*;

/// The shortest grace.
const SHORT: Duration = Duration::from_secs(1);

const LONG: Duration = Duration::from_secs(300);

async fn setups() -> [Setup; 2] {
    [Setup::in_memory(), Setup::in_redis().await]
}

/// Returns a wait for the end of a new session, the handle of another request on it, of this process
/// or of another one, and its token.
async fn waiting_beside(setup: &Setup, by_other: bool) -> (JoinHandle<SessionEnd>, Session, Token) {
    let (session, token) = created(&setup.sessions).await;
    let waiting = wait_for(&session);
    setup.watched().await;
    let process = match by_other {
        true => &setup.other,
        false => &setup.sessions,
    };
    let rotating = process.open(token.as_str()).await.unwrap();
    (waiting, rotating, token)
}

#[tokio::test]
async fn a_wait_under_the_old_id_ends_with_the_grace() {
    for by_other in [false, true] {
        for setup in setups().await {
            let (waiting, rotating, _) = waiting_beside(&setup, by_other).await;
            let start = Instant::now();
            let new = rotating.rotate_with_grace(SHORT).await.unwrap();
            let end = timeout(SHORT + AT_ONCE, waiting).await;
            assert_eq!(end.expect("in time").unwrap(), SessionEnd::Rotated);
            assert!(start.elapsed() >= SHORT, "{:?}", start.elapsed());
            let opened = setup.sessions.open(new.as_str()).await.unwrap();
            assert_eq!(opened.destroy().await, Ok(true));
        }
    }
}

#[tokio::test]
async fn the_end_of_the_new_session_is_noticed_during_the_grace() {
    for by_other in [false, true] {
        for setup in setups().await {
            let (waiting, rotating, token) = waiting_beside(&setup, by_other).await;
            rotating.rotate_with_grace(LONG).await.unwrap();
            let opened = setup.sessions.open(token.as_str()).await.unwrap();
            let waiting_anew = wait_for(&opened);
            sleep(Duration::from_millis(300)).await;
            assert!(!waiting.is_finished() && !waiting_anew.is_finished());
            assert_eq!(rotating.destroy_all().await, Ok(1));
            let reason = match by_other {
                true => SessionEnd::Destroyed,
                false => SessionEnd::LoggedOutEverywhere,
            };
            assert_eq!(at_once(waiting).await, reason);
            assert_eq!(at_once(waiting_anew).await, reason);
        }
    }
}

/// A record with little time left is read, because it may be a redirect. It is none.
#[tokio::test]
async fn a_short_time_to_live_is_no_rotation() {
    for setup in setups().await {
        let (session, _) = created(&setup.sessions).await;
        let waiting = wait_for(&session);
        setup.watched().await;
        for seconds in [100, 600, 1] {
            let ttl = Duration::from_secs(seconds);
            session.touch_for(ttl).await.unwrap();
            sleep(Duration::from_millis(50)).await;
            assert!(!waiting.is_finished());
        }
        let end = timeout(Duration::from_secs(3), waiting).await;
        assert_eq!(end.expect("in time").unwrap(), SessionEnd::Expired);
    }
}
