//! Tickets, which open a session once.

use futures_util::future::join_all;
use jwt_redis_session::config::Clock as _;
use jwt_redis_session::token::{NewClaims, Ticket};

use super::hooks::yielding;
use super::lifetimes::{Clocked, IDLE, both};
use super::*;

on_every_store!(
    a_ticket_opens_the_session_once,
    neither_a_ticket_nor_a_token_is_the_other,
    one_of_many_calls_opens,
    a_ticket_opens_nothing_after_the_end_of_the_session,
    a_ticket_expires_in_the_store,
);

const MALFORMED: SessionError = SessionError::Rejected(TokenRejection::Malformed);

async fn open(sessions: &Sessions, ticket: &Ticket) -> Result<Session, SessionError> {
    sessions.open_ticket(ticket.as_str()).await
}

async fn assert_spent(sessions: &Sessions, ticket: &Ticket) {
    assert_eq!(open(sessions, ticket).await.err(), Some(UNKNOWN));
}

async fn a_ticket_opens_the_session_once(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions, Some("jo")).await;
    let first = session.ticket().await.unwrap();
    let second = session.ticket().await.unwrap();
    session.insert("b", 2).unwrap();
    session.update().await.unwrap();

    let opened = open(&sessions, &first).await.unwrap();
    assert_eq!(opened.id(), session.id());
    assert_eq!(opened.to_json(), json!({"a": 1, "b": 2}), "as it is now");
    assert_eq!(opened.owner().as_deref(), Some("jo"));
    assert!(opened.claims().is_none());
    assert_spent(&sessions, &first).await;
    assert!(open(&sessions, &second).await.is_ok(), "each works once");
    assert_spent(&sessions, &second).await;
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
}

async fn neither_a_ticket_nor_a_token_is_the_other(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions, None).await;
    let ticket = session.ticket().await.unwrap();
    let as_token = sessions.open(ticket.as_str()).await;
    assert_eq!(as_token.err(), Some(MALFORMED));
    let as_ticket = sessions.open_ticket(token.as_str()).await;
    assert_eq!(as_ticket.err(), Some(MALFORMED));
    // An opaque token of the same form, in the same keyspace.
    let opaque = OpaqueTokens::new().size(16).unwrap();
    let opaque = Sessions::builder(store.clone(), opaque).build().unwrap();
    let as_opaque = opaque.open(ticket.as_str()).await;
    assert_eq!(as_opaque.err(), Some(UNKNOWN));
    let token = opaque.new_session().create().await.unwrap();
    let as_ticket = opaque.open_ticket(token.as_str()).await;
    assert_eq!(as_ticket.err(), Some(UNKNOWN));
    for keyspace in ["other:", "sess::", "sess:::"] {
        let other = builder(store.clone()).keyspace(keyspace);
        assert_spent(&other.build().unwrap(), &ticket).await;
    }
    assert!(open(&sessions, &ticket).await.is_ok());
}

/// Many rounds, in each of which two instances get the same ticket several times.
pub(crate) async fn one_of_many_calls_opens(store: impl Store + Clone) {
    let instances = [(); 2].map(|()| sessions(yielding(store.clone())));
    let (session, _) = created(&instances[0], None).await;
    for round in 0..50 {
        let ticket = session.ticket().await.unwrap();
        let calls = instances.iter().cycle().take(8);
        let calls = calls.map(|sessions| {
            let (sessions, ticket) = (sessions.clone(), ticket.clone());
            tokio::spawn(async move { open(&sessions, &ticket).await })
        });
        let outcomes = join_all(calls).await.into_iter().map(Result::unwrap);
        let (opened, others): (Vec<_>, Vec<_>) = outcomes.partition(Result::is_ok);
        assert_eq!(opened.len(), 1, "round {round}");
        assert!(others.into_iter().all(|other| other.err() == Some(UNKNOWN)));
    }
}

async fn a_ticket_opens_nothing_after_the_end_of_the_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions, Some("jo")).await;
    let before = session.ticket().await.unwrap();
    session.rotate().await.unwrap();
    assert_spent(&sessions, &before).await;
    let after = session.ticket().await.unwrap();
    assert!(open(&sessions, &after).await.is_ok());

    let ticket = session.ticket().await.unwrap();
    let copy = sessions.get(&id(&session)).await.unwrap();
    sessions.destroy_all("jo").await.unwrap();
    assert_spent(&sessions, &ticket).await;
    // Issued before the end was noticed.
    let ticket = copy.ticket().await.unwrap();
    assert_spent(&sessions, &ticket).await;
}

