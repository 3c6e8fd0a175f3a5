//! The active sessions of a user, within limits of number and size.

use std::time::SystemTime;

use jwt_redis_session::session::ListCursor;
use jwt_redis_session::{SessionEntry, SessionError, SessionId, Sessions};

use crate::optional::optional;
use crate::unix_time;

/// The largest number of sessions in one result.
pub(super) const MAX_SESSIONS: usize = 1000;
/// The size of the data in one result, in bytes, at which no more sessions are added.
const MAX_SIZE: usize = 4 << 20;
/// The largest number of sessions that are read at once.
const BATCH: usize = 16;
/// The assumed size of a session before the first one was read, in bytes. It makes the first batch
/// small.
const EXPECTED: usize = 1 << 20;

/// An active session.
pub(super) struct Active {
    pub(super) id: SessionId,
    /// Unix seconds.
    pub(super) created_at: Option<u64>,
    pub(super) expires_at: Option<u64>,
    pub(super) data: String,
}

/// The sessions read so far.
#[derive(Default)]
struct Found {
    sessions: Vec<Active>,
    size: usize,
    largest: usize,
}

impl Found {
    fn is_full(&self, limit: usize) -> bool {
        self.sessions.len() >= limit || self.size >= MAX_SIZE
    }

    /// Returns how many sessions to read next: fewer if they are large.
    fn batch(&self, limit: usize) -> usize {
        let each = if self.sessions.is_empty() {
            EXPECTED
        } else {
            self.largest.max(1)
        };
        let fitting = (MAX_SIZE.saturating_sub(self.size) / each).clamp(1, BATCH);
        fitting.min(limit - self.sessions.len())
    }

    fn push(&mut self, entry: &SessionEntry, expires: Option<SystemTime>, data: String) {
        let size = data.len();
        self.size += size;
        self.largest = self.largest.max(size);
        self.sessions.push(Active {
            id: entry.id().clone(),
            created_at: entry.created_at().and_then(unix_time::seconds),
            expires_at: expires.and_then(unix_time::seconds),
            data,
        });
    }
}

/// Returns the sessions that were used last, oldest first.
pub(super) async fn latest(sessions: &Sessions, user: &str) -> Result<Vec<Active>, SessionError> {
    // All of them are read from the index at once: between two pages, a session that is used could
    // move from the second to the first.
    let listed = sessions.list(user).newest_first();
    let listed = listed.page(None, MAX_SESSIONS).await?.entries;
    let (mut found, mut rest) = (Found::default(), &listed[..]);
    while !rest.is_empty() && !found.is_full(MAX_SESSIONS) {
        let (batch, others) = rest.split_at(found.batch(MAX_SESSIONS).min(rest.len()));
        let loaded = sessions.get_many(batch.iter().map(SessionEntry::id)).await;
        for (entry, session) in batch.iter().zip(loaded) {
            // It may have ended since.
            if let Some(session) = optional(session)? {
                found.push(entry, session.expires_at(), session.to_text());
            }
        }
        rest = others;
    }
    let mut found = found.sessions;
    found.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(found)
}

/// Returns at most `limit` sessions after `after`, and the cursor of the next page. The session that
/// was not used for the longest time is the first one.
pub(super) async fn page(
    sessions: &Sessions,
    user: &str,
    mut after: Option<ListCursor>,
    limit: usize,
) -> Result<(Vec<Active>, Option<ListCursor>), SessionError> {
    let list = sessions.list(user).with_data();
    let mut found = Found::default();
    while !found.is_full(limit) {
        let page = list.page(after.as_ref(), found.batch(limit)).await?;
        for entry in page.entries {
            // A session that was used since the last batch is listed again.
            let is_new = found.sessions.iter().all(|active| active.id != *entry.id());
            if let Some(data) = entry.data().filter(|_| is_new) {
                found.push(&entry, entry.expires_at(), data.to_text());
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok((found.sessions, after))
}
