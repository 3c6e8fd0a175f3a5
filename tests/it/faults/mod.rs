//! An application over HTTP on real Redis servers that fail, and with clients that go away.
//!
//! `faults_store` shows what the store alone does then, `interleavings` what operations do that
//! overlap.

mod application;
mod clocks;
mod corrupt;
mod disconnects;
mod outages;

use std::time::Duration;

use jwt_redis_session::config::SessionsBuilder;
use jwt_redis_session::{Keyring, RedisConfig, RedisStore, Session, SessionError, Sessions, Token};

use crate::support::redis_server::RedisServer;

fn builder(store: RedisStore) -> SessionsBuilder {
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").expect("a good secret");
    Sessions::builder(store, keyring)
}

fn sessions(store: RedisStore) -> Sessions {
    builder(store).build().expect("a good configuration")
}

/// A store with a long deadline: a busy machine is none of the faults here.
async fn connect(url: &str) -> RedisStore {
    let patience = Duration::from_secs(20);
    let config = RedisConfig::new(url)
        .deadline(patience)
        .response_timeout(patience);
    config.connect().await.expect("connect")
}

/// A new session of `owner`.
async fn created(sessions: &Sessions, owner: &str) -> (Session, Token) {
    let session = sessions.new_session();
    session.insert("a", 1).expect("a number");
    session.set_owner(owner).expect("a valid owner");
    let token = session.create().await.expect("redis answers");
    (session, token)
}

async fn open(sessions: &Sessions, token: &Token) -> Result<Session, SessionError> {
    sessions.open(token.as_str()).await
}

fn id(session: &Session) -> String {
    session.id().expect("an id").as_str().to_owned()
}

/// The ids that the list of `owner` shows, in order.
async fn listed(sessions: &Sessions, owner: &str) -> Vec<String> {
    let entries = sessions.list(owner).await.expect("redis answers");
    let ids = entries.iter().map(|entry| entry.id().as_str().to_owned());
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}

/// The ids of all records, in order.
fn records(server: &RedisServer) -> Vec<String> {
    let keys = server.run(&["KEYS", "sess:*"]);
    let keys: Vec<String> = redis::from_redis_value(keys).expect("names");
    let ids = keys.iter().filter_map(|key| key.strip_prefix("sess:"));
    // An index has a colon in the rest of its name.
    let ids = ids.filter(|id| !id.contains(':')).map(str::to_owned);
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}
