//! Stream of a list of sessions.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec::IntoIter;

use futures_core::Stream;

use crate::error::{Result, SessionError};
use crate::session::entry::SessionEntry;
use crate::session::list::ListSessions;
use crate::session::page::{ListCursor, SessionPage};

/// The number of sessions in memory.
const PAGE: usize = 128;

impl ListSessions {
    /// Returns a stream of the sessions, which holds at most 128 of them in memory.
    ///
    /// It reads one [page](Self::page) after the other, in the same order and with the same limits:
    /// a session that is used while the stream runs may be listed twice. Nothing is read before the
    /// stream is polled.
    ///
    /// ```
    /// # use jwt_redis_session::{SessionError, Sessions};
    /// # async fn doc(sessions: Sessions) -> Result<(), SessionError> {
    /// let mut all = sessions.list("jo").stream();
    /// while let Some(entry) = all.next().await {
    ///     println!("{:?}", entry?.created_at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(self) -> SessionStream {
        SessionStream {
            list: self,
            page: Vec::new().into_iter(),
            position: Position::After(None),
        }
    }
}

/// Stream returned by [`ListSessions::stream`].
///
/// Ends after the first error; [`Sessions::list`](crate::Sessions::list) lists the errors.
#[must_use = "streams do nothing unless polled"]
pub struct SessionStream {
    list: ListSessions,
    /// The rest of the page that was read last.
    page: IntoIter<SessionEntry>,
    position: Position,
}

enum Position {
    /// The next page follows this cursor.
    After(Option<ListCursor>),
    Reading(Pin<Box<dyn Future<Output = Result<SessionPage>> + Send>>),
    End,
}

impl SessionStream {
    /// Waits for the next session. Returns `None` after the last one.
    pub async fn next(&mut self) -> Option<Result<SessionEntry, SessionError>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<SessionEntry>>> {
        loop {
            if let Some(entry) = self.page.next() {
                return Poll::Ready(Some(Ok(entry)));
            }
            match &mut self.position {
                Position::After(cursor) => {
                    let (list, cursor) = (self.list.clone(), cursor.take());
                    let read = async move { list.page(cursor.as_ref(), PAGE).await };
                    self.position = Position::Reading(Box::pin(read));
                }
                Position::Reading(read) => {
                    let read = ready!(read.as_mut().poll(cx));
                    self.position = Position::End;
                    let SessionPage { entries, next } = match read {
                        Ok(page) => page,
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    };
                    self.page = entries.into_iter();
                    if next.is_some() {
                        self.position = Position::After(next);
                    }
                }
                Position::End => return Poll::Ready(None),
            }
        }
    }
}

impl Stream for SessionStream {
    type Item = Result<SessionEntry, SessionError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx)
    }
}

impl fmt::Debug for SessionStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionStream({:?})", self.list)
    }
}
