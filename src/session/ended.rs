//! Future that resolves when a session ends.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Patience, SessionEnd};
use crate::session::handle::Session;
use crate::session::inner::SessionState;

/// The shortest duration: with zero, a wait would read the record without a pause.
const SHORTEST: Duration = Duration::from_millis(10);

/// # Connections that outlive their request
impl Session {
    /// Returns a future that resolves when the session ends, with the reason.
    ///
    /// For connections that outlive their request, such as a WebSocket or a stream of server-sent
    /// events. It resolves when the session was destroyed, rotated or logged out everywhere, has
    /// expired or was evicted, whichever process caused this, even `redis-cli`. An update or a
    /// touch does not end the session, nor does overwriting the record by hand.
    ///
    /// The future watches the id that the handle has now. It does not change the handle or keep it
    /// in memory. Dropping the future frees all its resources.
    ///
    /// After [`rotate_with_grace`](Self::rotate_with_grace) the future waits for the end of the
    /// session under its new id. It resolves at the end of the grace, when the old token stops
    /// working: until then the client can connect again with its new token.
    ///
    /// | store | a deletion is noticed |
    /// |---|---|
    /// | `MemoryStore` | immediately |
    /// | `RedisStore` | within milliseconds, by the invalidation messages of Redis |
    /// | other stores, and `RedisStore` if Redis rejects `CLIENT TRACKING` | within [`check_every`](Ended::check_every) |
    ///
    /// While the store does not answer, the future waits. After
    /// [`unknown_after`](Ended::unknown_after) it resolves with [`SessionEnd::Unknown`], so that
    /// the connection can be closed instead of trusted. The future reads nothing before it is first
    /// polled. It waits for the end of the time to live with a tokio timer, even if the
    /// configuration has another clock.
    ///
    /// ```
    /// use axum::extract::WebSocketUpgrade;
    /// use axum::extract::ws::{Message, WebSocket};
    /// use axum::response::Response;
    /// use jwt_redis_session::ActiveSession;
    /// use jwt_redis_session::session::Ended;
    ///
    /// async fn connect(session: ActiveSession, upgrade: WebSocketUpgrade) -> Response {
    ///     let ended = session.ended();
    ///     upgrade.on_upgrade(|socket| serve(socket, ended))
    /// }
    ///
    /// async fn serve(mut socket: WebSocket, ended: Ended) {
    ///     tokio::select! {
    ///         reason = ended => {
    ///             let _ = socket.send(Message::text(reason.to_string())).await;
    ///         }
    ///         () = echo(&mut socket) => {}
    ///     }
    /// }
    ///
    /// async fn echo(socket: &mut WebSocket) {
    ///     while let Some(Ok(message)) = socket.recv().await {
    ///         if socket.send(message).await.is_err() {
    ///             return;
    ///         }
    ///     }
    /// }
    /// ```
    pub fn ended(&self) -> Ended {
        let state = self.state_read();
        // If the store did not answer, the id is known and the session may exist.
        let is_unknown = matches!(state.session, SessionState::Unavailable(_));
        let id = state.id.clone();
        let id = id.filter(|_| is_unknown || state.session == SessionState::Active);
        let end = state.data.record.as_ref();
        let end = end.and_then(|record| self.0.lifecycle.end(record));
        drop(state);
        let waiting = id.is_some().then(|| Waiting::Prepared {
            lifecycle: Arc::clone(&self.0.lifecycle),
            end,
        });
        Ended {
            id,
            patience: Patience::default(),
            waiting,
        }
    }
}

/// Future returned by [`Session::ended`], which resolves when the session ends.
///
/// Must be polled within a tokio runtime. Do not poll it again after it is ready.
#[must_use = "futures do nothing unless awaited"]
pub struct Ended {
    id: Option<SessionId>,
    patience: Patience,
    /// `None` if there is no session, or the end was reported.
    waiting: Option<Waiting>,
}

enum Waiting {
    Prepared {
        lifecycle: Arc<Lifecycle>,
        /// The absolute end in Unix seconds.
        end: Option<i64>,
    },
    Started(Pin<Box<dyn Future<Output = SessionEnd> + Send>>),
}

impl Ended {
    /// Returns the id of the session, if the handle had an active one.
    pub(super) const fn id(&self) -> Option<&SessionId> {
        self.id.as_ref()
    }

    /// Sets how long the store may not answer before the future resolves with
    /// [`SessionEnd::Unknown`]. Defaults to 30 seconds.
    ///
    /// The last read may add the deadline of one call. Has no effect after the future was polled.
    pub fn unknown_after(mut self, limit: Duration) -> Self {
        self.patience.unknown_after = limit.max(SHORTEST);
        self
    }

    /// Sets the interval of reads while the store does not report changes. Defaults to 5 seconds.
    ///
    /// Has no effect after the future was polled.
    pub fn check_every(mut self, interval: Duration) -> Self {
        self.patience.check_every = interval.max(SHORTEST);
        self
    }
}

impl Future for Ended {
    type Output = SessionEnd;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SessionEnd> {
        let mut future = match (self.waiting.take(), self.id.clone()) {
            (Some(Waiting::Started(future)), _) => future,
            (Some(Waiting::Prepared { lifecycle, end }), Some(id)) => {
                Box::pin(lifecycle.ended(id, end, self.patience))
            }
            _ => return Poll::Ready(SessionEnd::Absent),
        };
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            self.waiting = Some(Waiting::Started(future));
        }
        polled
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended")
            .field("check_every", &self.patience.check_every)
            .field("unknown_after", &self.patience.unknown_after)
            .finish_non_exhaustive()
    }
}
