//! The permissions in `policy.json`, and the requests of each operation.

use std::collections::BTreeSet;

use jwt_redis_session::{Keyring, Sessions};
use serde_json::Value;

use crate::emulator::{Emulator, store};
use crate::front::Front;

/// Returns the names of the actions that the policy allows.
fn allowed() -> BTreeSet<String> {
    let policy: Value = serde_json::from_str(include_str!("../../policy.json")).unwrap();
    let actions = policy["Statement"][0]["Action"].as_array().unwrap().iter();
    let names = actions.map(|action| action.as_str().unwrap().strip_prefix("dynamodb:").unwrap());
    names.map(str::to_owned).collect()
}

/// A server in front of the emulator, which refuses other actions as IAM does.
struct Counted {
    _emulator: Emulator,
    front: Front,
    sessions: Sessions,
    used: BTreeSet<String>,
    undocumented: Vec<String>,
}

impl Counted {
    async fn start() -> Self {
        let emulator = Emulator::start().await;
        let front = Front::of(emulator.url()).await;
        front.allow_only(allowed().into_iter());
        let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789").unwrap();
        let sessions = Sessions::builder(store(&front.url), keys);
        Self {
            _emulator: emulator,
            front,
            sessions: sessions.build().unwrap(),
            used: BTreeSet::new(),
            undocumented: Vec::new(),
        }
    }

    /// Looks the requests since the last call up in the README.
    fn documented(&mut self, operation: &str) {
        let found = self.front.actions();
        let count = |action| found.get(action).copied().unwrap_or_default();
        let (gets, puts, deletes) = (count("GetItem"), count("PutItem"), count("DeleteItem"));
        let row = format!("| {operation} | {gets} | {puts} | {deletes} |");
        if !include_str!("../../README.md").contains(&row) {
            self.undocumented.push(row);
        }
        self.used.extend(found.into_keys());
    }

    #[track_caller]
    fn finish(self) {
        assert_eq!(self.used, allowed());
        let undocumented = self.undocumented;
        assert!(undocumented.is_empty(), "in no README: {undocumented:#?}");
    }
}

#[tokio::test]
async fn sessions_without_owner_send_the_documented_requests_and_need_exactly_the_policy() {
    let mut counted = Counted::start().await;
    let session = counted.sessions.new_session();
    session.insert("cart", ["apple"]).unwrap();
    let token = session.create().await.unwrap();
    counted.documented("`create` without an owner");
    counted.sessions.open(token.as_str()).await.unwrap();
    counted.documented("load");
    session.insert("cart", ["pear"]).unwrap();
    session.update().await.unwrap();
    counted.documented("`update` without an owner");
    session.destroy().await.unwrap();
    counted.documented("`destroy` without an owner");
    counted.finish();
}

#[tokio::test]
async fn sessions_of_an_owner_send_the_documented_requests_and_need_exactly_the_policy() {
    let mut counted = Counted::start().await;
    let [first, second] = [(); 2].map(|()| counted.sessions.new_session());
    for session in [&first, &second] {
        session.set_owner("jo").unwrap();
        session.create().await.unwrap();
        counted.documented("`create` with an owner");
    }
    second.insert("cart", ["pear"]).unwrap();
    second.update().await.unwrap();
    counted.documented("`update` with an owner");
    second.rotate().await.unwrap();
    counted.documented("`rotate` with an owner");
    counted.sessions.list("jo").await.unwrap();
    counted.documented("`list` of 2 sessions");
    counted.sessions.destroy_all("jo").await.unwrap();
    counted.documented("`destroy_all` of 2 sessions");
    counted.finish();
}
