//! The max age of one session.

use std::time::SystemTime;

use jwt_redis_session::Touch::{After, EveryRead, Never};
use jwt_redis_session::store::EntryState;

use super::lifetimes::{Clocked, IDLE, both};
use super::*;

on_every_store!(
    a_session_is_created_and_listed_with_a_max_age,
    every_use_by_every_process_keeps_the_max_age,
    another_id_keeps_the_max_age_and_another_user_does_not,
    the_configuration_applies_again_after_a_clear,
);

pub(super) const DAY: Duration = Duration::from_secs(86_400);
pub(super) const MONTH: Duration = Duration::from_secs(30 * 86_400);
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// Returns whether about `expected` is left.
pub(super) fn is_full(left: Option<Duration>, expected: Duration) -> bool {
    left.is_some_and(|left| left <= expected && left > expected - Duration::from_secs(30))
}

/// Asserts that about `expected` is left, in the store and for the handle.
pub(super) async fn assert_left(store: &impl Store, session: &Session, expected: Duration) {
    let stored = record(store, &key(session)).await.unwrap().ttl;
    for left in [stored, session.remaining()] {
        assert!(is_full(left, expected), "{left:?} instead of {expected:?}");
    }
}

pub(super) async fn remember(session: &Session, max_age: Duration) {
    session.set_max_age(max_age).unwrap();
    session.update().await.unwrap();
}

/// A new session of `jo` with a max age of a [`MONTH`].
async fn remembered(sessions: &Sessions) -> (Session, Token) {
    let session = prepared(sessions, Some("jo"));
    session.set_max_age(MONTH).unwrap();
    assert_eq!(session.max_age(), Some(MONTH), "as it will be stored");
    let token = session.create().await.unwrap();
    assert!(!session.is_modified());
    (session, token)
}

async fn a_session_is_created_and_listed_with_a_max_age(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, _) = remembered(&sessions).await;
    assert_left(&store, &session, MONTH).await;
    let month = SystemTime::now() + MONTH;
    let listed = &sessions.list("jo").await.unwrap()[0];
    assert!(listed.expires_at().unwrap() > month - MINUTE);
    // The index does not forget it before.
    let unix = month.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let unix = i64::try_from(unix.as_secs()).unwrap();
    match entries(&store, INDEX).await[0].state {
        EntryState::Active { check_after } => assert!(check_after >= unix),
        state => panic!("{state:?}"),
    }
}

async fn every_use_by_every_process_keeps_the_max_age(store: impl Store + Clone) {
    let (_, token) = remembered(&sessions(store.clone())).await;
    for touch in [EveryRead, After(IDLE / 2), Never] {
        // Another process, with another idle time.
        let other = builder(store.clone()).max_age(IDLE).touch(touch);
        let opened = open(&other.build().unwrap(), &token).await.unwrap();
        settle().await;
        assert_eq!(opened.max_age(), Some(MONTH));
        assert_left(&store, &opened, MONTH).await;
        for operation in ["update", "update_with", "replace", "reload", "touch"] {
            // A time to live that has to be reset.
            store.set_ttl(&key(&opened), MINUTE).await.unwrap();
            if operation == "reload" {
                opened.touch().await.unwrap();
            }
            run(operation, &opened).await.unwrap();
            assert_left(&store, &opened, MONTH).await;
        }
        opened.touch_for(MINUTE).await.unwrap();
        let kept = if touch == Never { MINUTE } else { MONTH };
        assert!(opened.keep_alive().await.unwrap() > kept - MINUTE);
        assert_left(&store, &opened, kept).await;
        opened.touch().await.unwrap();
    }
}

async fn another_id_keeps_the_max_age_and_another_user_does_not(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, _) = remembered(&sessions).await;
    for operation in ["rotate", "login"] {
        match operation {
            "rotate" => session.rotate().await.map(drop),
            _ => session.login("jo").await.map(drop),
        }
        .unwrap();
        assert_eq!(session.max_age(), Some(MONTH), "{operation}");
        assert_left(&store, &session, MONTH).await;
    }
    session.login("al").await.unwrap();
    assert_eq!(session.max_age(), None);
    assert_left(&store, &session, DAY).await;
}

