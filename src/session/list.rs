//! Lists of an owner's sessions.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Loaded};
use crate::record::Owner;
use crate::session::entry::SessionEntry;
use crate::session::page::{ListCursor, SessionPage};
use crate::store::IndexPage;

/// Builder of a list of an owner's sessions.
///
/// Awaiting it reads all of them, [`page`](Self::page) reads a part, and [`stream`](Self::stream)
/// reads one part after the other. See [`Sessions::list`](crate::Sessions::list).
///
/// ```
/// # use jwt_redis_session::{SessionError, Sessions};
/// # async fn doc(sessions: Sessions) -> Result<(), SessionError> {
/// let all = sessions.list("jo").await?;
/// let latest = sessions.list("jo").newest_first().with_data().page(None, 10).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "the list is read when this is awaited"]
#[derive(Clone)]
pub struct ListSessions {
    lifecycle: Arc<Lifecycle>,
    owner: Result<Owner>,
    current: Option<SessionId>,
    with_data: bool,
    newest_first: bool,
}

impl ListSessions {
    /// Lists the sessions of `owner`. `current` is the session of the caller.
    pub(crate) fn new(
        lifecycle: &Arc<Lifecycle>,
        owner: Result<Owner>,
        current: Option<SessionId>,
    ) -> Self {
        Self {
            lifecycle: Arc::clone(lifecycle),
            owner,
            current,
            with_data: false,
            newest_first: false,
        }
    }

    /// Keeps the data of each session in its entry. By default an entry has no data, so that only a
    /// few records are in memory at a time.
    pub const fn with_data(mut self) -> Self {
        self.with_data = true;
        self
    }

    /// Lists the newest sessions first: those created last, or in pages those used last. The
    /// default is the oldest first.
    pub const fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Reads at most `limit` sessions that follow `after`, the cursor of the previous page.
    ///
    /// Pages are ordered by the time at which each session ends if it is not used. If all sessions
    /// have the same lifetime, this is the order of their last use. Only one page is in memory.
    ///
    /// With the oldest first, a session that stays active while all pages are read is in at least
    /// one of them. A session that is used between two pages moves to the end, and may be listed
    /// twice. With the [newest first](Self::newest_first) it moves to the front, and the following
    /// pages may omit it. A session that is being destroyed may be omitted.
    ///
    /// ```
    /// # use jwt_redis_session::{SessionError, Sessions};
    /// # async fn doc(sessions: Sessions) -> Result<(), SessionError> {
    /// let list = sessions.list("jo");
    /// let mut page = list.page(None, 100).await?;
    /// loop {
    ///     for entry in &page.entries {
    ///         println!("{:?}", entry.created_at());
    ///     }
    ///     let Some(next) = page.next else { break };
    ///     page = list.page(Some(&next), 100).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Sessions::list`](crate::Sessions::list).
    pub async fn page(
        &self,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<SessionPage, SessionError> {
        let owner = self.owner.as_ref().map_err(Clone::clone)?;
        let mut entries = Vec::new();
        let page = IndexPage {
            after: after.map(ListCursor::entry),
            descending: self.newest_first,
            limit,
        };
        let mut visit = |id, loaded| entries.push(self.entry(id, loaded));
        let last = self.lifecycle.page(owner, page, &mut visit).await?;
        self.mark_current(&mut entries).await?;
        Ok(SessionPage {
            entries,
            next: last.map(ListCursor::new),
        })
    }

    async fn all(self) -> Result<Vec<SessionEntry>> {
        let owner = self.owner.as_ref().map_err(Clone::clone)?;
        let mut entries = Vec::new();
        let mut visit = |id, loaded| entries.push(self.entry(id, loaded));
        self.lifecycle.list(owner, &mut visit).await?;
        self.mark_current(&mut entries).await?;
        entries.sort_by(|a, b| (a.created_at(), a.id()).cmp(&(b.created_at(), b.id())));
        if self.newest_first {
            entries.reverse();
        }
        Ok(entries)
    }

    fn entry(&self, id: SessionId, loaded: Loaded) -> SessionEntry {
        SessionEntry::new(&self.lifecycle, id, loaded, self.with_data)
    }

    /// Marks the session of the caller.
    async fn mark_current(&self, entries: &mut [SessionEntry]) -> Result<()> {
        let Some(current) = &self.current else {
            return Ok(());
        };
        let mut mark = |id: &SessionId| {
            let entry = entries.iter_mut().find(|entry| entry.id() == id);
            entry.map(SessionEntry::mark_current).is_some()
        };
        if !mark(current) {
            // A rotation with a grace may have changed its id since the handle read it.
            mark(&self.lifecycle.newest_id("list", current.clone()).await?);
        }
        Ok(())
    }
}

impl IntoFuture for ListSessions {
    type Output = Result<Vec<SessionEntry>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.all())
    }
}

/// Without the owner.
impl fmt::Debug for ListSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListSessions")
            .field("with_data", &self.with_data)
            .field("newest_first", &self.newest_first)
            .finish_non_exhaustive()
    }
}
