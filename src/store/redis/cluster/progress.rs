//! The answers to a request so far, and the commands that still need one.

use std::mem;
use std::sync::Arc;

use redis::{Cmd, Value, cmd};
use tokio::time::Instant;

use super::redirect::Redirect;
use super::slots::Node;
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::redis::answers::Answers;
use crate::store::redis::error::rejected;
use crate::store::redis::lane::Failure;
use crate::store::redis::request::{Request, reads};
use crate::store::redis::server::Server;

/// The answers of one group, or why there are none.
pub(super) type Answered = Result<Vec<Value>, Failure>;

/// Answers to the commands of one part of a request.
pub(super) struct Progress<'a> {
    pub(super) commands: Vec<&'a Cmd>,
    pub(super) answers: Vec<Value>,
    pending: Vec<Pending>,
    /// Why a command that was sent has no answer.
    pub(super) reason: Option<StoreError>,
}

/// Command without an answer.
pub(super) struct Pending {
    /// The place of the command in the part.
    pub(super) index: usize,
    /// Where it goes next.
    pub(super) redirect: Redirect,
}

/// Commands that go to one node in one write.
pub(super) struct Group {
    pub(super) node: Node,
    pub(super) server: Arc<Server>,
    pub(super) is_asking: bool,
    pub(super) indices: Vec<usize>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(part: &'a Request) -> Self {
        let commands = part.commands();
        let mut progress = Self {
            answers: vec![Value::Nil; commands.len()],
            pending: Vec::new(),
            reason: None,
            commands,
        };
        progress
            .pending
            .extend((0..progress.commands.len()).map(later));
        progress
    }

    /// Returns the progress after the whole part was sent to one node.
    ///
    /// # Errors
    ///
    /// As [`take`](Self::take).
    pub(super) fn after(
        part: &'a Request,
        node: &Node,
        server: &Arc<Server>,
        answered: Answered,
    ) -> Result<Self> {
        let mut progress = Self::new(part);
        progress.pending.clear();
        let group = Group {
            node: node.clone(),
            server: Arc::clone(server),
            is_asking: false,
            indices: (0..progress.commands.len()).collect(),
        };
        progress.take(group, answered)?;
        Ok(progress)
    }

    /// Returns the pending commands, in their order, which all are about to be sent.
    pub(super) fn take_pending(&mut self) -> Vec<Pending> {
        let mut pending = mem::take(&mut self.pending);
        pending.sort_unstable_by_key(|pending| pending.index);
        pending
    }

    /// Records the answers of a group.
    ///
    /// # Errors
    ///
    /// The group failed, and a command that writes may have been executed.
    pub(super) fn take(&mut self, group: Group, answered: Answered) -> Result<()> {
        match answered {
            Ok(values) => {
                for (index, value) in group.indices.into_iter().zip(values) {
                    self.take_answer(index, value, &group.node.0);
                }
            }
            Err(failure) => {
                let mut commands = group.indices.iter().map(|index| self.commands[*index]);
                if failure.may_be_applied && !commands.all(reads) {
                    return Err(failure.error);
                }
                for index in group.indices {
                    self.put_off(index, failure.error.clone());
                }
            }
        }
        Ok(())
    }

    fn take_answer(&mut self, index: usize, value: Value, host: &str) {
        match (Redirect::of(&value, host), &value) {
            (Some(redirect), Value::ServerError(error)) => {
                self.reason = Some(rejected(error));
                self.pending.push(Pending { index, redirect });
            }
            _ => self.answers[index] = value,
        }
    }

    /// Sends a command to its slot again, later.
    pub(super) fn put_off(&mut self, index: usize, reason: StoreError) {
        self.reason = Some(reason);
        self.pending.push(later(index));
    }

    pub(super) fn is_complete(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether the slots are where they were: `ASK` holds for one command.
    pub(super) fn has_only_asks(&self) -> bool {
        let is_ask = |pending: &Pending| matches!(pending.redirect, Redirect::Ask(_));
        self.pending.iter().all(is_ask)
    }
}

impl Group {
    /// Returns the request for this group, with commands of `part`.
    pub(super) fn request(&self, part: &Request, commands: &[&Cmd]) -> Request {
        let asking = cmd("ASKING");
        let commands = self.indices.iter().map(|index| commands[*index]);
        if self.is_asking {
            part.of(commands.flat_map(|command| [&asking, command]))
        } else {
            part.of(commands)
        }
    }

    /// Sends what [`request`](Self::request) has returned.
    pub(super) async fn send(&self, request: &Request, deadline: Instant) -> Answered {
        let commands_each = if self.is_asking { 2 } else { 1 };
        let count = commands_each * self.indices.len();
        let read = |answers: &mut Answers| answers.raw(count);
        let answers = self.server.run(request, deadline, read).await?;
        // Without the answers of ASKING.
        let answers = answers.into_iter().skip(commands_each - 1);
        Ok(answers.step_by(commands_each).collect())
    }
}

fn later(index: usize) -> Pending {
    Pending {
        index,
        redirect: Redirect::Later,
    }
}

/// Returns the error of a slot without a node.
pub(super) fn unserved() -> StoreError {
    StoreError::new(StoreErrorKind::Cluster).with_detail("a slot is served by no node")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redis::{IntoConnectionInfo, Value, parse_redis_value};

    use super::{Answered, Progress};
    use crate::RedisConfig;
    use crate::store::error::{StoreError, StoreErrorKind};
    use crate::store::redis::connect::Connector;
    use crate::store::redis::lane::Failure;
    use crate::store::redis::request::Request;
    use crate::store::redis::server::Server;

    fn server() -> Arc<Server> {
        let url = "redis://127.0.0.1:1";
        let info = url.into_connection_info().unwrap();
        let connector = Connector::of_server(info, &RedisConfig::new(url)).unwrap();
        Arc::new(Server::new(connector, None))
    }

    fn lost(may_be_applied: bool) -> Answered {
        let mut failure = Failure::from(StoreError::new(StoreErrorKind::Connection));
        failure.may_be_applied = may_be_applied;
        Err(failure)
    }

    /// Returns the commands that are sent again, or `None` if the call fails.
    fn again(request: &Request, answered: Answered) -> Option<Vec<usize>> {
        let node = ("127.0.0.1".to_owned(), 1);
        let mut progress = Progress::after(request, &node, &server(), answered).ok()?;
        let pending = progress.take_pending();
        Some(pending.iter().map(|pending| pending.index).collect())
    }

    #[test]
    fn a_write_that_may_be_applied_is_not_sent_again() {
        let read = Request::read().pttl("k").get("k");
        let write = Request::write().pttl("k").delete("k");
        assert_eq!(again(&read, lost(true)), Some(vec![0, 1]));
        assert_eq!(again(&write, lost(true)), None);
        assert_eq!(again(&write, lost(false)), Some(vec![0, 1]));
    }

    #[test]
    fn only_what_was_redirected_is_sent_again() {
        let write = Request::write().delete("k").delete("k").delete("k");
        let redirected = || parse_redis_value(b"-ASK 1 b:2\r\n").unwrap();
        let answers = vec![Value::Int(1), redirected(), redirected()];
        assert_eq!(again(&write, Ok(answers)), Some(vec![1, 2]));
        let rejected = parse_redis_value(b"-OOM no\r\n").unwrap();
        let answers = vec![Value::Int(1), rejected, Value::Int(0)];
        assert_eq!(again(&write, Ok(answers)), Some(vec![]));
    }
}