async fn the_configuration_applies_again_after_a_clear(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for operation in "update update_with replace rotate login".split(' ') {
        let (session, _) = created(&sessions, Some("jo")).await;
        assert_eq!(session.max_age(), None);
        for max_age in [Some(MINUTE), None] {
            match max_age {
                Some(max_age) => session.set_max_age(max_age).unwrap(),
                None => session.clear_max_age(),
            }
            assert!(session.is_modified());
            match operation {
                "login" => drop(session.login("jo").await.unwrap()),
                _ => run(operation, &session).await.unwrap(),
            }
            assert!(!session.is_modified(), "{operation}");
            assert_eq!(session.max_age(), max_age, "{operation}");
            assert_left(&store, &session, max_age.unwrap_or(DAY)).await;
        }
    }
    let (session, _) = created(&sessions, None).await;
    session.set_max_age(MINUTE).unwrap();
    session.reload().await.unwrap();
    assert!(!session.is_modified(), "dropped");
    let text = text(&store, &key(&session)).await;
    assert!(
        text.ends_with(r#"],"a":1}"#) && !text.contains(",60"),
        "{text}"
    );
}

#[tokio::test]
async fn a_read_resets_the_max_age_when_it_is_due() {
    let seconds = Duration::from_secs;
    for (touch, max_age, reads) in [
        // Once a sixteenth of it has passed.
        (None, 160, &[(10, 150), (1, 160), (159, 160)][..]),
        (None, 16_000, &[(1_000, 15_000), (1, 16_000)]),
        // What was chosen for the configuration is at most a sixteenth of it.
        (Some(After(IDLE)), 160, &[(10, 150), (1, 160)]),
        (
            Some(After(seconds(100))),
            16_000,
            &[(100, 15_900), (1, 16_000)],
        ),
        (Some(After(Duration::ZERO)), 160, &[(1, 160)]),
        (Some(EveryRead), 160, &[(1, 160), (159, 160)]),
        (Some(EveryRead), 16_000, &[(15_999, 16_000)]),
        (Some(Never), 160, &[(100, 60), (59, 1)]),
    ] {
        let test = Clocked::new(|builder| match touch {
            Some(touch) => builder.touch(touch),
            None => builder,
        });
        let session = prepared(&test.sessions, Some("jo"));
        session.set_max_age(seconds(max_age)).unwrap();
        let token = session.login("jo").await.unwrap();
        for (after, left) in reads {
            test.open_after(*after, &token).await.unwrap();
            assert_eq!(test.left(&session).await, *left, "{touch:?} {after}");
        }
        assert_eq!(listed(&test.sessions, "jo").await, [id(&session)]);
        let ended = test.open_after(max_age, &token).await;
        assert_eq!(ended.unwrap_err(), UNKNOWN);
    }
}

#[tokio::test]
async fn a_max_age_slides_within_the_absolute_lifetime() {
    for lifetime in [Lifetime::Absolute(IDLE), both(IDLE)] {
        for touch in [None, Some(EveryRead)] {
            let test = Clocked::new(|builder| match touch {
                Some(touch) => builder.lifetime(lifetime).touch(touch),
                None => builder.lifetime(lifetime),
            });
            let session = prepared(&test.sessions, None);
            session.set_max_age(Duration::from_secs(100)).unwrap();
            let token = session.create().await.unwrap();
            assert_eq!(test.left(&session).await, 100);
            for _ in 0..15 {
                test.open_after(99, &token).await.unwrap();
                assert_eq!(test.left(&session).await, 100);
            }
            test.open_after(75, &token).await.unwrap();
            assert_eq!(test.left(&session).await, 40, "the absolute end");
            let last = test.open_after(39, &token).await.unwrap();
            remember(&last, MONTH).await;
            assert_eq!(test.left(&session).await, 1);
            assert!(test.open_after(1, &token).await.is_err());

            let unused = prepared(&test.sessions, None);
            unused.set_max_age(Duration::from_secs(100)).unwrap();
            let token = unused.create().await.unwrap();
            assert!(test.open_after(100, &token).await.is_err());
        }
    }
}

/// A read with a time to live of the configuration would end a longer session early, or keep a
/// shorter one, if its second step fails.
#[tokio::test]
async fn a_read_that_always_touches_sets_no_other_time_to_live_before() {
    for max_age in [10, 160_000] {
        let test = Clocked::new(|builder| builder.touch(EveryRead));
        let session = prepared(&test.sessions, None);
        session.set_max_age(Duration::from_secs(max_age)).unwrap();
        let token = session.create().await.unwrap();
        test.faults
            .on(Step::SetTtl)
            .fail_with(StoreErrorKind::Timeout);
        assert_unavailable(test.open_after(1, &token).await, StoreErrorKind::Timeout);
        assert_eq!(test.left(&session).await, max_age - 1);
        test.faults.heal();
        test.open_after(0, &token).await.unwrap();
        assert_eq!(test.left(&session).await, max_age);
    }
}

#[tokio::test]
async fn an_invalid_max_age_changes_nothing() {
    let sessions = sessions(MemoryStore::new());
    let (session, _) = created(&sessions, None).await;
    remember(&session, MONTH).await;
    for bad in [Duration::ZERO, Duration::from_millis(1500), Duration::MAX] {
        let set = session.set_max_age(bad);
        assert_eq!(set, Err(SessionError::InvalidDuration), "{bad:?}");
        assert!(!session.is_modified());
    }
    session.update().await.unwrap();
    assert_eq!(session.max_age(), Some(MONTH));
}
