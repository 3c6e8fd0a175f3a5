//! Connections to the master that sentinels name.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::ConnectionInfo;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::query::{Address, master_address};
use super::votes::{Votes, majority};
use super::watch;
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::redis::address::at;
use crate::store::redis::cache::Moment;
use crate::store::redis::config::RedisConfig;
use crate::store::redis::connection::Connection;
use crate::store::redis::endpoint::{Access, Endpoint, Pushes};
use crate::store::redis::hello::Mode;

/// The pause before a sentinel is queried again that does not agree with the majority.
const PAUSE: Duration = Duration::from_millis(50);

/// The sentinels of one service.
pub(crate) struct Sentinels {
    sentinels: Vec<Arc<Endpoint>>,
    service: Arc<str>,
    master: ConnectionInfo,
    access: Access,
    address: Box<str>,
    votes: Arc<Votes>,
    /// The time between two queries to each sentinel.
    interval: Duration,
    /// The tasks that listen to the sentinels. Dropping it ends them.
    watch: Mutex<JoinSet<()>>,
}

/// Result of a task of [`Sentinels::connect`].
enum Found {
    /// The answer of the sentinel with this index.
    Vote(usize, Result<Address>),
    Connection(Address, Result<Connection>),
}

impl Sentinels {
    pub(crate) fn new(
        sentinels: Vec<ConnectionInfo>,
        service: String,
        master: ConnectionInfo,
        config: &RedisConfig,
    ) -> Result<Self> {
        let access = Access::new(config, master.addr())?;
        let addresses: Vec<_> = sentinels
            .iter()
            .map(|info| info.addr().to_string())
            .collect();
        let address = format!("master {service} of sentinels {}", addresses.join(", "));
        // The callback returns credentials of Redis only.
        let own_access = access.clone().without_provider();
        let endpoint = |info| Arc::new(Endpoint::new(info, own_access.clone()));
        Ok(Self {
            votes: Arc::new(Votes::new(sentinels.len())),
            sentinels: sentinels.into_iter().map(endpoint).collect(),
            service: service.into(),
            master,
            access,
            address: address.into(),
            interval: config.cache.map_or(watch::INTERVAL, |cache| {
                cache.interval().min(watch::INTERVAL)
            }),
            watch: Mutex::default(),
        })
    }

    /// Returns the service and its sentinels, for messages.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns a number that changes when another server becomes the master.
    pub(crate) fn generation(&self) -> u64 {
        self.votes.generation()
    }

    /// Connects to the master.
    ///
    /// All sentinels are queried concurrently, until a majority names the same server: one that
    /// hangs, or was cut off and names a former master, delays nothing.
    pub(crate) async fn connect(&self, pushes: Pushes) -> Result<Connection> {
        self.watch();
        // Read before the question: a change after it makes the connection outdated.
        let (generation, start) = (self.generation(), Instant::now());
        let (count, majority) = (self.sentinels.len(), majority(self.sentinels.len()));
        let first = |index| self.query(index, Duration::ZERO);
        let mut tasks: JoinSet<_> = (0..count).map(first).collect();
        let mut named: Vec<Option<Address>> = vec![None; count];
        let (mut failed, mut tried) = (0, HashSet::new());
        let mut error: Option<StoreError> = None;
        while let Some(Ok(found)) = tasks.join_next().await {
            match found {
                Found::Connection(address, Ok(connection)) => {
                    let generation = self.votes.agree(&address, start, generation);
                    return Ok(connection.with_generation(generation));
                }
                // Without a majority, another sentinel may name another server.
                Found::Connection(_, Err(failed)) if majority == 1 => error = Some(failed),
                Found::Connection(_, failed) => return failed,
                Found::Vote(index, Ok(address)) => {
                    let vote = named[index].insert(address).clone();
                    let votes = named.iter().flatten().filter(|other| **other == vote);
                    if votes.count() < majority {
                        // During a failover the sentinels learn of the next master one by one.
                        tasks.spawn(self.query(index, PAUSE));
                    } else if tried.insert(vote.clone()) {
                        tasks.spawn(self.open(vote, pushes.clone()));
                    }
                }
                Found::Vote(index, Err(cause)) => {
                    named[index] = None;
                    failed += 1;
                    // A sentinel without this service does not hide that the master is down.
                    if error.is_none() || cause.kind() != StoreErrorKind::Configuration {
                        error = Some(cause);
                    }
                    if count - failed < majority && tried.is_empty() {
                        break;
                    }
                }
            }
        }
        Err(self.undecided(error))
    }

    fn undecided(&self, error: Option<StoreError>) -> StoreError {
        let is_one_enough = majority(self.sentinels.len()) == 1;
        match error {
            // One that answers is no majority. What the others say otherwise is the reason.
            Some(error) if is_one_enough || error.kind() != StoreErrorKind::Connection => error,
            _ => {
                let detail = format!("{}: no majority of them answers", self.address);
                StoreError::new(StoreErrorKind::Connection).with_detail(detail)
            }
        }
    }

    /// Queries a sentinel after `pause`.
    fn query(&self, index: usize, pause: Duration) -> impl Future<Output = Found> + Send + use<> {
        let sentinel = Arc::clone(&self.sentinels[index]);
        let service = Arc::clone(&self.service);
        async move {
            sleep(pause).await;
            Found::Vote(index, query(&sentinel, &service).await)
        }
    }

    /// Connects to a server that sentinels have named.
    fn open(&self, address: Address, pushes: Pushes) -> impl Future<Output = Found> + Send + use<> {
        let confirmed = self.votes.confirmation(&address);
        let info = at(&self.master, address.0.clone(), address.1);
        let server = Endpoint::new(info, self.access.clone());
        async move { Found::Connection(address, open(server, pushes, confirmed).await) }
    }

    /// Starts to listen to the sentinels, unless this has been done.
    fn watch(&self) {
        let mut tasks = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        // The tasks end with the runtime that they were started on.
        while tasks.try_join_next().is_some() {}
        if tasks.is_empty() {
            *tasks = watch::start(&self.sentinels, self.interval, &self.service, &self.votes);
        }
    }
}

async fn query(sentinel: &Endpoint, service: &str) -> Result<Address> {
    let (connection, hello) = sentinel.open().await?;
    if !matches!(hello.mode, None | Some(Mode::Sentinel)) {
        let detail = format!(
            "the server at {} is not a sentinel; use redis:// or redis-cluster://",
            sentinel.address()
        );
        return Err(StoreError::new(StoreErrorKind::Configuration).with_detail(detail));
    }
    let master = master_address(&mut connection.handle(), sentinel.address(), service).await;
    connection.discard();
    master
}

async fn open(server: Endpoint, pushes: Pushes, confirmed: Arc<Moment>) -> Result<Connection> {
    let (connection, hello) = server.open_for(pushes, Some(confirmed)).await?;
    if hello.is_replica {
        connection.discard();
        // Sentinels may name a former master until they learn of the next one.
        let detail = format!("the server at {} is no longer a master", server.address());
        return Err(StoreError::new(StoreErrorKind::ReadOnly).with_detail(detail));
    }
    Ok(connection)
}