async fn a_ticket_expires_in_the_store(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = created(&sessions, None).await;
    let lifetime = Duration::from_millis(1);
    let ticket = session.ticket_for(lifetime).await.unwrap();
    tokio::time::sleep(20 * lifetime).await;
    assert_spent(&sessions, &ticket).await;
    for lifetime in [Duration::ZERO, Duration::MAX] {
        let error = session.ticket_for(lifetime).await.unwrap_err();
        assert_eq!(error, SessionError::InvalidDuration);
    }
    let absent = sessions.new_session().ticket().await;
    assert_eq!(absent.unwrap_err(), SessionError::Absent);
}

#[tokio::test]
async fn a_ticket_lives_10_seconds_or_the_chosen_time() {
    let test = Clocked::new(|builder| builder.lifetime(both(2 * IDLE)));
    let (session, _) = created(&test.sessions, None).await;
    for (lifetime, seconds) in [(None, 10), (Some(60), 60)] {
        for is_over in [false, true] {
            let ticket = match lifetime {
                Some(seconds) => session.ticket_for(Duration::from_secs(seconds)).await,
                None => session.ticket().await,
            };
            test.clock
                .advance(Duration::from_millis(seconds * 1000 - 1));
            test.clock.advance(Duration::from_millis(is_over.into()));
            let opened = open(&test.sessions, &ticket.unwrap()).await;
            assert_eq!(opened.is_ok(), !is_over, "{lifetime:?} {opened:?}");
            settle().await;
        }
    }
}

/// A session of Node has its absolute end only in the token.
#[tokio::test]
async fn a_ticket_does_not_outlive_the_token_that_got_it() {
    let test = Clocked::new(|builder| builder);
    let id = SessionId::parse("0f7b5c3e-52a4-4c0b-9d3a-6f2a1f0c9b8e").unwrap();
    insert(&test.store, &id, "{}").await;
    let end = test.clock.now() + Duration::from_secs(5);
    let claims = NewClaims::at(test.clock.now()).expires_at(end);
    let node = keyring().sign(&id, &claims).unwrap();
    let session = test.sessions.open(node.as_str()).await.unwrap();
    let ticket = session.ticket().await.unwrap();
    test.advance(5);
    assert_spent(&test.sessions, &ticket).await;
    assert_eq!(session.ticket().await, Err(SessionError::Gone));
}

#[tokio::test]
async fn a_failure_before_the_ticket_is_spent_leaves_it() {
    let test = Clocked::new(|builder| builder);
    let (session, _) = created(&test.sessions, None).await;
    let kind = StoreErrorKind::Connection;
    test.faults.fail_next(kind, 1);
    assert_unavailable(session.ticket().await, kind);
    let ticket = session.ticket().await.unwrap();
    for step in [Step::Load, Step::CompareAndDelete] {
        test.faults.on(step).fail_next(kind, 1);
        assert_unavailable(open(&test.sessions, &ticket).await, kind);
    }
    assert!(open(&test.sessions, &ticket).await.is_ok());

    let ticket = session.ticket().await.unwrap();
    test.faults.on(Step::CompareAndDelete).lose_replies(1);
    let lost = open(&test.sessions, &ticket).await;
    assert_unavailable(lost, StoreErrorKind::Timeout);
    assert_spent(&test.sessions, &ticket).await;

    let ticket = session.ticket().await.unwrap();
    test.faults.on(Step::Load).after(1).fail_next(kind, 1);
    assert_unavailable(open(&test.sessions, &ticket).await, kind);
    assert_spent(&test.sessions, &ticket).await;
}

/// A guess costs one read, and text of another form nothing.
#[tokio::test]
async fn round_trips_of_tickets() {
    let store = Counting::new(MemoryStore::new());
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions, None).await;
    let ticket = session.ticket().await.unwrap().into_string();
    let unknown = "A".repeat(22);
    for (ticket, calls) in [(&*ticket, 3), (&ticket, 1), (&unknown, 1), ("guess", 0)] {
        let before = store.calls();
        let opened = sessions.open_ticket(ticket).await;
        assert_eq!(store.calls() - before, calls, "{opened:?}");
    }
}
