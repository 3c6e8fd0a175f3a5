//! The known nodes, and the query for all others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use redis::ConnectionInfo;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::slots::{Node, SlotMap, slot};
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::redis::address::at;
use crate::store::redis::answers::Answers;
use crate::store::redis::config::Limits;
use crate::store::redis::connect::Connector;
use crate::store::redis::endpoint::{Access, Endpoint};
use crate::store::redis::request::Request;
use crate::store::redis::server::Server;

/// The time after which the slots are read from the next node, if the last one has not answered.
const STAGGER: Duration = Duration::from_millis(50);

/// Creates a [`Server`] for the address of a node.
pub(super) struct NodeFactory {
    /// Settings for every node, at any address.
    pub(super) settings: ConnectionInfo,
    pub(super) access: Access,
    pub(super) limits: Limits,
    /// Notified when a node does not answer for a watched record.
    pub(super) interrupted: Arc<Notify>,
}

/// The nodes at one time.
#[derive(Clone, Default)]
pub(super) struct Nodes {
    /// Connections are made when a node is first used, so replicas cost nothing.
    servers: HashMap<Node, Arc<Server>>,
    pub(super) slots: Arc<SlotMap>,
}

impl NodeFactory {
    fn server(&self, (host, port): &Node) -> Arc<Server> {
        let info = at(&self.settings, host.clone(), *port);
        let endpoint = Endpoint::new(info, self.access.clone());
        let server = Server::new(Connector::of_node(endpoint, self.limits), None);
        Arc::new(server.with_interruptions(&self.interrupted))
    }
}

impl Nodes {
    /// Returns the server of `node`, if it is known.
    pub(super) fn get(&self, node: &Node) -> Option<&Arc<Server>> {
        self.servers.get(node)
    }

    /// Returns the node that serves `key`.
    pub(super) fn serving(&self, key: &[u8]) -> Option<(&Node, &Arc<Server>)> {
        let node = self.slots.master(slot(key))?;
        Some((node, self.get(node)?))
    }

    pub(super) fn servers(&self) -> impl Iterator<Item = &Arc<Server>> {
        self.servers.values()
    }

    /// Adds `nodes`, and forgets the others.
    pub(super) fn renewed<'a>(
        &self,
        factory: &NodeFactory,
        nodes: impl Iterator<Item = &'a Node>,
        slots: SlotMap,
    ) -> Self {
        let server = |node: &Node| {
            let known = self.get(node).cloned();
            known.unwrap_or_else(|| factory.server(node))
        };
        Self {
            servers: nodes.map(|node| (node.clone(), server(node))).collect(),
            slots: Arc::new(slots),
        }
    }

    /// Adds a node that another one has named.
    pub(super) fn with(&self, factory: &NodeFactory, node: &Node) -> Self {
        let mut nodes = self.clone();
        nodes.servers.insert(node.clone(), factory.server(node));
        nodes
    }

    /// Ends the watches on records that another node has according to `slots`.
    pub(super) fn release_watches(&self, slots: &SlotMap) {
        for (node, server) in &self.servers {
            let master = |key: &str| slots.master(slot(key.as_bytes()));
            server.retain_watches(|key| master(key).is_none_or(|master| master == node));
        }
    }

    /// Reads the slots from the nodes, and returns the first answer.
    ///
    /// The masters come first. One that hangs delays the answer by [`STAGGER`] only.
    pub(super) async fn query_slots(&self, deadline: Instant) -> Result<SlotMap> {
        let masters: HashSet<&Node> = self.slots.masters().collect();
        let mut candidates: Vec<_> = self.servers.iter().collect();
        candidates.sort_by_key(|(node, _)| !masters.contains(node));
        let mut candidates = candidates.into_iter();
        let mut queries = JoinSet::new();
        let mut error = StoreError::new(StoreErrorKind::Connection);
        loop {
            if let Some(((host, _), server)) = candidates.next() {
                queries.spawn(query(Arc::clone(server), host.clone(), deadline));
            } else if queries.is_empty() {
                return Err(error);
            }
            match timeout(STAGGER, queries.join_next()).await {
                Ok(Some(Ok(Ok(slots)))) => return Ok(slots),
                Ok(Some(Ok(Err(failed)))) => error = failed,
                Ok(_) | Err(_) => {}
            }
        }
    }
}

async fn query(server: Arc<Server>, host: String, deadline: Instant) -> Result<SlotMap> {
    let request = Request::read().cluster_slots();
    let read = |answers: &mut Answers| {
        let slots = SlotMap::read(answers.value()?, &host);
        let slots = slots.ok_or(StoreErrorKind::Protocol)?;
        // A node that has left its cluster, or has lost its file, reports no slots.
        match slots == SlotMap::default() {
            true => Err(StoreErrorKind::Cluster.into()),
            false => Ok(slots),
        }
    };
    let answered = server.run(&request, deadline, read).await;
    answered.map_err(|failure| failure.error)
}
