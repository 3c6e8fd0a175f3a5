//! A store that fails on demand.

use std::fmt;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::hooked::{Delivery, Hook, Hooked, Step};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::shared::SharedStore;

/// Store that fails on demand; [`Faults`] are its switches.
pub type Faulty = Hooked<Faults>;

/// Switches of a [`Faulty`] store: outages, refusals, lost replies and delays.
///
/// Clones share the switches. Faults concern single steps, also those inside of the provided
/// methods: creating a session with an owner takes several steps. [`on`](Self::on) restricts a
/// fault to one kind of step, [`after`](Self::after) lets some steps pass first. A step that is
/// refused does not reach the inner store. A switch that is set again replaces its last setting
/// for the same kind of step.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::MemoryStore;
/// use jwt_redis_session::store::{NewRecord, SharedStore, StoreError, StoreErrorKind};
/// use jwt_redis_session::testing::{Faults, Step};
///
/// // The code under test: an outage does not mean that the user has no session.
/// async fn status(store: &SharedStore) -> u16 {
///     match store.load("session").await {
///         Ok(Some(_)) => 200,
///         Ok(None) => 401,
///         Err(_) => 503,
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let faults = Faults::new();
/// let store = SharedStore::from(faults.wrap(MemoryStore::new()));
///
/// faults.fail_with(StoreErrorKind::Connection);
/// assert_eq!(status(&store).await, 503);
/// faults.heal();
/// assert_eq!(status(&store).await, 401);
///
/// // The reply to a write is lost. The caller cannot know that the write was applied.
/// faults.on(Step::Insert).lose_replies(1);
/// let record = NewRecord::new("session", b"{}", Duration::from_secs(60));
/// let lost = store.insert(record).await.unwrap_err();
/// assert_eq!(lost.kind(), StoreErrorKind::Timeout);
/// assert_eq!(status(&store).await, 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Rule>>>,
    scope: Scope,
}

/// The steps that a fault concerns.
#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    only: Option<Step>,
    /// How many of these steps pass first.
    skip: usize,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    scope: Scope,
    fault: Fault,
    /// How many steps the fault concerns, or `None` for all of them.
    left: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Refuse(StoreErrorKind),
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

    /// Returns the same switches for faults that concern only `step`.
    #[must_use]
    pub fn on(&self, step: Step) -> Self {
        let only = Some(step);
        self.scoped(Scope { only, ..self.scope })
    }

    /// Returns the same switches for faults that let the next `steps` steps pass first.
    ///
    /// After [`on`](Self::on), only steps of that kind are counted. After
    /// [`lose_replies`](Self::lose_replies), only writes are.
    #[must_use]
    pub fn after(&self, steps: usize) -> Self {
        let skip = steps;
        self.scoped(Scope { skip, ..self.scope })
    }

    /// Refuses every step with `kind` until [`heal`](Self::heal).
    pub fn fail_with(&self, kind: StoreErrorKind) {
        self.add(Fault::Refuse(kind), None);
    }

    /// Refuses the next `steps` steps with `kind`.
    pub fn fail_next(&self, kind: StoreErrorKind, steps: usize) {
        self.add(Fault::Refuse(kind), Some(steps));
    }

    /// Applies the next `steps` writes but answers them with [`StoreErrorKind::Timeout`].
    pub fn lose_replies(&self, steps: usize) {
        self.add(Fault::LoseReply, Some(steps));
    }

    /// Delays every step by `delay` until [`heal`](Self::heal).
    pub fn delay(&self, delay: Duration) {
        self.add(Fault::Delay(delay), None);
    }

    /// Refuses every step with [`StoreErrorKind::Timeout`] after `deadline`, until
    /// [`heal`](Self::heal).
    ///
    /// This is how a store behaves whose database accepts connections but does not answer. A step
    /// that waits already goes on waiting after [`heal`](Self::heal).
    pub fn hang(&self, deadline: Duration) {
        self.add(Fault::Hang(deadline), None);
    }

    /// Ends all faults, also those that concern one kind of step.
    pub fn heal(&self) {
        self.rules().clear();
    }

    fn scoped(&self, scope: Scope) -> Self {
        let rules = Arc::clone(&self.rules);
        Self { rules, scope }
    }

    fn add(&self, fault: Fault, left: Option<usize>) {
        let scope = self.scope;
        let new = Rule { scope, fault, left };
        let mut rules = self.rules();
        rules.retain(|rule| !rule.is_replaced_by(&new));
        rules.push(new);
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of one kind that concerns this step. Faults that end come first, and of the
    /// others the one that was set last.
    fn next(&self, step: Step, kind: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut rules = self.rules();
        rules.retain(|rule| rule.left != Some(0));
        let concerned = rules
            .iter_mut()
            .rev()
            .filter(|rule| kind(rule.fault) && rule.concerns(step));
        let mut ready: Vec<_> = concerned.filter_map(Rule::pass).collect();
        ready.sort_by_key(|rule| rule.left.is_none());
        let rule = ready.into_iter().next()?;
        rule.left = rule.left.map(|left| left - 1);
        Some(rule.fault)
    }
}

impl Rule {
    fn is_replaced_by(&self, new: &Self) -> bool {
        self.scope.only == new.scope.only
            && discriminant(&self.fault) == discriminant(&new.fault)
            && self.left.is_some() == new.left.is_some()
    }

    fn concerns(&self, step: Step) -> bool {
        let lost_read = matches!(self.fault, Fault::LoseReply) && step.is_read();
        self.scope.only.is_none_or(|only| only == step) && !lost_read
    }

    /// Counts a step that the rule lets pass; returns the rule if it applies to the step.
    fn pass(&mut self) -> Option<&mut Self> {
        if self.scope.skip == 0 {
            return Some(self);
        }
        self.scope.skip -= 1;
        None
    }
}

impl Hook for Faults {
    async fn before(&self, step: Step) -> Result<Delivery, StoreError> {
        let waits = |fault| matches!(fault, Fault::Delay(_) | Fault::Hang(_));
        match self.next(step, waits) {
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            Some(Fault::Hang(deadline)) => {
                tokio::time::sleep(deadline).await;
                return Err(StoreErrorKind::Timeout.into());
            }
            _ => {}
        }
        let refuses = |fault| matches!(fault, Fault::Refuse(_));
        if let Some(Fault::Refuse(kind)) = self.next(step, refuses) {
            return Err(kind.into());
        }
        let loses = |fault| matches!(fault, Fault::LoseReply);
        Ok(match self.next(step, loses) {
            Some(_) => Delivery::Lose,
            None => Delivery::Deliver,
        })
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&*self.rules()).finish()
    }
}
