//! The former store contract on the requests of the new one, until everything is ported.

use redis::Cmd;

use super::answers::Answers;
use super::commands::{self, Form};
use super::request::Request;
use super::store::RedisStore;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{
    Command, Compared, IndexEntry, Reply, Standing, Store, Stored, Superseded,
};
use crate::store::types::{
    CompareOutcome, Due, EntryState, NewEntry, NewRecord, PutMode, SupersedeOutcome,
};

#[async_trait::async_trait]
impl Store for RedisStore {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        let mut request = if commands.iter().all(Command::is_read) {
            Request::reads(commands.len())
        } else {
            Request::writes(commands.len())
        };
        for command in commands {
            push(&mut request, command);
        }
        let read = |answers: &mut Answers| commands.iter().map(|c| reply(c, answers)).collect();
        self.client.run(&request, read).await
    }
}

fn push(request: &mut Request, command: &Command<'_>) {
    let form = Form::Text;
    let put = |index, member, score, ttl, mode| {
        commands::index_put(form, NewEntry::new(index, member, score, ttl), mode)
    };
    let next = match *command {
        Command::Load { key } => {
            request.push(commands::pttl(key));
            commands::get(key)
        }
        Command::Insert { key, value, ttl } => commands::insert(NewRecord::new(key, value, ttl)),
        Command::Replace { key, value, ttl } => {
            let mut set = Cmd::new();
            set.arg("SET").arg(key).arg(value).arg("PX");
            set.arg(u64::try_from(ttl.as_millis()).unwrap_or(1 << 52))
                .arg("XX");
            set
        }
        Command::Expire { key, ttl } => commands::set_ttl(key, ttl),
        Command::Delete { key } => commands::delete(key),
        Command::CompareAndSet {
            key,
            expected,
            value,
            ttl,
        } => commands::compare_and_set(form, expected, NewRecord::new(key, value, ttl)),
        Command::CompareAndDelete { key, expected } => {
            commands::compare_and_delete(form, key, expected)
        }
        Command::IndexPut {
            index,
            member,
            score,
            ttl,
        } => put(index, member, score, ttl, PutMode::KeepTombstone),
        Command::IndexUnmark {
            index,
            member,
            score,
            ttl,
        } => put(index, member, score, ttl, PutMode::Reactivate),
        Command::IndexCheck { index, member } => commands::index_get(index, member),
        Command::IndexRemove { members: [], .. } | Command::IndexPrune { members: [], .. } => {
            return;
        }
        Command::IndexRemove { index, members } => {
            commands::index_remove(form, index, members, None)
        }
        Command::IndexPrune {
            index,
            members,
            score,
        } => commands::index_remove(form, index, members, Some(score)),
        Command::IndexMarkAll { index, keep, now } => {
            commands::index_tombstone_all(form, index, keep, now)
        }
        Command::IndexSupersede {
            index,
            old,
            new,
            now,
        } => commands::index_supersede(form, index, old, new, now),
        Command::IndexEntries { index } => commands::index_all(index),
        Command::IndexDue {
            index,
            score,
            limit,
        } => commands::index_due(index, Due { by: score, limit }),
    };
    request.push(next);
}

fn reply(command: &Command<'_>, answers: &mut Answers) -> Result<Reply, StoreError> {
    let reply = match command {
        Command::Load { .. } => answers.record().map(|record| {
            Reply::Record(record.map(|record| Stored {
                value: record.value,
                ttl: record.ttl,
            }))
        }),
        Command::Insert { .. }
        | Command::Replace { .. }
        | Command::Expire { .. }
        | Command::Delete { .. } => answers.flag().map(Reply::Applied),
        Command::CompareAndSet { .. } | Command::CompareAndDelete { .. } => {
            answers.compared().map(|compared| {
                Reply::Compared(match compared {
                    CompareOutcome::Applied => Compared::Equal,
                    CompareOutcome::Mismatch(held) => Compared::Different(held),
                    CompareOutcome::Missing => Compared::Gone,
                })
            })
        }
        Command::IndexRemove { members: [], .. } | Command::IndexPrune { members: [], .. } => {
            Ok(Reply::Done)
        }
        Command::IndexPut { .. }
        | Command::IndexUnmark { .. }
        | Command::IndexRemove { .. }
        | Command::IndexPrune { .. } => answers.done().map(|()| Reply::Done),
        Command::IndexCheck { .. } => answers
            .state()
            .map(|state| Reply::Applied(matches!(state, Some(EntryState::Active { .. })))),
        Command::IndexMarkAll { .. } => answers.members().map(Reply::Members),
        Command::IndexDue { .. } => answers
            .entries()
            .map(|entries| Reply::Members(entries.into_iter().map(|entry| entry.member).collect())),
        Command::IndexSupersede { .. } => answers.superseded().map(|superseded| {
            Reply::Superseded(match superseded {
                SupersedeOutcome::Superseded => Superseded::Marked,
                SupersedeOutcome::OldNotActive => Superseded::OldGone,
                SupersedeOutcome::NewNotActive => Superseded::NewGone,
            })
        }),
        Command::IndexEntries { .. } => answers.entries().map(|entries| {
            let entry = |entry: crate::store::types::IndexEntry| IndexEntry {
                member: entry.member,
                standing: match entry.state {
                    EntryState::Active { check_after } => Standing::Live { score: check_after },
                    EntryState::Deleting { since } => Standing::Dying { since },
                },
            };
            Reply::Entries(entries.into_iter().map(entry).collect())
        }),
    };
    match reply {
        Err(error) if error.kind() == StoreErrorKind::WrongType => Ok(Reply::Foreign),
        reply => reply,
    }
}
