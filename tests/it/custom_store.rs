//! The durable store of the example `custom_store`.

#[path = "../../examples/custom_store.rs"]
#[allow(dead_code)]
mod example;

use std::time::Duration;

use example::Redb;
use jwt_redis_session::store::SharedStore;
use jwt_redis_session::store::cas::{CasBackend as _, CasStore};
use jwt_redis_session::testing::conformance::CASES;
use jwt_redis_session::{Keyring, Sessions};

/// A file in a directory that is removed in the end.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let directory = format!("custom_store-{}-{name}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        std::fs::create_dir_all(&directory).expect("a directory");
        Self(directory)
    }

    fn open(&self) -> Redb {
        Redb::open(self.0.join("sessions.redb")).expect("a database")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn the_custom_store_passes_every_case() {
    let file = File::new("conformance");
    let store = SharedStore::from(CasStore::new(file.open()));
    // One after the other: on a busy machine, records of all cases at once would expire while
    // their writes wait for each other and for the disk.
    for case in CASES {
        case.run(store.clone()).await;
    }
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let file = File::new("restart");
    let sessions = |database: Redb| {
        let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789").unwrap();
        let store = SharedStore::from(CasStore::new(database));
        Sessions::builder(store, keys).build().unwrap()
    };
    let token = {
        let session = sessions(file.open()).new_session();
        session.insert("theme", "dark").unwrap();
        session.set_owner("jo").unwrap();
        session.create().await.unwrap()
    };
    let sessions = sessions(file.open());
    let session = sessions.open(token.as_str()).await.unwrap();
    assert_eq!(session.get::<String>("theme").unwrap().unwrap(), "dark");
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert!(sessions.open(token.as_str()).await.is_err());
}

#[tokio::test]
async fn expired_values_are_purged() {
    let database = File::new("purge");
    let database = database.open();
    let second = Duration::from_secs(60);
    for (key, ttl) in [("short", Duration::from_millis(1)), ("long", second)] {
        let new = Some((&b"value"[..], ttl));
        assert_eq!(database.swap(key, None, new).await, Ok(true));
    }
    while database.get("short").await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(database.purge().await, Ok(1));
    assert!(database.get("long").await.unwrap().is_some());
}
