//! Sessions on real Redis servers that lag, refuse or lie, and for clients that go away.
//!
//! What the store alone does then is in `faults_store`. `LONG=1` asks for the long versions.

mod clocks;
mod corrupt;
mod crossed;
mod disconnects;
mod http;
mod lifetimes;
mod outages;
mod refusals;
mod revocation;
mod rotation;
mod secrets;
mod shutdown;
mod updates;

use std::time::Duration;

use jwt_redis_session::config::SessionsBuilder;
use jwt_redis_session::{
    Keyring, RedisConfig, RedisStore, Session, SessionError, Sessions, Token, TokenRejection,
};

use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

const UNKNOWN: SessionError = SessionError::Rejected(TokenRejection::Unknown);

fn builder(store: RedisStore) -> SessionsBuilder {
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").expect("a good secret");
    Sessions::builder(store, keyring)
}

fn sessions(store: RedisStore) -> Sessions {
    builder(store).build().expect("a good configuration")
}

/// A server, and two applications on connections of their own, each over a proxy that holds
/// every packet back for a random time of at most 2 ms.
struct Race {
    server: RedisServer,
    _proxies: [Proxy; 2],
    stores: [RedisStore; 2],
}

impl Race {
    async fn prepare() -> Self {
        let server = RedisServer::start();
        let proxies = [
            Proxy::to(server.address()).await,
            Proxy::to(server.address()).await,
        ];
        let stores = [connect(&proxies[0]).await, connect(&proxies[1]).await];
        for proxy in &proxies {
            proxy.jitter(Duration::from_millis(2));
        }
        Self {
            server,
            _proxies: proxies,
            stores,
        }
    }

    /// The two applications, with the keys of round `number` to themselves.
    fn round(&self, number: usize) -> [Sessions; 2] {
        let keyspace = format!("{number}:");
        self.stores.clone().map(|store| {
            let round = builder(store).keyspace(&*keyspace);
            round.build().expect("a good configuration")
        })
    }

    /// The ids of the records of round `number`, in order.
    fn records(&self, number: usize) -> Vec<String> {
        records(&self.server, &format!("{number}:"))
    }
}

/// The ids of the records in `keyspace`, in order.
fn records(server: &RedisServer, keyspace: &str) -> Vec<String> {
    let keys = server.run(&["KEYS", &format!("{keyspace}*")]);
    let keys: Vec<String> = redis::from_redis_value(keys).expect("names");
    let ids = keys.iter().filter_map(|key| key.strip_prefix(keyspace));
    let mut ids: Vec<_> = ids
        .filter(|id| !id.contains(':'))
        .map(str::to_owned)
        .collect();
    ids.sort_unstable();
    ids
}

async fn connect(proxy: &Proxy) -> RedisStore {
    patient(&proxy.url()).await
}

/// A store that waits for long: a busy machine is none of the faults here.
async fn patient(url: &str) -> RedisStore {
    let patience = Duration::from_secs(20);
    let config = RedisConfig::new(url)
        .deadline(patience)
        .response_timeout(patience);
    config.connect().await.expect("connect")
}

/// A new session of `owner`, if any.
async fn created(sessions: &Sessions, owner: Option<&str>) -> (Session, Token) {
    let session = sessions.new_session();
    session.insert("a", 1).expect("a number");
    if let Some(owner) = owner {
        session.set_owner(owner).unwrap();
    }
    let token = session.create().await.expect("redis answers");
    (session, token)
}

async fn open(sessions: &Sessions, token: &Token) -> Result<Session, SessionError> {
    sessions.open(token.as_str()).await
}

/// The ids that the list of `owner` shows, in order.
async fn listed(sessions: &Sessions, owner: &str) -> Vec<String> {
    let entries = sessions.list(owner).await.expect("redis answers");
    let mut ids: Vec<_> = entries
        .iter()
        .map(|entry| entry.id().as_str().to_owned())
        .collect();
    ids.sort_unstable();
    ids
}
