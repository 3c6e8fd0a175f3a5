use std::collections::BTreeSet;

use super::mutant::{MUTATIONS, Mutant};
use super::*;
use crate::store::cas::CasStore;
use crate::store::cas::memory_backend::MemoryBackend;
use crate::store::error::StoreErrorKind;
use crate::testing::{Faults, Step};

#[tokio::test]
async fn a_cas_store_keeps_every_promise() {
    check(CasStore::new(MemoryBackend::default())).await;
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<_> = CASES.iter().map(Case::name).collect();
    assert_eq!(names.len(), CASES.len());
}

#[tokio::test]
async fn an_error_does_not_pass() {
    for step in [Step::Ping, Step::Delete, Step::IndexRemove] {
        let faults = Faults::new();
        faults.on(step).fail_next(StoreErrorKind::Connection, 1);
        let store = CasStore::new(MemoryBackend::default());
        let suite = tokio::spawn(check(faults.wrap(store)));
        assert!(suite.await.is_err(), "{step}");
    }
}

#[tokio::test]
async fn a_broken_promise_is_named() {
    check(Mutant::new("")).await;
    for mutation in MUTATIONS {
        let name = mutation.split('/').next();
        let case = CASES.iter().find(|case| Some(case.name()) == name);
        let case = case.expect(mutation);
        let failed = tokio::spawn(case.run(Mutant::new(mutation))).await;
        let panic = failed.expect_err(mutation).into_panic();
        let message = panic.downcast::<String>().unwrap();
        assert!(message.contains(case.name()), "{message}");
    }
}
