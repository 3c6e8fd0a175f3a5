//! Which operations run beside each other.

use test_support::explorer::Explorer;

use super::actions::Action::{
    self, Create, CreateWithId, Destroy, DestroyAll, DestroyOthers, List, Login, Rotate, RotateTo,
    RotateWithGrace, SetMaxAge, SetOwner, Touch, Update,
};
use super::actions::{OTHER, OWNER};
use super::explore::Before::{self, Abandoned, Guest, Owned, Two};
use super::explore::explore;

const CRASH: Explorer = Explorer {
    crashes: 1,
    ..Explorer::PLAIN
};
const CRASH_AND_DROP: Explorer = Explorer { drops: 1, ..CRASH };
const FAILURE: Explorer = Explorer {
    failures: 1,
    ..Explorer::PLAIN
};

const ALL: [Action; 15] = [
    Create,
    CreateWithId,
    Update,
    SetOwner(OTHER),
    Touch,
    Rotate,
    RotateWithGrace,
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
    explore_pairs(Guest, CRASH_AND_DROP);
}

#[test]
fn two_operations_with_a_crash_and_a_drop_on_an_owned_session() {
    explore_pairs(Owned, CRASH_AND_DROP);
}

#[test]
fn two_operations_with_a_failing_step_on_a_guest_session() {
    explore_pairs(Guest, FAILURE);
}

#[test]
fn two_operations_with_a_failing_step_on_an_owned_session() {
    explore_pairs(Owned, FAILURE);
}

#[test]
fn two_operations_with_two_crashes_and_two_drops() {
    let explorer = Explorer {
        crashes: 2,
        drops: 2,
        ..Explorer::PLAIN
    };
    for other in [Create, Rotate, Touch, DestroyAll(OWNER)] {
        explore(Owned, &[DestroyAll(OWNER), other], explorer);
    }
    explore(Owned, &[SetOwner(OTHER), SetOwner(OWNER)], explorer);
    explore(Owned, &[Rotate, Rotate], explorer);
    explore(Guest, &[Rotate, Rotate], explorer);
}

#[test]
fn two_operations_with_a_crash_and_a_failing_step() {
    let explorer = Explorer {
        crashes: 1,
        ..FAILURE
    };
    let pairs = [
        [DestroyAll(OWNER), Create],
        [DestroyAll(OWNER), Rotate],
        [Rotate, Destroy],
        [CreateWithId, CreateWithId],
        [Update, Update],
        [Login(OTHER), Update],
    ];
    for actions in pairs {
        explore(Owned, &actions, explorer);
    }
}

#[test]
fn two_sessions_of_one_owner() {
    for action in [DestroyAll(OWNER), DestroyOthers] {
        for other in [Create, Rotate, List, action] {
            explore(Two, &[action, other], CRASH_AND_DROP);
        }
    }
}

#[test]
fn a_list_completes_a_destroy_all_that_crashed() {
    explore(Abandoned, &[List, Create, Rotate], CRASH);
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
        explore(Owned, &actions, CRASH);
    }
    explore(Guest, &[Rotate, Destroy, Update], CRASH);
}

#[test]
fn a_max_age_beside_another_operation_with_a_crash_and_a_drop() {
    for before in [Guest, Owned] {
        for other in ALL.into_iter().chain([SetMaxAge]) {
            explore(before, &[SetMaxAge, other], CRASH_AND_DROP);
        }
    }
}

#[test]
fn a_max_age_beside_two_other_operations() {
    for others in [[Touch, Update], [Touch, Touch], [Touch, Rotate]] {
        let [first, second] = others;
        explore(Owned, &[SetMaxAge, first, second], Explorer::PLAIN);
    }
}

#[test]
fn three_operations_with_a_crash_and_a_grace() {
    let triples = [
        [RotateWithGrace, Destroy, Update],
        [RotateWithGrace, RotateWithGrace, Destroy],
        [RotateWithGrace, Rotate, Update],
    ];
    for actions in triples {
        explore(Guest, &actions, CRASH);
        explore(Owned, &actions, CRASH);
    }
    explore(Owned, &[RotateWithGrace, DestroyAll(OWNER), Update], CRASH);
    explore(Owned, &[RotateWithGrace, DestroyOthers, Touch], CRASH);
}
