//! What one call sends to Redis.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, Pipeline, RedisResult};

use super::answers::Answers;
use super::config::LARGE;
use super::scripts::{
    COMPARE_AND_DELETE, COMPARE_AND_SET, INDEX_PUT, INDEX_REMOVE_DUE, INDEX_SUPERSEDE,
    INDEX_TOMBSTONE_ALL,
};
use crate::store::types::{Due, IndexFilter, NewEntry, NewRecord, PutMode};

/// The longest TTL that is sent, in milliseconds: exact as a Lua number, and far below the point
/// where Redis rejects it because adding the present time would overflow.
const LONGEST_TTL: u128 = 1 << 52;

/// The usual number of arguments of a command, and bytes of its numbers and options.
const ARGS: usize = 8;
const NUMBERS: usize = 64;

/// Commands that go out in one write and are answered in their order.
///
/// Every command names one key: the first argument, or the third one of a script call.
pub(super) struct Request {
    commands: Pipeline,
    is_read: bool,
    reads_large: bool,
}

impl Request {
    /// Creates a request of commands that only read, so that sending it twice does no harm.
    pub(super) fn read() -> Self {
        Self {
            commands: Pipeline::new(),
            is_read: true,
            reads_large: false,
        }
    }

    /// Creates a request of commands of which at least one writes.
    pub(super) fn write() -> Self {
        Self {
            is_read: false,
            ..Self::read()
        }
    }

    /// Expects large answers, even if the request is small.
    pub(super) fn expect_large(mut self) -> Self {
        self.reads_large = true;
        self
    }

    pub(super) const fn is_read(&self) -> bool {
        self.is_read
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Whether the request or its answers are too large for the connection that all calls share.
    pub(super) fn is_large(&self) -> bool {
        let size = |arg| match arg {
            Arg::Simple(bytes) => <[u8]>::len(bytes),
            _ => 0,
        };
        let args = self.commands.cmd_iter().flat_map(Cmd::args_iter);
        self.reads_large || args.map(size).sum::<usize>() > LARGE
    }

    /// Sends the request and returns the answers, with errors of single commands among them.
    pub(super) async fn send(&self, handle: &mut MultiplexedConnection) -> RedisResult<Answers> {
        let count = self.commands.len();
        let answers = handle.send_packed_commands(&self.commands, 0, count);
        Ok(Answers::new(answers.await?))
    }

    /// Adds a command with capacity for `size` bytes of arguments, the key and numbers excluded.
    fn command(&mut self, name: &str, key: &str, size: usize) -> &mut Pipeline {
        let mut command = Cmd::with_capacity(ARGS, name.len() + key.len() + size + NUMBERS);
        command.arg(name).arg(key);
        self.commands.add_command(command)
    }

    /// Adds a script call; arguments as for [`command`](Self::command).
    fn script(&mut self, text: &str, key: &str, size: usize) -> &mut Pipeline {
        let call = self.command("EVAL", text, key.len() + size);
        call.arg(1).arg(key)
    }
}

/// Methods that add one command each.
impl Request {
    pub(super) fn ping(mut self) -> Self {
        self.commands.cmd("PING");
        self
    }

    pub(super) fn pttl(mut self, key: &str) -> Self {
        self.command("PTTL", key, 0);
        self
    }

    pub(super) fn get(mut self, key: &str) -> Self {
        self.command("GET", key, 0);
        self
    }

    /// Reads the first [`LARGE`] bytes of the value of a record.
    ///
    /// An absent record has an empty value here, so this goes behind a [`pttl`](Self::pttl).
    pub(super) fn beginning(mut self, key: &str) -> Self {
        self.command("GETRANGE", key, 0).arg(0).arg(LARGE - 1);
        self
    }

    pub(super) fn insert(mut self, record: NewRecord<'_>) -> Self {
        let set = self.command("SET", record.key, record.value.len());
        set.arg(record.value).arg("PX").arg(millis(record.ttl));
        set.arg("NX");
        self
    }

    pub(super) fn compare_and_set(mut self, expected: &[u8], record: NewRecord<'_>) -> Self {
        let size = expected.len() + record.value.len();
        let call = self.script(COMPARE_AND_SET, record.key, size);
        call.arg(expected).arg(record.value).arg(millis(record.ttl));
        self
    }

    pub(super) fn compare_and_delete(mut self, key: &str, expected: &[u8]) -> Self {
        self.script(COMPARE_AND_DELETE, key, expected.len())
            .arg(expected);
        self
    }

    pub(super) fn set_ttl(mut self, key: &str, ttl: Duration) -> Self {
        self.command("PEXPIRE", key, 0).arg(millis(ttl));
        self
    }

    pub(super) fn delete(mut self, key: &str) -> Self {
        self.command("DEL", key, 0);
        self
    }

    pub(super) fn index_put(mut self, entry: NewEntry<'_>, mode: PutMode) -> Self {
        let call = self.script(INDEX_PUT, entry.index, entry.member.len());
        call.arg(entry.member).arg(entry.check_after);
        call.arg(millis(entry.ttl));
        call.arg(i32::from(mode == PutMode::Reactivate));
        self
    }

    pub(super) fn index_get(mut self, index: &str, member: &str) -> Self {
        self.command("ZSCORE", index, member.len()).arg(member);
        self
    }

    pub(super) fn index_list(mut self, index: &str, filter: IndexFilter) -> Self {
        match filter {
            IndexFilter::All => self.command("ZRANGE", index, 0).arg(0).arg(-1),
            IndexFilter::Due(Due { by, .. }) => {
                self.command("ZRANGEBYSCORE", index, 0).arg(0).arg(by)
            }
        };
        self.commands.arg("WITHSCORES");
        if let IndexFilter::Due(Due { limit, .. }) = filter {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            self.commands.arg("LIMIT").arg(0).arg(limit);
        }
        self
    }

    /// Removes members from an index, or only those of them that are due.
    pub(super) fn index_remove(
        mut self,
        index: &str,
        members: &[&str],
        due_by: Option<i64>,
    ) -> Self {
        // Redis rejects a ZREM of nothing.
        if members.is_empty() {
            return self;
        }
        let size = members.iter().map(|member| member.len()).sum();
        let remove = match due_by {
            None => self.command("ZREM", index, size),
            Some(by) => self.script(INDEX_REMOVE_DUE, index, size).arg(by),
        };
        remove.arg(members);
        self
    }

    pub(super) fn index_tombstone_all(mut self, index: &str, keep: Option<&str>, now: i64) -> Self {
        let size = keep.map_or(0, str::len);
        let call = self.script(INDEX_TOMBSTONE_ALL, index, size);
        call.arg(tombstone(now)).arg(keep);
        self
    }

    pub(super) fn index_supersede(mut self, index: &str, old: &str, new: &str, now: i64) -> Self {
        let call = self.script(INDEX_SUPERSEDE, index, old.len() + new.len());
        call.arg(old).arg(new).arg(tombstone(now));
        self
    }
}

/// The score of a tombstone: the time at which it was set, negated.
fn tombstone(now: i64) -> i64 {
    now.max(1).saturating_neg()
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis().clamp(1, LONGEST_TTL)).unwrap_or(1)
}
