//! Requests to a cluster.
//!
//! # Why not `redis::cluster_async::ClusterConnection`
//!
//! Measured with redis 1.8.1, even with its own retries switched off:
//!
//! * If one answer of a pipeline is a redirection, all answers are lost: whether the writes in it
//!   were executed is then unknown. Here only what was redirected is sent again.
//! * `ASKING` and its command are two messages on a connection that calls share, so another call
//!   can take its effect. Here they are one write.
//! * It reports a lost connection with the same error whether a command was written or not, and
//!   never replaces the connection of a node that hangs. Here each node has the connection of
//!   [`Server`], with its deadlines.
//!
//! `cargo bench --bench cluster` prints what a read costs here.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use redis::{ConnectionAddr, ConnectionInfo, Value};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::batches;
use super::follower::Follower;
use super::nodes::{NodeFactory, Nodes};
use super::progress::{Answered, Group, Pending, Progress, unserved};
use super::redirect::Redirect;
use super::slots::{Node, SlotMap, slot};
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::redis::answers::Answers;
use crate::store::redis::config::RedisConfig;
use crate::store::redis::endpoint::Access;
use crate::store::redis::request::{Request, key};
use crate::store::redis::server::Server;
use crate::store::redis::server_info::ServerInfo;
use crate::store::watches::RecordWatch;

/// The pause before a command goes to its slot again: one that no node serves now, or whose node
/// is gone.
const PAUSE: Duration = Duration::from_millis(20);
/// The number of attempts without a pause. Nodes that disagree about a slot can redirect a command to
/// each other until the deadline.
const ATTEMPTS_WITHOUT_PAUSE: u32 = 3;

/// A cluster, with a connection to each node that is used.
pub(crate) struct Cluster {
    /// The nodes of the configuration.
    seeds: Vec<Node>,
    factory: NodeFactory,
    address: Box<str>,
    pub(super) nodes: ArcSwap<Nodes>,
    /// When the slots were last read. Locked while they are read, so that calls share one query.
    renewed_at: Mutex<Option<Instant>>,
    follower: Follower,
}

impl Cluster {
    pub(crate) fn new(seeds: &[ConnectionInfo], config: &RedisConfig) -> Result<Self> {
        let addresses: Vec<_> = seeds.iter().map(|seed| seed.addr().to_string()).collect();
        let factory = NodeFactory {
            access: Access::new(config, seeds[0].addr())?,
            settings: seeds[0].clone(),
            limits: config.limits,
            interrupted: Arc::new(Notify::new()),
        };
        let seeds: Vec<_> = seeds.iter().filter_map(node_of).collect();
        let nodes = Nodes::default().renewed(&factory, seeds.iter(), SlotMap::default());
        Ok(Self {
            seeds,
            factory,
            address: addresses.join(", ").into(),
            nodes: ArcSwap::from_pointee(nodes),
            renewed_at: Mutex::default(),
            follower: Follower::default(),
        })
    }

    /// Returns the addresses of the configuration, for messages.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Checks that every slot has a master, and that each master serves.
    ///
    /// A key of each is read: a node that is cut off answers `PING`, and rejects every key.
    pub(crate) async fn ping(&self, deadline: Instant) -> Result<()> {
        self.renew(deadline, Duration::ZERO).await?;
        let nodes = self.nodes.load_full();
        if !nodes.slots.is_complete() {
            return Err(unserved());
        }
        let mut masters: HashSet<_> = nodes.slots.masters().collect();
        let mut number = 0_u32;
        while !masters.is_empty() {
            let key = number.to_string();
            number += 1;
            let master = nodes.slots.master(slot(key.as_bytes()));
            if master.is_some_and(|master| masters.remove(master)) {
                let read = Request::read().pttl(&key);
                match self.run(read, deadline, Answers::done).await {
                    // The account may read other keys.
                    Err(error) if error.kind() == StoreErrorKind::Permission => {}
                    read => read?,
                }
            }
        }
        Ok(())
    }

    /// Returns what the masters report of themselves.
    pub(crate) async fn report(&self, deadline: Instant) -> Result<ServerInfo> {
        let nodes = self.nodes.load_full();
        let masters: HashSet<_> = nodes.slots.masters().collect();
        let mut all = ServerInfo::default();
        for master in masters {
            all.merge(self.server(master).report(deadline).await?);
        }
        Ok(all)
    }

