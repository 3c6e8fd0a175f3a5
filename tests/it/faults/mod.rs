//! Sessions and an HTTP application on failing Redis servers, and with clients that disconnect.
//!
//! `faults_store` tests the store alone under such faults; `interleavings` tests concurrent
//! operations.

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

/// Connects a store with a long deadline, so that a busy machine causes no timeout.
async fn connect(url: &str) -> RedisStore {
    let patience = Duration::from_secs(20);
    let config = RedisConfig::new(url)
        .deadline(patience)
        .response_timeout(patience);
    config.connect().await.expect("connect")
}

/// Creates a session of `owner`.
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

/// Returns the ids of the listed sessions of `owner`, sorted.
async fn listed(sessions: &Sessions, owner: &str) -> Vec<String> {
    let entries = sessions.list(owner).await.expect("redis answers");
    let ids = entries.iter().map(|entry| entry.id().as_str().to_owned());
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}

/// Returns the ids of all records, sorted.
fn records(server: &RedisServer) -> Vec<String> {
    let keys = server.run(&["KEYS", "sess:*"]);
    let keys: Vec<String> = redis::from_redis_value(keys).expect("names");
    let ids = keys.iter().filter_map(|key| key.strip_prefix("sess:"));
    // The name of an index contains another colon, an id none.
    let ids = ids.filter(|id| !id.contains(':')).map(str::to_owned);
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}
