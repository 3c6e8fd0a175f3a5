//! Fault injection.

use std::hash::Hash;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::hooked::{Hook, Hooked, Step};
use crate::store::error::{Result, StoreErrorKind};
use crate::store::shared::SharedStore;

/// Store that fails on demand; [`Faults`] are its switches.
///
/// See the [module](crate::testing#other-faults) for an example.
pub type Faulty = Hooked<Faults>;

/// Switches of a [`Faulty`] store: outages, failing steps, lost replies and delays.
///
/// Clones share the switches. A fault affects single steps, even inside the provided methods;
/// creating a session with an owner takes several steps. [`on`](Self::on) restricts a fault to one
/// kind of step, and [`after`](Self::after) lets some steps pass first. Setting a switch again
/// replaces its last setting for the same kind of step.
///
/// See the [module](crate::testing#other-faults) for an example.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Rule>>>,
    only: Option<Step>,
    skip: usize,
}

/// A switch that is on.
#[derive(Clone, Copy, Debug)]
struct Rule {
    fault: Fault,
    /// The kind of step that it affects, or `None` for all.
    only: Option<Step>,
    /// How many of these steps pass first.
    skip: usize,
    /// How many steps fail after that, or `None` for all.
    left: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Fail(StoreErrorKind),
    LoseReply,
    Delay(Duration),
    Hang(Duration),
}

impl Faults {
    /// Creates switches that are all off.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wraps a store with these switches.
    pub fn wrap(&self, inner: impl Into<SharedStore>) -> Faulty {
        Hooked::new(inner, self.clone())
    }

    /// Returns the same switches for faults that affect only `step`.
    #[must_use]
    pub fn on(&self, step: Step) -> Self {
        let mut restricted = self.clone();
        restricted.only = Some(step);
        restricted
    }

    /// Returns the same switches for faults that let the next `steps` steps pass first.
    ///
    /// After [`on`](Self::on), only steps of that kind are counted. A fault of
    /// [`lose_replies`](Self::lose_replies) counts only writes.
    #[must_use]
    pub fn after(&self, steps: usize) -> Self {
        let mut later = self.clone();
        later.skip = steps;
        later
    }

    /// Fails every step with `kind` until [`heal`](Self::heal). The steps are not applied.
    pub fn fail_with(&self, kind: StoreErrorKind) {
        self.add(Fault::Fail(kind), None);
    }

    /// Fails the next `steps` steps with `kind`. They are not applied.
    pub fn fail_next(&self, kind: StoreErrorKind, steps: usize) {
        self.add(Fault::Fail(kind), Some(steps));
    }

    /// Applies the next `steps` writes but answers them with [`StoreErrorKind::Timeout`].
    pub fn lose_replies(&self, steps: usize) {
        self.add(Fault::LoseReply, Some(steps));
    }

    /// Delays every step by `delay` until [`heal`](Self::heal).
    pub fn delay(&self, delay: Duration) {
        self.add(Fault::Delay(delay), None);
    }

    /// Fails every step with [`StoreErrorKind::Timeout`] after `deadline`, until
    /// [`heal`](Self::heal). The steps are not applied.
    ///
    /// Simulates a database that accepts connections but does not answer. A step that already waits
    /// continues to wait after [`heal`](Self::heal).
    pub fn hang(&self, deadline: Duration) {
        self.add(Fault::Hang(deadline), None);
    }

    /// Ends all faults, including those of a single kind of step.
    pub fn heal(&self) {
        self.rules().clear();
    }

    fn add(&self, fault: Fault, left: Option<usize>) {
        let mut rules = self.rules();
        rules.retain(|rule| {
            rule.only != self.only
                || discriminant(&rule.fault) != discriminant(&fault)
                || rule.left.is_some() != left.is_some()
        });
        rules.push(Rule {
            fault,
            only: self.only,
            skip: self.skip,
            left,
        });
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the fault for this step among those that `is_wanted` selects, and counts the step.
    fn next(&self, step: Step, is_wanted: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut rules = self.rules();
        rules.retain(|rule| rule.left != Some(0));
        let concerned = rules.iter_mut().rev().filter(|rule| {
            let only = rule.only.unwrap_or(step);
            is_wanted(rule.fault) && only == step
        });
        let ready = concerned.filter_map(|rule| match rule.skip {
            0 => Some(rule),
            _ => {
                rule.skip -= 1;
                None
            }
        });
        // Every rule counts the step, so all are visited. A fault with an end wins over one
        // without, and the one that was set last wins over the others.
        let ready: Vec<_> = ready.collect();
        let rule = ready.into_iter().min_by_key(|rule| rule.left.is_none())?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.fault)
    }
}

impl Hook for Faults {
    async fn around<T: Hash + Send>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let waits = |fault| matches!(fault, Fault::Delay(_) | Fault::Hang(_));
        let wait = self.next(step, waits);
        if let Some(Fault::Delay(time) | Fault::Hang(time)) = wait {
            tokio::time::sleep(time).await;
        }
        if let Some(Fault::Hang(_)) = wait {
            return Err(StoreErrorKind::Timeout.into());
        }
        let fails = |fault| matches!(fault, Fault::Fail(_));
        if let Some(Fault::Fail(kind)) = self.next(step, fails) {
            return Err(kind.into());
        }
        let loses = |fault| matches!(fault, Fault::LoseReply);
        // Chosen before the call, so that a switch that is set during the call affects later steps.
        let is_lost = !step.is_read() && self.next(step, loses).is_some();
        let answer = call.await;
        if is_lost {
            return Err(StoreErrorKind::Timeout.into());
        }
        answer
    }
}
