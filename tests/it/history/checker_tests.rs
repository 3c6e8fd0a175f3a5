//! The checker finds what is wrong with histories written by hand.

use std::collections::BTreeMap;

use super::checker::check;
use super::event::Fate::{Done, Refused, Unknown};
use super::event::{Did, Event, Fate, Id, Seen};

/// Writer 0 in every event, one after the other.
fn history(dids: Vec<Did>) -> Vec<Event> {
    let at = |(place, did)| Event {
        writer: 0,
        start: 10 * place as u64,
        end: 10 * place as u64 + 5,
        did,
    };
    dids.into_iter().enumerate().map(at).collect()
}

/// Lets the event at `place` go on until all others have ended.
fn drawn_out(events: Vec<Event>, place: usize) -> Vec<Event> {
    with_end(events, place, 1_000)
}

fn with_end(mut events: Vec<Event>, place: usize, end: u64) -> Vec<Event> {
    events[place].end = end;
    events
}

fn create(id: Id) -> Did {
    Did::Create { id, owner: 7 }
}

fn active(id: Id, number: Option<u64>) -> Did {
    let values: BTreeMap<_, _> = number.map(|number| (0, number)).into_iter().collect();
    let seen = Seen::Active(values);
    Did::Read { id, seen }
}

fn dead(id: Id) -> Did {
    let seen = Seen::Dead;
    Did::Read { id, seen }
}

fn update(id: Id, number: u64, fate: Fate) -> Did {
    Did::Update { id, number, fate }
}

fn rotate(id: Id, to: Id) -> Did {
    let (to, fate) = (Some(to), Done);
    Did::Rotate { id, to, fate }
}

fn destroy(id: Id, fate: Fate) -> Did {
    Did::Destroy { id, fate }
}

fn destroy_all(fate: Fate) -> Did {
    Did::DestroyAll { owner: 7, fate }
}

#[track_caller]
fn good(events: &[Event]) {
    check(events).expect("a good history");
}

#[track_caller]
fn bad(events: &[Event], why: &str) {
    let violation = check(events).expect_err("a bad history");
    assert!(violation.contains(why), "{violation}");
}

#[test]
fn f24_checker_an_ended_session_is_not_read() {
    let again = "alive again";
    for end in [destroy(0, Done), destroy_all(Done), rotate(0, 1), dead(0)] {
        let begun = destroy(0, Unknown);
        let events = history(vec![create(0), begun.clone(), end.clone(), active(0, None)]);
        bad(&events, again);
        good(&history(vec![
            create(0),
            begun.clone(),
            end.clone(),
            dead(0),
        ]));
        // A read that began before the end was known may show either.
        good(&drawn_out(
            history(vec![create(0), begun, end, active(0, None)]),
            2,
        ));
    }
    for end in [Unknown, Refused] {
        good(&history(vec![create(0), destroy(0, end), active(0, None)]));
        good(&history(vec![create(0), destroy_all(end), active(0, None)]));
    }
}

#[test]
fn f24_checker_destroy_all_ends_what_was_acknowledged_before_it_alone() {
    good(&history(vec![
        destroy_all(Done),
        create(0),
        active(0, None),
    ]));
    let meanwhile = vec![destroy_all(Done), create(0), active(0, None), dead(0)];
    good(&drawn_out(history(meanwhile), 0));
    let rotated = vec![create(0), rotate(0, 1), destroy_all(Done), active(1, None)];
    bad(&history(rotated), "alive again");
    let under_way = vec![create(0), destroy_all(Done), rotate(0, 1), dead(1)];
    good(&with_end(history(under_way), 1, 26));
    let under_way = vec![create(0), destroy_all(Done), rotate(0, 1), active(1, None)];
    bad(&with_end(history(under_way), 1, 26), "alive again");
    let other = vec![
        create(0),
        Did::DestroyAll {
            owner: 8,
            fate: Done,
        },
        active(0, None),
    ];
    good(&history(other));
}

#[test]
fn f24_checker_an_acknowledged_session_is_there() {
    let lost = "lost";
    bad(&history(vec![create(0), dead(0)]), lost);
    bad(
        &history(vec![create(0), update(0, 1, Unknown), dead(0)]),
        lost,
    );
    bad(&history(vec![create(0), dead(0), destroy(0, Done)]), lost);
    bad(&history(vec![create(0), rotate(0, 1), dead(1)]), lost);
    bad(&history(vec![destroy_all(Done), create(0), dead(0)]), lost);
    good(&history(vec![destroy_all(Unknown), create(0), dead(0)]));
    good(&history(vec![create(0), destroy(0, Unknown), dead(0)]));
}

#[test]
fn f24_checker_an_acknowledged_update_is_kept() {
    let stale = "is shown after";
    let first = || vec![create(0), update(0, 1, Done)];
    let after = |more: Vec<Did>| history(first().into_iter().chain(more).collect());
    bad(&after(vec![active(0, None)]), stale);
    good(&after(vec![active(0, Some(1))]));
    bad(&after(vec![update(0, 2, Done), active(0, Some(1))]), stale);
    bad(&after(vec![rotate(0, 1), active(1, None)]), stale);
    good(&after(vec![rotate(0, 1), active(1, Some(1))]));
    good(&drawn_out(after(vec![active(0, None)]), 1));
}

#[test]
fn f24_checker_what_is_unknown_takes_effect_at_most_once() {
    let unknown = || vec![create(0), update(0, 1, Unknown)];
    let after = |more: Vec<Did>| history(unknown().into_iter().chain(more).collect());
    good(&after(vec![active(0, None)]));
    good(&after(vec![active(0, Some(1))]));
    good(&after(vec![active(0, None), active(0, Some(1))]));
    let again = vec![update(0, 2, Done), active(0, Some(2)), active(0, Some(1))];
    bad(&after(again), "is shown after");
}

#[test]
fn f24_checker_nothing_is_shown_that_nobody_wrote() {
    let nobody = "nobody had written";
    bad(&history(vec![create(0), active(0, Some(1))]), nobody);
    bad(
        &history(vec![create(0), update(0, 1, Refused), active(0, Some(1))]),
        nobody,
    );
    bad(
        &history(vec![create(0), active(0, Some(1)), update(0, 1, Done)]),
        nobody,
    );
    bad(
        &history(vec![
            create(0),
            create(1),
            update(0, 1, Done),
            active(1, Some(1)),
        ]),
        nobody,
    );
}
