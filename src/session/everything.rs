//! Destroying all sessions.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use crate::error::{Result, SessionError};
use crate::lifecycle::{Lifecycle, run_to_completion};

/// Operation that destroys all sessions, at once when awaited or one part after the other.
///
/// Returned by [`Sessions::destroy_everything`](crate::Sessions::destroy_everything), which has an
/// example.
#[must_use = "sessions are destroyed when this is awaited"]
pub struct DestroyEverything {
    lifecycle: Arc<Lifecycle>,
    position: Position,
}

enum Position {
    /// The next part follows this one.
    After(Option<String>),
    End,
}

impl DestroyEverything {
    pub(crate) fn new(lifecycle: &Arc<Lifecycle>) -> Self {
        Self {
            lifecycle: Arc::clone(lifecycle),
            position: Position::After(None),
        }
    }

    /// Ends the sessions of the next part, about 1,000 keys, and returns their number; `None` after
    /// the last part.
    ///
    /// After an error the next call repeats the same part.
    ///
    /// # Errors
    ///
    /// As [`Sessions::destroy_everything`](crate::Sessions::destroy_everything).
    pub async fn next_part(&mut self) -> Result<Option<usize>, SessionError> {
        let Position::After(after) = &self.position else {
            return Ok(None);
        };
        let (lifecycle, after) = (Arc::clone(&self.lifecycle), after.clone());
        let (destroyed, next) = run_to_completion(|| lifecycle.destroy_part(after)).await?;
        self.position = next.map_or(Position::End, |next| Position::After(Some(next)));
        Ok(Some(destroyed))
    }

    async fn all(mut self) -> Result<usize> {
        let mut destroyed = 0;
        while let Some(part) = self.next_part().await? {
            destroyed += part;
        }
        Ok(destroyed)
    }
}

impl IntoFuture for DestroyEverything {
    type Output = Result<usize>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.all())
    }
}

impl fmt::Debug for DestroyEverything {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DestroyEverything").finish_non_exhaustive()
    }
}
