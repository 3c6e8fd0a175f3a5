//! What is known of every process.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::oneshot;

use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{Compared, Reply};

/// Names a process of a [`Stepper`](super::Stepper).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub(super) usize);

/// A process that waits for leave to give its next command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parked {
    /// The process.
    pub process: ProcessId,
    /// The command's kind in `snake_case`.
    pub command: &'static str,
}

/// Leave to give one command; dropped when it has been answered.
pub(super) struct Grant {
    pub(super) fate: Fate,
    /// Never sent: the stepper learns that the grant was dropped.
    pub(super) _answered: oneshot::Sender<()>,
}

/// What becomes of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answer,
    Refuse(StoreErrorKind),
    LoseReply,
}

/// A command that waits.
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) command: &'static str,
    pub(super) grant: oneshot::Sender<Grant>,
}

#[derive(Default)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) crashed: bool,
    pub(super) returned: bool,
    pub(super) steps: usize,
    /// A hash of all replies so far.
    pub(super) replies: u64,
    /// Those that had returned when this one gave its first command.
    pub(super) preceded_by: Vec<ProcessId>,
    /// Several if the process does several things at once; the first is stepped first.
    pub(super) parked: VecDeque<Ticket>,
}

impl Process {
    /// Takes note of an answer.
    pub(super) fn answered(&mut self, answer: &Result<Vec<Reply>, StoreError>) {
        let mut hasher = DefaultHasher::new();
        self.replies.hash(&mut hasher);
        match answer {
            Ok(replies) => replies.iter().for_each(|reply| digest(reply, &mut hasher)),
            Err(error) => error.kind().hash(&mut hasher),
        }
        self.replies = hasher.finish();
    }

    /// Hashes all that decides how the process goes on.
    pub(super) fn fingerprint(&self, hasher: &mut impl Hasher) {
        let commands: Vec<_> = self.parked.iter().map(|ticket| ticket.command).collect();
        (self.steps, self.replies, commands).hash(hasher);
        (self.crashed, self.returned, &self.preceded_by).hash(hasher);
    }
}

fn digest(reply: &Reply, hasher: &mut impl Hasher) {
    std::mem::discriminant(reply).hash(hasher);
    match reply {
        Reply::Record(record) => record
            .as_ref()
            .map(|stored| (&stored.value, stored.ttl))
            .hash(hasher),
        Reply::Applied(applied) => applied.hash(hasher),
        Reply::Compared(Compared::Equal) => 0.hash(hasher),
        Reply::Compared(Compared::Gone) => 1.hash(hasher),
        Reply::Compared(Compared::Different(value)) => value.hash(hasher),
        Reply::Members(members) => members.hash(hasher),
        Reply::Superseded(superseded) => std::mem::discriminant(superseded).hash(hasher),
        Reply::Entries(entries) => entries
            .iter()
            .for_each(|entry| (&entry.member, entry.standing).hash(hasher)),
        Reply::Done | Reply::Foreign => {}
    }
}
