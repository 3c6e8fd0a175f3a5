//! What a client did, when, and what it heard.

use std::collections::BTreeMap;

/// Names a session: ids are numbered in the order of their first mention.
pub(super) type Id = usize;

/// Names a client.
pub(super) type Writer = usize;

/// How an operation that changes something came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It took effect.
    Done,
    /// It did not and never will.
    Refused,
    /// It took effect, or will at some later time, or never.
    Unknown,
}

/// What a read showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The last number of every writer.
    Active(BTreeMap<Writer, u64>),
    /// No such session.
    Dead,
    /// The store did not answer.
    Unknown,
}

#[derive(Clone, Debug)]
pub(super) enum Did {
    /// Created `id`, acknowledged; a creation without a token concerns nobody.
    Create {
        id: Id,
        owner: usize,
    },
    Read {
        id: Id,
        seen: Seen,
    },
    /// Wrote its next number into its own field.
    Update {
        id: Id,
        number: u64,
        fate: Fate,
    },
    /// Moved `id`, to `to` if it is done.
    Rotate {
        id: Id,
        to: Option<Id>,
        fate: Fate,
    },
    Destroy {
        id: Id,
        fate: Fate,
    },
    DestroyAll {
        owner: usize,
        fate: Fate,
    },
}

impl Did {
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Self::Create { .. } => false,
            Self::Read { seen, .. } => *seen == Seen::Unknown,
            Self::Update { fate, .. }
            | Self::Rotate { fate, .. }
            | Self::Destroy { fate, .. }
            | Self::DestroyAll { fate, .. } => *fate == Fate::Unknown,
        }
    }
}

/// One operation. Times are places in one order that all clients share.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) writer: Writer,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) did: Did,
}
