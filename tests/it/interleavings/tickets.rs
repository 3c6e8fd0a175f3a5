//! A ticket opens its session once, in every order of the steps.

use std::sync::Arc;

use jwt_redis_session::{SessionError, SessionId, Sessions};
use test_support::explorer::{Call, Explorer, Simulation};

use super::actions::{id, sessions};
use super::end::{ensure, run};

type Opened = Result<Option<SessionId>, SessionError>;

/// Returns a ticket for the session `a`, which exists afterwards.
fn issue(simulation: &Simulation) -> Arc<str> {
    let session = sessions(simulation.store(), simulation.clock(), "a").new_session();
    run(session.create().into_future()).unwrap();
    run(session.ticket()).unwrap().into_string().into()
}

fn open(simulation: &mut Simulation, name: &'static str, ticket: &Arc<str>) -> Call<Opened> {
    let (clock, ticket) = (simulation.clock(), Arc::clone(ticket));
    simulation.spawn(name, move |store| {
        let sessions = sessions(store, clock.clone(), name);
        let ticket = Arc::clone(&ticket);
        async move { Ok(sessions.open_ticket(&ticket).await?.id()) }
    })
}

fn destroy(simulation: &mut Simulation) -> Call<Result<bool, SessionError>> {
    let clock = simulation.clock();
    simulation.spawn("d", move |store| {
        let sessions = sessions(store, clock.clone(), "d");
        async move { sessions.destroy(&id("a0")).await }
    })
}

/// What is promised of two calls with one ticket, whatever fails.
fn check(opens: &[Call<Opened>; 2], sessions: &Sessions, ticket: &str) -> Result<(), String> {
    let outcomes = opens.each_ref().map(Call::value);
    let opened = outcomes.iter().flatten().filter(|opened| opened.is_ok());
    ensure(opened.count() <= 1, "a ticket opened two sessions")?;
    let missed = |outcome: &Option<Opened>| matches!(outcome, Some(Err(SessionError::Rejected(_))));
    // A call that found no ticket, or opened the session, leaves none.
    let is_spent = outcomes
        .iter()
        .any(|it| missed(it) || matches!(it, Some(Ok(_))));
    let again = run(sessions.open_ticket(ticket));
    ensure(!(is_spent && again.is_ok()), "a spent ticket works")
}

#[test]
fn one_of_two_calls_opens_the_session() {
    let explorer = Explorer::PLAIN;
    let explored = explorer.explore(|simulation| {
        let ticket = issue(simulation);
        let opens = ["b", "c"].map(|name| open(simulation, name, &ticket));
        let end = sessions(simulation.store(), simulation.clock(), "end");
        move || {
            let outcomes = opens.each_ref().map(Call::value);
            let opened = outcomes.iter().any(|it| *it == Some(Ok(Some(id("a0")))));
            ensure(opened, "no call opened the session")?;
            check(&opens, &end, &ticket)
        }
    });
    assert_eq!(explored, Ok(4));
}

#[test]
fn a_ticket_opens_once_beside_a_destroy_and_with_crashes_drops_and_failures() {
    let crash_and_drop = Explorer {
        crashes: 1,
        drops: 1,
        failures: 0,
    };
    let failures = Explorer {
        failures: 2,
        ..Explorer::PLAIN
    };
    for explorer in [crash_and_drop, failures] {
        let explored = explorer.explore(|simulation| {
            let ticket = issue(simulation);
            let opens = ["b", "c"].map(|name| open(simulation, name, &ticket));
            let destroy = destroy(simulation);
            let end = sessions(simulation.store(), simulation.clock(), "end");
            move || {
                let is_gone = destroy.value().is_some_and(|destroyed| destroyed.is_ok());
                let late = opens.iter().filter(|open| destroy.precedes(open));
                let mut late = late.filter_map(Call::value);
                let revived = is_gone && late.any(|opened| opened.is_ok());
                ensure(!revived, "a ticket opened a destroyed session")?;
                check(&opens, &end, &ticket)
            }
        });
        let ends = explored.unwrap_or_else(|violation| panic!("{explorer:?}: {violation}"));
        assert!(ends > 10, "{ends}");
    }
}
