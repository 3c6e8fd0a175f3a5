//! What two handles make of one record equals a model on plain maps.

use std::collections::BTreeMap;
use std::time::Duration;

use jwt_redis_session::store::{NewRecord, Store};
use jwt_redis_session::{Keyring, MemoryStore, Session, SessionId, Sessions};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Few, so that the handles meet; some that need care.
const KEYS: [&str; 5] = ["a", "b", "__proto__", "\"\u{e9}\n", ""];

#[derive(Clone, Debug)]
enum Step {
    Insert(&'static str, Value),
    Merge(Map<String, Value>),
    Remove(&'static str),
    Clear,
    Update,
    UpdateWith(&'static str, Value),
    Replace(Map<String, Value>),
    Reload,
    Rotate,
}

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&KEYS[..])
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(".{0,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn fields() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((key(), value()), 0..4).prop_map(|fields| {
        fields
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect()
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (key(), value()).prop_map(|(key, value)| Step::Insert(key, value)),
        1 => fields().prop_map(Step::Merge),
        3 => key().prop_map(Step::Remove),
        1 => Just(Step::Clear),
        4 => Just(Step::Update),
        1 => (key(), value()).prop_map(|(key, value)| Step::UpdateWith(key, value)),
        1 => fields().prop_map(Step::Replace),
        1 => Just(Step::Reload),
    ]
}

/// A handle as the model sees it: what it loaded, and what it has changed since.
#[derive(Clone, Default)]
struct Model {
    loaded: Map<String, Value>,
    changes: BTreeMap<String, Option<Value>>,
}

impl Model {
    fn set(&mut self, key: &str, value: Option<Value>) {
        self.changes.insert(key.into(), value);
    }

    /// Only what differs from the loaded value counts as a change.
    fn merge(&mut self, key: &str, value: Value) {
        if self.view().get(key) == Some(&value) {
            return;
        }
        if self.loaded.get(key) == Some(&value) {
            self.changes.remove(key);
        } else {
            self.set(key, Some(value));
        }
    }

    fn over(&self, below: &Map<String, Value>) -> Map<String, Value> {
        let mut merged = below.clone();
        for (key, change) in &self.changes {
            match change {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        merged
    }

    fn view(&self) -> Map<String, Value> {
        self.over(&self.loaded)
    }

    fn loads(&mut self, stored: &Map<String, Value>) {
        *self = Self {
            loaded: stored.clone(),
            ..Self::default()
        };
    }

    fn take(&mut self, step: &Step, stored: &mut Map<String, Value>) {
        match step.clone() {
            Step::Insert(key, value) => self.set(key, Some(value)),
            Step::Merge(fields) => {
                fields
                    .into_iter()
                    .for_each(|(key, value)| self.merge(&key, value));
            }
            Step::Remove(key) => self.set(key, None),
            Step::Clear => self.view().keys().for_each(|key| self.set(key, None)),
            Step::Update | Step::Rotate => *stored = self.over(stored),
            Step::UpdateWith(key, value) => {
                *stored = self.over(stored);
                stored.insert(key.into(), value);
            }
            Step::Replace(fields) => *stored = fields,
            Step::Reload => {}
        }
        let stores = !matches!(
            step,
            Step::Insert(..) | Step::Merge(_) | Step::Remove(_) | Step::Clear
        );
        if stores {
            self.loads(stored);
        }
    }
}

async fn take(session: &Session, step: &Step) {
    match step.clone() {
        Step::Insert(key, value) => session.insert(key, value).unwrap(),
        Step::Merge(fields) => session.merge(fields).unwrap(),
        Step::Remove(key) => drop(session.remove(key)),
        Step::Clear => session.clear(),
        Step::Update => session.update().await.unwrap(),
        Step::UpdateWith(key, value) => {
            session
                .update_with(|data| data.insert(key, &value))
                .await
                .unwrap();
        }
        Step::Replace(fields) => session.replace(fields).await.unwrap(),
        Step::Reload => session.reload().await.unwrap(),
        Step::Rotate => drop(session.rotate().await.unwrap()),
    }
}

async fn compare(
    beginning: Map<String, Value>,
    steps: Vec<(bool, Step)>,
) -> Result<(), TestCaseError> {
    let store = MemoryStore::new();
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    let sessions = Sessions::builder(store.clone(), keyring).build().unwrap();
    let id = SessionId::random();
    let (key, value) = (
        format!("sess:{}", id.as_str()),
        serde_json::to_vec(&beginning).unwrap(),
    );
    let record = NewRecord::new(&key, &value, Duration::from_secs(60));
    assert_eq!(store.insert(record).await, Ok(true));

    let mut stored = beginning;
    let handles = [
        sessions.get(&id).await.unwrap(),
        sessions.get(&id).await.unwrap(),
    ];
    let mut models = [Model::default(), Model::default()];
    models.iter_mut().for_each(|model| model.loads(&stored));
    // In the end one handle gives the session a new id, with what it has changed.
    let last = (false, Step::Rotate);
    for (second, step) in steps.iter().chain([&last]) {
        let which = usize::from(*second);
        take(&handles[which], step).await;
        models[which].take(step, &mut stored);
        for (handle, model) in handles.iter().zip(&models) {
            prop_assert_eq!(handle.to_json(), Value::Object(model.view()));
        }
    }
    let end = sessions.get(&handles[0].id().unwrap()).await.unwrap();
    prop_assert_eq!(end.to_json(), Value::Object(stored));
    Ok(())
}

proptest! {
    #[test]
    fn r35_two_handles_merge_as_the_model(
        beginning in fields(),
        steps in prop::collection::vec((any::<bool>(), step()), 0..16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(compare(beginning, steps))?;
    }
}
