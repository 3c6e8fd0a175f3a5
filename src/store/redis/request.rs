//! What one call sends to Redis.

use std::mem;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, Pipeline, RedisResult};

use super::answers::Answers;
use super::config::LARGE;
use super::member::Member;
use super::scripts::{
    COMPARE_AND_DELETE, COMPARE_AND_SET, DELETE, INDEX_PAGE, INDEX_PUT, INDEX_REMOVE_DUE,
    INDEX_SUPERSEDE, INDEX_TOMBSTONE_ALL, SET_TTL, SET_TTL_IF,
};
use super::spare;
use crate::store::index_entries::lowest_put;
use crate::store::types::{DELETING, Due, EntryState, IndexPage, NewEntry, NewRecord, PutMode};

/// The longest TTL that is sent, in milliseconds: exact as a Lua number, and far below the point
/// where Redis rejects it because adding the present time would overflow.
const LONGEST_TTL: u128 = 1 << 52;

/// The largest limit of a page that is sent: exact as a Lua number, and more than an index can hold.
const LARGEST_PAGE: i64 = 1 << 40;

/// The cursor of a scan that begins, and of a scan that has ended.
pub(super) const FIRST_CURSOR: &str = "0";

/// The usual number of arguments of a command, and bytes of its numbers and options.
const ARGS: usize = 8;
const NUMBERS: usize = 64;

/// Commands that go out in one write and are answered in their order.
///
/// Every command names one key: the first argument, or the third one of a script call. A client
/// of a cluster groups them by it.
pub(super) struct Request {
    commands: Commands,
    is_read: bool,
    reads_large: bool,
}

// redis-rs sends a `Cmd` or a `Pipeline`. A pipeline allocates a list, and the buffers of its
// commands cannot be reused. A single command needs neither.
#[derive(Default)]
enum Commands {
    #[default]
    None,
    One(Cmd),
    Several(Pipeline),
}

impl Request {
    /// Creates a request of commands that only read, so that sending it twice does no harm.
    pub(super) const fn read() -> Self {
        Self::new(true)
    }

    /// Creates a request of commands of which at least one writes.
    pub(super) const fn write() -> Self {
        Self::new(false)
    }

    const fn new(is_read: bool) -> Self {
        Self {
            commands: Commands::None,
            is_read,
            reads_large: false,
        }
    }

    /// Expects answers that are large, whatever the size of the request is.
    pub(super) fn expect_large(mut self) -> Self {
        self.reads_large = true;
        self
    }

    pub(super) const fn is_read(&self) -> bool {
        self.is_read
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.commands, Commands::None)
    }

    /// Whether the request, or what it reads, is too large for the connection of all calls.
    pub(super) fn is_large(&self) -> bool {
        self.reads_large
            || match &self.commands {
                Commands::None => false,
                Commands::One(command) => size(command) > LARGE,
                Commands::Several(pipeline) => pipeline.cmd_iter().map(size).sum::<usize>() > LARGE,
            }
    }

    /// Sends the request and returns the answers, with errors of single commands among them.
    pub(super) async fn send(&self, handle: &mut MultiplexedConnection) -> RedisResult<Answers> {
        match &self.commands {
            Commands::None => Ok(Answers::One(None)),
            Commands::One(command) => {
                let answer = handle.send_packed_command(command).await?;
                Ok(Answers::One(Some(answer)))
            }
            Commands::Several(pipeline) => {
                let answers = handle.send_packed_commands(pipeline, 0, pipeline.len());
                Ok(Answers::several(answers.await?))
            }
        }
    }

    /// Returns the keys that the commands name.
    pub(super) fn keys(&self) -> Vec<&[u8]> {
        self.commands().into_iter().map(key).collect()
    }

    /// Returns the commands.
    pub(super) fn commands(&self) -> Vec<&Cmd> {
        match &self.commands {
            Commands::None => Vec::new(),
            Commands::One(command) => vec![command],
            Commands::Several(pipeline) => pipeline.cmd_iter().collect(),
        }
    }

    /// Returns the number of commands.
    #[cfg(feature = "cluster")]
    pub(super) fn len(&self) -> usize {
        match &self.commands {
            Commands::None => 0,
            Commands::One(_) => 1,
            Commands::Several(pipeline) => pipeline.len(),
        }
    }

    /// Returns the key of all commands, if it is the same.
    #[cfg(feature = "cluster")]
    pub(super) fn only_key(&self) -> Option<&[u8]> {
        match &self.commands {
            Commands::None => None,
            Commands::One(command) => Some(key(command)),
            Commands::Several(pipeline) => {
                let mut keys = pipeline.cmd_iter().map(key);
                let first = keys.next()?;
                keys.all(|key| key == first).then_some(first)
            }
        }
    }

    /// Creates a request of copies of `commands`, whose answers are as large as those of `self`.
    #[cfg(feature = "cluster")]
    pub(super) fn of<'a>(&self, commands: impl IntoIterator<Item = &'a Cmd>) -> Self {
        let mut is_read = true;
        let mut request = Self::new(true);
        request.reads_large = self.reads_large;
        for command in commands {
            is_read &= reads(command);
            request = request.push(&mut command.clone());
        }
        request.is_read = is_read;
        request
    }

    /// Adds a command behind those that are there.
    fn push(mut self, command: &mut Cmd) -> Self {
        let command = command.take();
        self.commands = match mem::take(&mut self.commands) {
            Commands::None => Commands::One(command),
            Commands::One(first) => {
                let mut pipeline = Pipeline::new();
                pipeline.add_command(first).add_command(command);
                Commands::Several(pipeline)
            }
            Commands::Several(mut pipeline) => {
                pipeline.add_command(command);
                Commands::Several(pipeline)
            }
        };
        self
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Commands::One(command) = &mut self.commands {
            let size = size(command);
            spare::keep(command, size);
        }
    }
}