    /// Sends `request` and reads its answers with `read`, all before `deadline`.
    ///
    /// A command that was redirected was not executed and is sent again, whether it writes or not.
    /// One whose answer was lost is sent again only if it reads, or was never written.
    pub(crate) async fn run<T>(
        &self,
        request: Request,
        deadline: Instant,
        read: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T> {
        let answers = match request.only_key() {
            Some(key) => self.run_part(&request, Some(key), deadline).await?,
            None => self.run_parts(request, deadline).await?,
        };
        read(&mut Answers::several(answers)).inspect_err(|error| self.inspect(error))
    }

    async fn run_parts(&self, request: Request, deadline: Instant) -> Result<Vec<Value>> {
        let mut answers = Vec::new();
        for part in batches::split(request) {
            let part = self.run_part(&part, part.only_key(), deadline).await?;
            let has_failed = part
                .iter()
                .any(|answer| matches!(answer, Value::ServerError(_)));
            answers.extend(part);
            // The later steps rely on the earlier ones.
            if has_failed {
                break;
            }
        }
        Ok(answers)
    }

    /// Watches the record under `key` at the node that serves it, if that is known.
    pub(crate) fn watch(self: &Arc<Self>, key: &str) -> Option<RecordWatch> {
        let nodes = self.nodes.load_full();
        let (_, server) = nodes.serving(key.as_bytes())?;
        let watch = server.watch(key)?;
        let cluster = Arc::downgrade(self);
        self.follower.start(&self.factory.interrupted, move || {
            let cluster = cluster.upgrade()?;
            Some(async move {
                let deadline = Instant::now() + cluster.factory.limits.deadline;
                // While no node answers, the node of a watch is interrupted again and again.
                let _ = cluster.renew(deadline, PAUSE).await;
            })
        });
        Some(watch)
    }

    /// Sends a part of a request. `only_key` is the key of all its commands, if it is the same.
    async fn run_part(
        &self,
        part: &Request,
        only_key: Option<&[u8]>,
        deadline: Instant,
    ) -> Result<Vec<Value>> {
        if self.nodes.load().slots.masters().next().is_none() {
            self.renew(deadline, PAUSE).await?;
        }
        // The usual case first, which needs no copy of the commands and no task.
        let nodes = self.nodes.load_full();
        let mut progress = match only_key.and_then(|key| nodes.serving(key)) {
            Some((node, server)) => {
                let count = part.len();
                let read = |answers: &mut Answers| answers.raw(count);
                match server.run(part, deadline, read).await {
                    Ok(values) if !values.iter().any(Redirect::is) => return Ok(values),
                    answered => Progress::after(part, node, server, answered)?,
                }
            }
            None => Progress::new(part),
        };
        let mut attempts = 0;
        while !progress.is_complete() {
            self.prepare(&progress, attempts, deadline).await?;
            attempts += 1;
            let groups = self.groups(&mut progress);
            for (group, answered) in send(part, &progress, groups, deadline).await {
                progress.take(group, answered)?;
            }
        }
        Ok(progress.answers)
    }

    /// Does what the pending commands need before they are sent again.
    async fn prepare(
        &self,
        progress: &Progress<'_>,
        attempts: u32,
        deadline: Instant,
    ) -> Result<()> {
        let Some(reason) = &progress.reason else {
            return Ok(());
        };
        if !progress.has_only_asks() {
            // A failure shows in the next attempt.
            let _ = self.renew(deadline, PAUSE).await;
        }
        if attempts >= ATTEMPTS_WITHOUT_PAUSE {
            sleep(PAUSE).await;
        }
        match Instant::now() < deadline {
            true => Ok(()),
            false => Err(reason.clone()),
        }
    }

    /// Groups the pending commands by the node that they go to next.
    fn groups(&self, progress: &mut Progress<'_>) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let nodes = self.nodes.load_full();
        for Pending { index, redirect } in progress.take_pending() {
            let slot = slot(key(progress.commands[index]));
            let (node, is_asking) = match redirect {
                Redirect::Moved(node) => (node, false),
                Redirect::Ask(node) => (node, true),
                Redirect::Later => match nodes.slots.master(slot) {
                    Some(node) => (node.clone(), false),
                    None => {
                        progress.put_off(index, unserved());
                        continue;
                    }
                },
            };
            let same = |group: &&mut Group| group.node == node && group.is_asking == is_asking;
            match groups.iter_mut().find(same) {
                Some(group) => group.indices.push(index),
                None => groups.push(Group {
                    server: self.server(&node),
                    node,
                    is_asking,
                    indices: vec![index],
                }),
            }
        }
        groups
    }

    pub(super) fn server(&self, node: &Node) -> Arc<Server> {
        loop {
            if let Some(server) = self.nodes.load().get(node) {
                return Arc::clone(server);
            }
            self.nodes.rcu(|nodes| nodes.with(&self.factory, node));
        }
    }

    /// Reads the slots again, unless another call has done so within `fresh`.
    pub(super) async fn renew(&self, deadline: Instant, fresh: Duration) -> Result<()> {
        let renewed_at = timeout_at(deadline, self.renewed_at.lock()).await;
        let mut renewed_at = renewed_at.map_err(|_| self.late())?;
        if renewed_at.is_some_and(|at| at.elapsed() < fresh) {
            return Ok(());
        }
        let slots = self.nodes.load_full().query_slots(deadline).await;
        *renewed_at = Some(Instant::now());
        let slots = slots?;
        let former = self.nodes.rcu(|nodes| {
            // The nodes of the configuration are kept: all others may be replaced.
            let known = slots.nodes().chain(&self.seeds);
            nodes.renewed(&self.factory, known, slots.clone())
        });
        // Afterwards, so that a session that is watched again is watched at its node.
        former.release_watches(&slots);
        Ok(())
    }

    /// Discards connections whose answers show that they are unusable.
    fn inspect(&self, error: &StoreError) {
        if matches!(
            error.kind(),
            StoreErrorKind::Protocol | StoreErrorKind::Auth
        ) {
            for server in self.nodes.load().servers() {
                server.inspect(error);
            }
        }
    }

    fn late(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Timeout).with_detail(&*self.address)
    }
}

/// Sends all groups concurrently.
async fn send(
    part: &Request,
    progress: &Progress<'_>,
    groups: Vec<Group>,
    deadline: Instant,
) -> Vec<(Group, Answered)> {
    let mut sent = JoinSet::new();
    for group in groups {
        let request = group.request(part, &progress.commands);
        sent.spawn(async move {
            let answered = group.send(&request, deadline).await;
            (group, answered)
        });
    }
    let mut all = Vec::new();
    while let Some(answered) = sent.join_next().await {
        // A task that panics loses its group; the panic goes on here.
        match answered {
            Ok(answered) => all.push(answered),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    all
}

fn node_of(info: &ConnectionInfo) -> Option<Node> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Some((host.clone(), *port))
        }
        _ => None,
    }
}
