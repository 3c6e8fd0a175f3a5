//! Two handles on one record against a model on plain maps.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Map;

use super::*;

type Fields = Map<String, Value>;

/// Few, so that the handles collide; some need escapes.
const KEYS: [&str; 5] = ["a", "b", "__proto__", "\"\u{e9}\n", ""];

/// The name of an operation, and the values for those that need some.
type Action = (&'static str, &'static str, Value, Fields);

/// Changes and updates come more often than what overwrites the data.
const ACTIONS: &str = "insert insert insert insert remove remove remove update update update \
    merge merge clear update_with replace reload";

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&KEYS[..])
}

/// Values of every kind. Some differ in the order of members only, which counts as equal.
fn value() -> impl Strategy<Value = Value> {
    let values = r#"[null, true, -1, 9007199254740993, 18446744073709551615, "", "\u00e9\n",
        [], [1, {"x": null}], {}, {"y": [1], "x": "\""}, {"x": "\"", "y": [1]}]"#;
    let values: Vec<Value> = serde_json::from_str(values).unwrap();
    prop::sample::select(values)
}

fn fields() -> impl Strategy<Value = Fields> {
    let named = |fields: BTreeMap<&str, _>| {
        let fields = fields.into_iter();
        fields.map(|(key, value)| (key.into(), value)).collect()
    };
    btree_map(key(), value(), 0..4).prop_map(named)
}

fn action() -> impl Strategy<Value = Action> {
    let names: Vec<_> = ACTIONS.split(' ').collect();
    (prop::sample::select(names), key(), value(), fields())
}

/// A handle in the model: what it loaded, and what it has changed since.
#[derive(Clone, Default)]
struct Model {
    loaded: Fields,
    changes: BTreeMap<String, Option<Value>>,
}

impl Model {
    fn set(&mut self, key: &str, value: Option<Value>) {
        self.changes.insert(key.into(), value);
    }

    /// Only what differs from the loaded value counts as a change.
    fn merge(&mut self, (key, value): (&String, &Value)) {
        if self.view().get(key) == Some(value) {
            return;
        }
        if self.loaded.get(key) == Some(value) {
            self.changes.remove(key);
        } else {
            self.set(key, Some(value.clone()));
        }
    }

    fn onto(&self, below: &Fields) -> Fields {
        let mut merged = below.clone();
        for (key, change) in &self.changes {
            match change {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        merged
    }

    fn view(&self) -> Fields {
        self.onto(&self.loaded)
    }

    fn apply(&mut self, (operation, key, value, fields): &Action, stored: &mut Fields) {
        let old = self.view();
        match *operation {
            "insert" => return self.set(key, Some(value.clone())),
            "merge" => return fields.iter().for_each(|it| self.merge(it)),
            "remove" => return self.set(key, None),
            "clear" => return old.keys().for_each(|key| self.set(key, None)),
            "reload" => {}
            "replace" => stored.clone_from(fields),
            _ => *stored = self.onto(stored),
        }
        if *operation == "update_with" {
            stored.insert((*key).into(), value.clone());
        }
        self.loaded.clone_from(stored);
        self.changes.clear();
    }
}

async fn apply(
    (operation, key, value, fields): &Action,
    session: &Session,
) -> Result<(), SessionError> {
    match *operation {
        "insert" => session.insert(*key, value)?,
        "merge" => session.merge(fields)?,
        "remove" => drop(session.remove(key)),
        "clear" => session.clear(),
        "replace" => session.replace(fields).await?,
        "update_with" => session.update_with(|data| data.insert(*key, value)).await?,
        other => run(other, session).await?,
    }
    Ok(())
}

async fn compare(mut stored: Fields, actions: Vec<(bool, Action)>) -> Result<(), TestCaseError> {
    let store = MemoryStore::new();
    let (sessions, id) = (sessions(store.clone()), SessionId::random());
    insert(&store, &id, &Value::Object(stored.clone()).to_string()).await;
    let handles = [sessions.get(&id).await, sessions.get(&id).await].map(Result::unwrap);
    let mut model = Model::default();
    model.loaded.clone_from(&stored);
    let mut models = [model.clone(), model];
    // In the end one handle gives the session a new id, with what it has changed.
    let last = (false, ("rotate", "", Value::Null, Fields::new()));
    for (second, action) in actions.iter().chain([&last]) {
        let which = usize::from(*second);
        apply(action, &handles[which]).await.unwrap();
        models[which].apply(action, &mut stored);
        for (handle, model) in handles.iter().zip(&models) {
            prop_assert_eq!(handle.to_json(), Value::Object(model.view()));
        }
    }
    let end = sessions.get(&super::id(&handles[0])).await.unwrap();
    prop_assert_eq!(end.to_json(), Value::Object(stored));
    Ok(())
}

proptest! {
    #[test]
    fn two_handles_merge_as_the_model(
        stored in fields(),
        actions in vec((any::<bool>(), action()), 0..16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(compare(stored, actions))?;
    }
}

/// Once failed: a merge of an equal value is no change, so that the write of the other handle stays.
#[tokio::test]
async fn a_merge_of_equal_data_keeps_the_write_of_another_handle() {
    let object: Fields = [("__proto__".to_owned(), json!({}))].into_iter().collect();
    let action =
        |name, fields: &Fields| -> Action { (name, "__proto__", Value::Null, fields.clone()) };
    let none = Fields::new();
    let actions = vec![
        (false, action("insert", &none)),
        (true, action("merge", &object)),
        (false, action("update", &none)),
        (true, action("update", &none)),
    ];
    compare(object, actions).await.unwrap();
}
