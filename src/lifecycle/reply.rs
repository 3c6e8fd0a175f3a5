//! What the store's replies mean to a session.

use crate::error::SessionError;
use crate::store::{Compared, IndexEntry, Reply, StoreError, StoreErrorKind, Stored, Superseded};

/// A store that answers another question than it was asked breaks its contract.
fn broken(reply: &Reply) -> SessionError {
    match reply {
        Reply::Foreign => SessionError::Corrupt,
        _ => StoreError::new(StoreErrorKind::Protocol)
            .with_detail("a reply does not fit its command")
            .into(),
    }
}

pub(crate) fn record(reply: Reply) -> Result<Option<Stored>, SessionError> {
    match reply {
        Reply::Record(record) => Ok(record),
        other => Err(broken(&other)),
    }
}

pub(crate) fn applied(reply: Reply) -> Result<bool, SessionError> {
    match reply {
        Reply::Applied(applied) => Ok(applied),
        other => Err(broken(&other)),
    }
}

pub(crate) fn compared(reply: Reply) -> Result<Compared, SessionError> {
    match reply {
        Reply::Compared(compared) => Ok(compared),
        other => Err(broken(&other)),
    }
}

pub(crate) fn members(reply: Reply) -> Result<Vec<String>, SessionError> {
    match reply {
        Reply::Members(members) => Ok(members),
        other => Err(broken(&other)),
    }
}

pub(crate) fn superseded(reply: Reply) -> Result<Superseded, SessionError> {
    match reply {
        Reply::Superseded(superseded) => Ok(superseded),
        other => Err(broken(&other)),
    }
}

pub(crate) fn entries(reply: Reply) -> Result<Vec<IndexEntry>, SessionError> {
    match reply {
        Reply::Entries(entries) => Ok(entries),
        other => Err(broken(&other)),
    }
}