/// Returns the key of a command of this module.
pub(super) fn key(command: &Cmd) -> &[u8] {
    let place = if name(command) == b"EVAL" { 3 } else { 1 };
    argument(command, place)
}

/// Whether a command only reads.
#[cfg(feature = "cluster")]
pub(super) fn reads(command: &Cmd) -> bool {
    matches!(
        name(command),
        b"ASKING" | b"GET" | b"GETRANGE" | b"PTTL" | b"ZRANGE" | b"ZRANGEBYSCORE" | b"ZSCORE"
    )
}

/// Whether a command deletes a record.
#[cfg(feature = "cluster")]
pub(super) fn deletes(command: &Cmd) -> bool {
    argument(command, 1) == DELETE.as_bytes()
}

fn name(command: &Cmd) -> &[u8] {
    argument(command, 0)
}

fn argument(command: &Cmd, place: usize) -> &[u8] {
    match command.args_iter().nth(place) {
        Some(Arg::Simple(bytes)) => bytes,
        _ => &[],
    }
}

/// Starts a command with capacity for `size` bytes of arguments beside the key and numbers.
fn command(name: &str, key: &str, size: usize) -> Cmd {
    let mut command = spare::take(ARGS, name.len() + key.len() + size + NUMBERS);
    command.arg(name).arg(key);
    command
}

/// Starts a script call; arguments as for [`command`].
fn script(text: &str, key: &str, size: usize) -> Cmd {
    let mut call = command("EVAL", text, key.len() + size);
    call.arg(1).arg(key);
    call
}

fn size(command: &Cmd) -> usize {
    let size = |arg: Arg<&[u8]>| match arg {
        Arg::Simple(bytes) => bytes.len(),
        _ => 0,
    };
    command.args_iter().map(size).sum()
}

/// The commands.
impl Request {
    pub(super) fn ping(self) -> Self {
        self.push(&mut redis::cmd("PING"))
    }

    /// Reads which node of a cluster serves which slots.
    #[cfg(feature = "cluster")]
    pub(super) fn cluster_slots(self) -> Self {
        self.push(redis::cmd("CLUSTER").arg("SLOTS"))
    }

