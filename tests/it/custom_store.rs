//! The durable store of the example `custom_store`.

#[path = "../../examples/custom_store.rs"]
#[allow(dead_code)]
mod example;

use example::Redb;
use jwt_redis_session::store::cas::CasStore;
use jwt_redis_session::testing::conformance;
use jwt_redis_session::{Keyring, Sessions};

/// A file in a directory that is removed on drop.
struct File(std::path::PathBuf);

impl File {
    fn new() -> Self {
        let name = crate::support::unique("custom_store").replace(':', "-");
        let directory = std::env::temp_dir().join(name);
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
    let file = File::new();
    // One after the other: on a busy machine, records of concurrent cases would expire while
    // their writes wait for each other and for the disk.
    conformance::check(CasStore::new(file.open())).await;
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let file = File::new();
    let sessions = || {
        let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789").unwrap();
        let store = CasStore::new(file.open());
        Sessions::builder(store, keys).build().unwrap()
    };
    let token = {
        let session = sessions().new_session();
        session.insert("theme", "dark").unwrap();
        session.set_owner("jo").unwrap();
        session.create().await.unwrap()
    };
    let sessions = sessions();
    let session = sessions.open(token.as_str()).await.unwrap();
    assert_eq!(session.get::<String>("theme").unwrap().unwrap(), "dark");
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert!(sessions.open(token.as_str()).await.is_err());
}
