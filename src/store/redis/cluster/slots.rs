//! Map of slots to nodes.

use crc16::{State, XMODEM};
use redis::Value;

/// The number of slots of every cluster.
const SLOTS: u16 = 16384;

/// Returns the slot of `key`: that of the part in braces, if there is one, as in `{user}:1`.
pub(super) fn slot(key: &[u8]) -> u16 {
    let position = |byte, part: &[u8]| part.iter().position(|found| *found == byte);
    let tag = position(b'{', key).map(|start| &key[start + 1..]);
    let tag = tag.and_then(|rest| position(b'}', rest).map(|end| &rest[..end]));
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
    State::<XMODEM>::calculate(hashed) % SLOTS
}

/// The answer of `CLUSTER SLOTS`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SlotMap {
    /// First slot, last slot and the nodes that serve them, the master first.
    ranges: Vec<(u16, u16, Vec<Node>)>,
}

/// Host and port of a node.
pub(super) type Node = (String, u16);

impl SlotMap {
    /// Reads an answer of the node at `host`. `None` if it has another form.
    pub(super) fn read(answer: Value, host: &str) -> Option<Self> {
        let Value::Array(ranges) = answer else {
            return None;
        };
        let mut ranges = ranges
            .into_iter()
            .map(|range| read_range(range, host))
            .collect::<Option<Vec<_>>>()?;
        ranges.sort_unstable_by_key(|(first, ..)| *first);
        Some(Self { ranges })
    }

    /// Returns the master of `slot`.
    pub(super) fn master(&self, slot: u16) -> Option<&Node> {
        let behind = self.ranges.partition_point(|(first, ..)| *first <= slot);
        let (_, last, nodes) = self.ranges.get(behind.checked_sub(1)?)?;
        nodes.first().filter(|_| slot <= *last)
    }

    /// Returns the masters. One that serves several ranges occurs more than once.
    pub(super) fn masters(&self) -> impl Iterator<Item = &Node> {
        self.ranges.iter().filter_map(|(.., nodes)| nodes.first())
    }

    /// Returns all nodes, the masters first.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        let replicas = self
            .ranges
            .iter()
            .flat_map(|(.., nodes)| nodes.iter().skip(1));
        self.masters().chain(replicas)
    }

    /// Whether every slot has a master.
    pub(super) fn is_complete(&self) -> bool {
        let mut next = 0;
        for (first, last, nodes) in &self.ranges {
            if *first != next || nodes.is_empty() {
                return false;
            }
            next = last + 1;
        }
        next == SLOTS
    }
}

fn read_range(range: Value, host: &str) -> Option<(u16, u16, Vec<Node>)> {
    let Value::Array(range) = range else {
        return None;
    };
    let mut parts = range.into_iter();
    let (first, last) = (number(&parts.next()?)?, number(&parts.next()?)?);
    let nodes = parts.map(|node| read_node(node, host));
    Some((first, last.min(SLOTS - 1), nodes.collect::<Option<_>>()?))
}

/// Reads `[host, port, id, …]`.
fn read_node(node: Value, host: &str) -> Option<Node> {
    let Value::Array(node) = node else {
        return None;
    };
    let mut parts = node.into_iter();
    let name = match parts.next()? {
        Value::BulkString(name) => String::from_utf8(name).ok()?,
        Value::SimpleString(name) => name,
        Value::Nil => String::new(),
        _ => return None,
    };
    // A node without an announced address has the one that the query was sent to.
    let name = match name.as_str() {
        "" | "?" => host.to_owned(),
        _ => name,
    };
    Some((name, number(&parts.next()?)?))
}

fn number(value: &Value) -> Option<u16> {
    match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::{SlotMap, slot};

    #[test]
    fn slots_are_those_of_the_specification() {
        for (key, expected) in [
            ("123456789", 12739),
            ("", 0),
            ("{user1000}.following", 3443),
            ("user1000", 3443),
            ("foo{}{bar}", 8363),
            ("foo{{bar}}zap", slot(b"{bar")),
            ("foo{bar}{zap}", slot(b"bar")),
        ] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
    }

    fn node(host: Value, port: i64) -> Value {
        Value::Array(vec![
            host,
            Value::Int(port),
            Value::BulkString(b"id".into()),
        ])
    }

    fn range(first: i64, last: i64, nodes: Vec<Value>) -> Value {
        let numbers = [Value::Int(first), Value::Int(last)];
        Value::Array(numbers.into_iter().chain(nodes).collect())
    }

    #[test]
    fn the_answer_is_read() {
        let own = || node(Value::Nil, 1);
        let other = || node(Value::BulkString(b"10.0.0.2".into()), 2);
        let answer = Value::Array(vec![
            range(8192, 16383, vec![other(), own()]),
            range(0, 8191, vec![own(), other()]),
        ]);
        let map = SlotMap::read(answer, "10.0.0.1").unwrap();
        assert_eq!(map.master(8191), Some(&("10.0.0.1".into(), 1)));
        assert_eq!(map.master(8192), Some(&("10.0.0.2".into(), 2)));
        assert!(map.is_complete());
        assert_eq!(map.nodes().count(), 4);

        let gap = Value::Array(vec![range(0, 1, vec![own()]), range(3, 16383, vec![own()])]);
        let map = SlotMap::read(gap, "host").unwrap();
        assert!(!map.is_complete());
        assert_eq!((map.master(2), map.master(3).is_some()), (None, true));
        assert!(!SlotMap::default().is_complete());
        assert_eq!(SlotMap::read(Value::Int(1), "host"), None);
    }
}