    /// Reads the names of keys that begin with `prefix`, from `cursor` on.
    pub(super) fn scan(self, cursor: &str, prefix: &str, count: usize) -> Self {
        let mut pattern = String::with_capacity(prefix.len() + 1);
        for character in prefix.chars() {
            if matches!(character, '*' | '?' | '[' | ']' | '^' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('*');
        let mut scan = command("SCAN", cursor, pattern.len());
        self.push(scan.arg("MATCH").arg(pattern).arg("COUNT").arg(count))
    }

    /// Reads the remaining TTL of a record.
    pub(super) fn pttl(self, key: &str) -> Self {
        self.push(&mut command("PTTL", key, 0))
    }

    /// Reads the value of a record.
    pub(super) fn get(self, key: &str) -> Self {
        self.push(&mut command("GET", key, 0))
    }

    /// Reads the first [`LARGE`] bytes of the value of a record.
    ///
    /// An absent record has an empty value here, so this goes behind a [`pttl`](Self::pttl).
    pub(super) fn beginning(self, key: &str) -> Self {
        self.push(command("GETRANGE", key, 0).arg(0).arg(LARGE - 1))
    }

    pub(super) fn insert(self, record: NewRecord<'_>) -> Self {
        let mut set = command("SET", record.key, record.value.len());
        set.arg(record.value).arg("PX").arg(millis(record.ttl));
        self.push(set.arg("NX"))
    }

    pub(super) fn compare_and_set(self, expected: &[u8], record: NewRecord<'_>) -> Self {
        let size = expected.len() + record.value.len();
        let mut call = script(COMPARE_AND_SET, record.key, size);
        call.arg(expected).arg(record.value);
        self.push(call.arg(millis(record.ttl)))
    }

    pub(super) fn compare_and_delete(self, key: &str, expected: &[u8]) -> Self {
        self.push(script(COMPARE_AND_DELETE, key, expected.len()).arg(expected))
    }

    pub(super) fn set_ttl_if(self, key: &str, prefix: &[u8], ttl: Duration) -> Self {
        if prefix.is_empty() {
            return self.push(script(SET_TTL, key, 0).arg(millis(ttl)));
        }
        let mut call = script(SET_TTL_IF, key, prefix.len());
        self.push(call.arg(prefix).arg(millis(ttl)))
    }

    pub(super) fn delete(self, key: &str) -> Self {
        self.push(&mut script(DELETE, key, 0))
    }

    pub(super) fn index_put(self, entry: NewEntry<'_>, mode: PutMode) -> Self {
        let mut call = script(INDEX_PUT, entry.index, entry.member.len());
        call.arg(Member::of(entry.member)).arg(entry.check_after);
        call.arg(millis(entry.ttl));
        self.push(call.arg(lowest_put(mode)))
    }

    pub(super) fn index_get(self, index: &str, member: &str) -> Self {
        self.push(command("ZSCORE", index, member.len()).arg(Member::of(member)))
    }

    pub(super) fn index_list(self, index: &str, due: Option<Due>) -> Self {
        let Some(Due { by, limit }) = due else {
            let mut list = command("ZRANGE", index, 0);
            return self.push(list.arg(0).arg(-1).arg("WITHSCORES"));
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut list = command("ZRANGEBYSCORE", index, 0);
        let list = list.arg(0).arg(by).arg("WITHSCORES");
        self.push(list.arg("LIMIT").arg(0).arg(limit))
    }

    /// Reads a page of an index, with the lowest score first in any case.
    pub(super) fn index_page(self, index: &str, page: IndexPage<'_>) -> Self {
        let limit = i64::try_from(page.limit).map_or(LARGEST_PAGE, |limit| limit.min(LARGEST_PAGE));
        if let Some(after) = page.after {
            let mut call = script(INDEX_PAGE, index, after.member.len());
            call.arg(limit).arg(i32::from(page.descending));
            call.arg(after.state.score());
            return self.push(call.arg(Member::of(&after.member)));
        }
        let (first, last) = match page.descending {
            false => (0, limit - 1),
            true => (-limit, -1),
        };
        let mut list = command("ZRANGE", index, 0);
        self.push(list.arg(first).arg(last).arg("WITHSCORES"))
    }

    /// Removes members from an index, or only those of them that are due.
    pub(super) fn index_remove(self, index: &str, members: &[&str], due_by: Option<i64>) -> Self {
        // Redis rejects a ZREM of nothing.
        if members.is_empty() {
            return self;
        }
        let size = members.iter().map(|member| member.len()).sum();
        let mut remove = match due_by {
            None => command("ZREM", index, size),
            Some(by) => script(INDEX_REMOVE_DUE, index, size).arg(by).take(),
        };
        for member in members {
            remove.arg(Member::of(member));
        }
        self.push(&mut remove)
    }

    pub(super) fn index_tombstone_all(self, index: &str, keep: Option<&str>, now: i64) -> Self {
        let mut call = script(INDEX_TOMBSTONE_ALL, index, keep.map_or(0, str::len));
        let since = now.max(1);
        call.arg(EntryState::Deleting { since }.score());
        self.push(call.arg(DELETING).arg(keep.map(Member::of)))
    }

    pub(super) fn index_supersede(self, index: &str, old: &str, new: &str, now: i64) -> Self {
        let mut call = script(INDEX_SUPERSEDE, index, old.len() + new.len());
        call.arg(Member::of(old)).arg(Member::of(new));
        let since = now.max(1);
        self.push(call.arg(EntryState::Superseded { since }.score()))
    }
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis().clamp(1, LONGEST_TTL)).unwrap_or(1)
}
