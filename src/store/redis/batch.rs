//! Commands as Redis hears them.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult, ServerErrorKind, Value};

use super::scripts::{
    COMPARE_AND_DELETE, COMPARE_AND_SET, INDEX_MARK_ALL, INDEX_PRUNE, INDEX_PUT, INDEX_SUPERSEDE,
    INDEX_UNMARK, Script,
};
use crate::store::legacy::Command;

/// The longest time to live that is sent, in milliseconds: exact as a Lua number, and far below
/// where Redis refuses because adding the present time would overflow.
const LONGEST_TTL: u128 = 1 << 52;

/// What one call sends in one go.
pub(super) struct Batch<'a> {
    pipeline: Pipeline,
    /// The one command of the batch, if it is a script and is called by its name.
    named: Option<&'a Command<'a>>,
}

impl<'a> Batch<'a> {
    /// Puts `commands` into Redis' words.
    ///
    /// A script that stands alone is called by its name, others in full: a name that the server
    /// does not know would leave a hole in the middle.
    pub(super) fn encode(commands: &'a [Command<'a>]) -> Self {
        let named = match commands {
            [only] if is_script(only) => Some(only),
            _ => None,
        };
        let mut pipeline = Pipeline::with_capacity(commands.len() + 1);
        for command in commands {
            write(&mut pipeline, command, named.is_some());
        }
        Self { pipeline, named }
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.pipeline.is_empty()
    }

    /// Sends everything in one write and returns the raw answers, refusals among them.
    pub(super) async fn send(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Vec<Value>> {
        let answers = send(&self.pipeline, connection).await?;
        match (self.named, answers.as_slice()) {
            // In full, never SCRIPT LOAD, which least-privilege accounts may not.
            (Some(command), [answer]) if is_unknown_script(answer) => {
                let mut pipeline = Pipeline::with_capacity(1);
                write(&mut pipeline, command, false);
                send(&pipeline, connection).await
            }
            _ => Ok(answers),
        }
    }
}

async fn send(
    pipeline: &Pipeline,
    connection: &mut MultiplexedConnection,
) -> RedisResult<Vec<Value>> {
    let mut commands = pipeline.cmd_iter();
    match (commands.next(), commands.next()) {
        (Some(only), None) => Ok(vec![connection.send_packed_command(only).await?]),
        _ => {
            let count = pipeline.len();
            connection.send_packed_commands(pipeline, 0, count).await
        }
    }
}

fn is_unknown_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}

const fn is_script(command: &Command<'_>) -> bool {
    matches!(
        command,
        Command::CompareAndSet { .. }
            | Command::CompareAndDelete { .. }
            | Command::IndexPut { .. }
            | Command::IndexUnmark { .. }
            | Command::IndexPrune { .. }
            | Command::IndexMarkAll { .. }
            | Command::IndexSupersede { .. }
    )
}

fn write(out: &mut Pipeline, command: &Command<'_>, by_name: bool) {
    match *command {
        Command::Load { key } => out.cmd("GET").arg(key).cmd("PTTL").arg(key),
        Command::Insert { key, value, ttl } => set(out, key, value, ttl).arg("NX"),
        Command::Replace { key, value, ttl } => set(out, key, value, ttl).arg("XX"),
        Command::Expire { key, ttl } => out.cmd("PEXPIRE").arg(key).arg(millis(ttl)),
        Command::Delete { key } => out.cmd("DEL").arg(key),
        Command::CompareAndSet {
            key,
            expected,
            value,
            ttl,
        } => {
            let compare = call(out, &COMPARE_AND_SET, key, by_name).arg(expected);
            compare.arg(value).arg(millis(ttl))
        }
        Command::CompareAndDelete { key, expected } => {
            call(out, &COMPARE_AND_DELETE, key, by_name).arg(expected)
        }
        Command::IndexPut {
            index,
            member,
            score,
            ttl,
        } => {
            let put = call(out, &INDEX_PUT, index, by_name).arg(member);
            put.arg(score).arg(millis(ttl))
        }
        Command::IndexUnmark {
            index,
            member,
            score,
            ttl,
        } => {
            let unmark = call(out, &INDEX_UNMARK, index, by_name).arg(member);
            unmark.arg(score).arg(millis(ttl))
        }
        Command::IndexCheck { index, member } => out.cmd("ZSCORE").arg(index).arg(member),
        Command::IndexRemove { members: [], .. } => out,
        Command::IndexRemove { index, members } => out.cmd("ZREM").arg(index).arg(members),
        Command::IndexPrune { members: [], .. } => out,
        Command::IndexPrune {
            index,
            members,
            score,
        } => {
            let prune = call(out, &INDEX_PRUNE, index, by_name);
            prune.arg(score).arg(members)
        }
        Command::IndexMarkAll { index, keep, now } => {
            let mark = call(out, &INDEX_MARK_ALL, index, by_name);
            mark.arg(mark_score(now)).arg(keep)
        }
        Command::IndexSupersede {
            index,
            old,
            new,
            now,
        } => {
            let supersede = call(out, &INDEX_SUPERSEDE, index, by_name);
            supersede.arg(old).arg(new).arg(mark_score(now))
        }
        Command::IndexEntries { index } => {
            let range = out.cmd("ZRANGE").arg(index);
            range.arg(0).arg(-1).arg("WITHSCORES")
        }
        Command::IndexDue {
            index,
            score,
            limit,
        } => {
            let due = out.cmd("ZRANGEBYSCORE").arg(index).arg(0).arg(score);
            due.arg("LIMIT")
                .arg(0)
                .arg(i64::try_from(limit).unwrap_or(i64::MAX))
        }
    };
}

fn set<'p>(out: &'p mut Pipeline, key: &str, value: &[u8], ttl: Duration) -> &'p mut Pipeline {
    let set = out.cmd("SET").arg(key).arg(value);
    set.arg("PX").arg(millis(ttl))
}

fn call<'p>(out: &'p mut Pipeline, script: &Script, key: &str, by_name: bool) -> &'p mut Pipeline {
    if by_name {
        out.cmd("EVALSHA").arg(&*script.sha);
    } else {
        out.cmd("EVAL").arg(script.text);
    }
    out.arg(1).arg(key)
}

/// The score of a mark: the time at which it was set, negated.
fn mark_score(now: i64) -> i64 {
    now.max(1).saturating_neg()
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis().clamp(1, LONGEST_TTL)).unwrap_or(1)
}
