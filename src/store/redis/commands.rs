//! The Redis command of each step of the store contract.
//!
//! Every command names one key: the first argument, or the third one of a script call.

use std::time::Duration;

use redis::{Arg, Cmd};

use super::config::LARGE;
use super::scripts::{
    self, COMPARE_AND_DELETE, COMPARE_AND_SET, INDEX_PUT, INDEX_REMOVE_DUE, INDEX_SUPERSEDE,
    INDEX_TOMBSTONE_ALL, Script,
};
use super::spare;
use crate::store::types::{Due, NewEntry, NewRecord, PutMode};

/// The longest TTL that is sent, in milliseconds: exact as a Lua number, and far below the point
/// where Redis refuses it because adding the present time would overflow.
const LONGEST_TTL: u128 = 1 << 52;

/// How a script is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// By its hash: short, but refused by a server that has not run it yet.
    Hash,
    /// By its text: understood by every server, so it cannot leave a gap in a pipeline.
    Text,
}

/// Bytes that the integers and options of a command take at most.
const NUMBERS: usize = 64;

/// The remaining TTL of a record: `PTTL`.
pub(super) fn pttl(key: &str) -> Cmd {
    command("PTTL", key, 0, 0)
}

/// The value of a record: `GET`.
pub(super) fn get(key: &str) -> Cmd {
    command("GET", key, 0, 0)
}

/// The first [`LARGE`] bytes of the value of a record: `GETRANGE`.
///
/// An absent record has an empty value here, so this is sent behind a [`pttl`].
pub(super) fn beginning(key: &str) -> Cmd {
    let mut range = command("GETRANGE", key, 2, NUMBERS);
    range.arg(0).arg(LARGE - 1);
    range
}

/// Writes a record unless there is one: `SET NX PX`.
pub(super) fn insert(record: NewRecord<'_>) -> Cmd {
    let mut set = command("SET", record.key, 4, record.value.len() + NUMBERS);
    set.arg(record.value).arg("PX").arg(millis(record.ttl));
    set.arg("NX");
    set
}

/// Writes a record that holds `expected`: a script.
pub(super) fn compare_and_set(form: Form, expected: &[u8], record: NewRecord<'_>) -> Cmd {
    let size = expected.len() + record.value.len() + NUMBERS;
    let mut call = call(form, &COMPARE_AND_SET, record.key, 3, size);
    call.arg(expected).arg(record.value).arg(millis(record.ttl));
    call
}

/// Deletes a record that holds `expected`: a script.
pub(super) fn compare_and_delete(form: Form, key: &str, expected: &[u8]) -> Cmd {
    let mut call = call(form, &COMPARE_AND_DELETE, key, 1, expected.len());
    call.arg(expected);
    call
}

/// Sets the TTL of a record: `PEXPIRE`.
pub(super) fn set_ttl(key: &str, ttl: Duration) -> Cmd {
    let mut expire = command("PEXPIRE", key, 1, NUMBERS);
    expire.arg(millis(ttl));
    expire
}

/// Deletes a record: `DEL`.
pub(super) fn delete(key: &str) -> Cmd {
    command("DEL", key, 0, 0)
}

/// Adds or raises an entry of an index: a script.
pub(super) fn index_put(form: Form, entry: NewEntry<'_>, mode: PutMode) -> Cmd {
    let mut call = call(
        form,
        &INDEX_PUT,
        entry.index,
        4,
        entry.member.len() + NUMBERS,
    );
    call.arg(entry.member).arg(entry.check_after);
    call.arg(millis(entry.ttl));
    call.arg(i32::from(mode == PutMode::Reactivate));
    call
}

/// The score of an entry: `ZSCORE`.
pub(super) fn index_get(index: &str, member: &str) -> Cmd {
    let mut score = command("ZSCORE", index, 1, member.len());
    score.arg(member);
    score
}

/// All entries of an index with their scores: `ZRANGE WITHSCORES`.
pub(super) fn index_all(index: &str) -> Cmd {
    let mut range = command("ZRANGE", index, 3, NUMBERS);
    range.arg(0).arg(-1).arg("WITHSCORES");
    range
}

/// The active entries that are due, with their scores: `ZRANGEBYSCORE WITHSCORES LIMIT`.
pub(super) fn index_due(index: &str, due: Due) -> Cmd {
    let mut range = command("ZRANGEBYSCORE", index, 6, 2 * NUMBERS);
    range.arg(0).arg(due.by).arg("WITHSCORES").arg("LIMIT");
    range
        .arg(0)
        .arg(i64::try_from(due.limit).unwrap_or(i64::MAX));
    range
}

/// Removes members from an index, or only those of them that are due: `ZREM`, or a script.
///
/// `members` is not empty: Redis refuses a `ZREM` of nothing.
pub(super) fn index_remove(form: Form, index: &str, members: &[&str], due_by: Option<i64>) -> Cmd {
    let size = members.iter().map(|member| member.len()).sum::<usize>();
    let mut remove = match due_by {
        None => command("ZREM", index, members.len(), size),
        Some(by) => {
            let mut call = call(
                form,
                &INDEX_REMOVE_DUE,
                index,
                members.len() + 1,
                size + NUMBERS,
            );
            call.arg(by);
            call
        }
    };
    remove.arg(members);
    remove
}

/// Turns active entries into tombstones and lists all tombstones: a script.
pub(super) fn index_tombstone_all(form: Form, index: &str, keep: Option<&str>, now: i64) -> Cmd {
    let size = keep.map_or(0, str::len) + NUMBERS;
    let mut call = call(form, &INDEX_TOMBSTONE_ALL, index, 2, size);
    call.arg(tombstone(now)).arg(keep);
    call
}

/// Turns `old` into a tombstone if both entries are active: a script.
pub(super) fn index_supersede(form: Form, index: &str, old: &str, new: &str, now: i64) -> Cmd {
    let mut call = call(
        form,
        &INDEX_SUPERSEDE,
        index,
        3,
        old.len() + new.len() + NUMBERS,
    );
    call.arg(old).arg(new).arg(tombstone(now));
    call
}

/// Starts a command with capacity for `args` more arguments of `size` bytes in all.
fn command(name: &str, key: &str, args: usize, size: usize) -> Cmd {
    let mut command = spare::take(args + 2, name.len() + key.len() + size);
    command.arg(name).arg(key);
    command
}

/// Starts a script call with capacity for `args` more arguments of `size` bytes in all.
fn call(form: Form, script: &Script, key: &str, args: usize, size: usize) -> Cmd {
    let (name, body) = match form {
        Form::Hash => ("EVALSHA", script.sha.as_str()),
        Form::Text => ("EVAL", script.text),
    };
    let mut call = spare::take(args + 4, name.len() + body.len() + key.len() + size + 1);
    call.arg(name).arg(body).arg(1).arg(key);
    call
}

/// The same call by the text of its script, if `call` is one by hash.
pub(super) fn by_text(call: &Cmd) -> Option<Cmd> {
    let mut args = call.args_iter().map(|arg| match arg {
        Arg::Simple(bytes) => bytes,
        _ => &[],
    });
    let script = match args.next()? {
        b"EVALSHA" => scripts::by_hash(args.next()?)?,
        _ => return None,
    };
    let mut call = Cmd::new();
    call.arg("EVAL").arg(script.text);
    args.for_each(|arg| _ = call.arg(arg));
    Some(call)
}

/// The score of a tombstone: the time at which it was set, negated.
fn tombstone(now: i64) -> i64 {
    now.max(1).saturating_neg()
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis().clamp(1, LONGEST_TTL)).unwrap_or(1)
}
