//! Commands of a request that may be sent concurrently.

use redis::Cmd;

use crate::store::redis::request::{Request, deletes, key, reads};

/// Splits a request into parts that are sent one after the other.
///
/// The order of the commands of a request protects the promises. All commands on one key go to
/// one node, in one write, so they keep their order. Commands on different keys go to different
/// nodes, so each part waits for the one before, unless the order does not matter: reads, and
/// deletions of records.
pub(super) fn split(request: Request) -> Vec<Request> {
    let commands = request.commands();
    let mut parts: Vec<&[&Cmd]> = Vec::new();
    let mut start = 0;
    for end in 1..=commands.len() {
        let fits = commands
            .get(end)
            .is_some_and(|next| fits(&commands[start..end], next));
        if !fits {
            parts.push(&commands[start..end]);
            start = end;
        }
    }
    if parts.len() == 1 {
        drop(parts);
        drop(commands);
        return vec![request];
    }
    parts
        .iter()
        .map(|part| request.of(part.iter().copied()))
        .collect()
}

fn fits(part: &[&Cmd], next: &Cmd) -> bool {
    let is_free = |command: &Cmd| reads(command) || deletes(command);
    part.iter().all(|command| key(command) == key(next))
        || (is_free(next) && part.iter().all(|command| is_free(command)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::split;
    use crate::store::redis::request::Request;
    use crate::store::types::{NewEntry, NewRecord, PutMode};

    fn parts(request: Request) -> Vec<(usize, bool)> {
        let parts = split(request);
        let parts = parts.iter();
        parts
            .map(|part| (part.commands().len(), part.is_read()))
            .collect()
    }

    #[test]
    fn order_is_kept_across_keys_and_nothing_else_waits() {
        let ttl = Duration::from_secs(1);
        let entry = |index| NewEntry::new(index, "id", 1, ttl);
        let record = NewRecord::new("r", b"v", ttl);
        let put = |all: Request, index| all.index_put(entry(index), PutMode::KeepTombstone);
        let many = |all: Request| all.pttl("a").get("a").pttl("b").get("b");

        assert_eq!(parts(many(Request::read())), [(4, true)]);
        let delete = Request::write().delete("a").delete("b");
        assert_eq!(
            parts(delete.index_remove("i", &["a"], None)),
            [(2, false), (1, false)]
        );
        let insert = put(put(Request::write(), "i"), "j").insert(record);
        let insert = insert.index_get("j", "id").index_get("j", "id");
        assert_eq!(
            parts(insert),
            [(1, false), (1, false), (1, false), (2, true)]
        );
        let refresh = put(put(Request::write(), "i"), "i").index_remove("i", &["a"], Some(1));
        assert_eq!(parts(refresh), [(3, false)]);
        let touch = Request::write()
            .pttl("a")
            .get("a")
            .set_ttl_if("a", b"", ttl);
        assert_eq!(parts(touch), [(3, false)]);
    }
}
