//! The ends of several sessions.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::task::{AbortHandle, JoinSet};

use crate::id::SessionId;
use crate::lifecycle::SessionEnd;
use crate::session::ended::Ended;

/// Stream of the ends of several sessions, in the order in which they end.
///
/// Each item is the id of a session and the reason of its end. The stream returns `None` while it
/// is empty; sessions can still be added then. Dropping the stream drops all its futures.
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, SessionEnd, Sessions};
/// use jwt_redis_session::session::SessionEnds;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
/// let (phone, laptop) = (sessions.new_session(), sessions.new_session());
/// phone.create().await?;
/// laptop.create().await?;
///
/// let mut ends = SessionEnds::new();
/// for session in [&phone, &laptop] {
///     ends.insert(session.ended());
/// }
/// let id = phone.id().unwrap();
/// phone.destroy().await?;
/// assert_eq!(ends.next().await, Some((id, SessionEnd::Destroyed)));
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct SessionEnds {
    tasks: JoinSet<(SessionId, SessionEnd)>,
    by_id: HashMap<SessionId, AbortHandle>,
}

impl SessionEnds {
    /// Creates an empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a session. Returns `false` and adds nothing if the session is already in the stream, or
    /// if its handle was not active and so has no id.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub fn insert(&mut self, ended: Ended) -> bool {
        let Some(id) = ended.id().cloned() else {
            return false;
        };
        if self.by_id.contains_key(&id) {
            return false;
        }
        let of = id.clone();
        let task = self.tasks.spawn(async move { (of, ended.await) });
        self.by_id.insert(id, task);
        true
    }

    /// Removes a session, and returns whether it was in the stream.
    pub fn remove(&mut self, id: &SessionId) -> bool {
        let task = self.by_id.remove(id);
        task.inspect(AbortHandle::abort).is_some()
    }

    /// Returns the number of sessions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns whether there is no session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Waits until a session ends. Returns `None` if the stream is empty.
    pub async fn next(&mut self) -> Option<(SessionId, SessionEnd)> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<(SessionId, SessionEnd)>> {
        loop {
            match ready!(self.tasks.poll_join_next_with_id(cx)) {
                Some(Ok((task, (id, end)))) => {
                    // A session that was removed while it ended is not reported, also if it was
                    // added again since.
                    if self.by_id.get(&id).is_some_and(|held| held.id() == task) {
                        self.by_id.remove(&id);
                        return Poll::Ready(Some((id, end)));
                    }
                }
                Some(Err(error)) if error.is_panic() => {
                    std::panic::resume_unwind(error.into_panic());
                }
                // The task of a session that was removed.
                Some(Err(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Stream for SessionEnds {
    type Item = (SessionId, SessionEnd);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx)
    }
}

impl fmt::Debug for SessionEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEnds")
            .field("sessions", &self.len())
            .finish()
    }
}
