//! Which operations run beside each other.

use test_support::explorer::Explorer;

use super::actions::Action::{
    self, Create, CreateWithId, Destroy, DestroyAll, DestroyOthers, List, Login, Rotate, RotateTo,
    SetOwner, Touch, Update,
};
use super::actions::{OTHER, OWNER};
use super::explore::Before::{self, Abandoned, Guest, Owned, Two};
use super::explore::explore;

const ALL: [Action; 14] = [
    Create,
    CreateWithId,
    Update,
    SetOwner(OTHER),
    Touch,
    Rotate,
    RotateTo(OTHER),
    Login(OTHER),
    Login(OWNER),
    Destroy,
    DestroyAll(OWNER),
    DestroyAll(OTHER),
    DestroyOthers,
    List,
];

fn explore_pairs(before: Before, explorer: Explorer) {
    for (at, first) in ALL.into_iter().enumerate() {
        for second in &ALL[at..] {
            explore(before, &[first, *second], explorer);
        }
    }
}

#[test]
fn two_operations_with_a_crash_and_a_drop_on_a_guest_session() {
    explore_pairs(Guest, Explorer::new().crashes(1).drops(1));
}

#[test]
fn two_operations_with_a_crash_and_a_drop_on_an_owned_session() {
    explore_pairs(Owned(OWNER), Explorer::new().crashes(1).drops(1));
}

#[test]
fn two_operations_with_a_failing_step_on_a_guest_session() {
    explore_pairs(Guest, Explorer::new().failures(1));
}

#[test]
fn two_operations_with_a_failing_step_on_an_owned_session() {
    explore_pairs(Owned(OWNER), Explorer::new().failures(1));
}

#[test]
fn two_operations_with_two_crashes_and_two_drops() {
    let explorer = Explorer::new().crashes(2).drops(2);
    for other in [Create, Rotate, Touch, DestroyAll(OWNER)] {
        explore(Owned(OWNER), &[DestroyAll(OWNER), other], explorer);
    }
    explore(Owned(OWNER), &[SetOwner(OTHER), SetOwner(OWNER)], explorer);
    explore(Owned(OWNER), &[Rotate, Rotate], explorer);
    explore(Guest, &[Rotate, Rotate], explorer);
}

#[test]
fn two_operations_with_a_crash_and_a_failing_step() {
    let explorer = Explorer::new().failures(1).crashes(1);
    let pairs = [
        [DestroyAll(OWNER), Create],
        [DestroyAll(OWNER), Rotate],
        [Rotate, Destroy],
        [CreateWithId, CreateWithId],
        [Update, Update],
        [Login(OTHER), Update],
    ];
    for actions in pairs {
        explore(Owned(OWNER), &actions, explorer);
    }
}

#[test]
fn two_sessions_of_one_owner() {
    let explorer = Explorer::new().crashes(1).drops(1);
    for action in [DestroyAll(OWNER), DestroyOthers] {
        for other in [Create, Rotate, List, action] {
            explore(Two, &[action, other], explorer);
        }
    }
}

#[test]
fn a_list_completes_a_destroy_all_that_crashed() {
    explore(
        Abandoned,
        &[List, Create, Rotate],
        Explorer::new().crashes(1),
    );
}

#[test]
fn three_operations_with_a_crash() {
    let triples = [
        [DestroyAll(OWNER), Create, Rotate],
        [DestroyAll(OWNER), DestroyAll(OWNER), Create],
        [DestroyAll(OWNER), Rotate, Update],
        [DestroyAll(OWNER), Rotate, Touch],
        [DestroyAll(OTHER), SetOwner(OTHER), Rotate],
        [Rotate, Destroy, Update],
        [Update, Update, Destroy],
    ];
    for actions in triples {
        explore(Owned(OWNER), &actions, Explorer::new().crashes(1));
    }
    explore(
        Guest,
        &[Rotate, Destroy, Update],
        Explorer::new().crashes(1),
    );
}
