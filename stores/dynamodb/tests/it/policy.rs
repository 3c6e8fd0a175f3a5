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

/// IAM itself is not here: the server in front of the emulator refuses all other actions.
#[tokio::test]
async fn operations_send_the_documented_requests_and_need_exactly_the_policy() {
    let emulator = Emulator::start().await;
    let front = Front::of(emulator.url()).await;
    let allowed = allowed();
    front.allow_only(allowed.iter().cloned());
    let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789").unwrap();
    let sessions = Sessions::builder(store(&front.url), keys).build().unwrap();
    let readme = include_str!("../../README.md");
    let (mut missing, mut used) = (Vec::new(), BTreeSet::new());
    let mut documented = |operation: &str| {
        let found = front.actions();
        let count = |action| found.get(action).copied().unwrap_or_default();
        let (gets, puts, deletes) = (count("GetItem"), count("PutItem"), count("DeleteItem"));
        let row = format!("| {operation} | {gets} | {puts} | {deletes} |");
        if !readme.contains(&row) {
            missing.push(row);
        }
        used.extend(found.into_keys());
    };

    let session = sessions.new_session();
    session.insert("cart", ["apple"]).unwrap();
    let guest = session.create().await.unwrap();
    documented("`create` without an owner");
    sessions.open(guest.as_str()).await.unwrap();
    documented("load");
    session.insert("cart", ["pear"]).unwrap();
    session.update().await.unwrap();
    documented("`update` without an owner");
    session.destroy().await.unwrap();
    documented("`destroy` without an owner");

    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    session.create().await.unwrap();
    documented("`create` with an owner, the first session");
    let second = sessions.new_session();
    second.set_owner("jo").unwrap();
    second.create().await.unwrap();
    documented("`create` with an owner, a further session");
    second.insert("cart", ["pear"]).unwrap();
    second.update().await.unwrap();
    documented("`update` with an owner");
    second.rotate().await.unwrap();
    documented("`rotate` with an owner");
    sessions.list("jo").await.unwrap();
    documented("`list` of 2 sessions");
    sessions.destroy_all("jo").await.unwrap();
    documented("`destroy_all` of 2 sessions");
    assert_eq!(used, allowed);
    assert!(missing.is_empty(), "not in the README: {missing:#?}");
}
