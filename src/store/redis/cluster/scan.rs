//! Scans of all masters, one after the other.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Duration;

use tokio::time::Instant;

use super::client::Cluster;
use super::progress::unserved;
use super::slots::Node;
use crate::store::error::Result;
use crate::store::redis::answers::Answers;
use crate::store::redis::request::{FIRST_CURSOR, Request};
use crate::store::types::ScanPage;

impl Cluster {
    /// Returns keys that begin with `prefix`. A position is a cursor, and the node that it is for.
    pub(crate) async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        count: usize,
        deadline: Instant,
    ) -> Result<ScanPage> {
        if after.is_none() {
            self.renew(deadline, Duration::ZERO).await?;
        }
        let nodes = self.nodes.load_full();
        if !nodes.slots.is_complete() {
            return Err(unserved());
        }
        let masters: BTreeSet<Node> = nodes.slots.masters().cloned().collect();
        let held = after.and_then(parse);
        // A node that is no longer a master: others have its keys, and it is unknown which.
        let held = held.filter(|(_, node)| masters.contains(node));
        let first = || Some((FIRST_CURSOR, masters.first()?.clone()));
        let (cursor, node) = held.or_else(first).ok_or_else(unserved)?;
        let scan = Request::read().scan(cursor, prefix, count);
        let server = self.server(&node);
        let scanned = server.run(&scan, deadline, Answers::scanned).await;
        let (keys, cursor) = scanned.map_err(|failure| failure.error)?;
        let next = match &*cursor {
            FIRST_CURSOR => masters
                .range((Bound::Excluded(&node), Bound::Unbounded))
                .next(),
            _ => Some(&node),
        };
        let next = next.map(|(host, port)| format!("{cursor} {port} {host}"));
        Ok(ScanPage::new(keys, next))
    }
}

fn parse(position: &str) -> Option<(&str, Node)> {
    let (cursor, node) = position.split_once(' ')?;
    let (port, host) = node.split_once(' ')?;
    Some((cursor, (host.to_owned(), port.parse().ok()?)))
}
