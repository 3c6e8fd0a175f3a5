//! What one call sends to Redis.

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, Pipeline, RedisResult, ServerErrorKind, Value};

use super::answers::Answers;
use super::commands;
use super::config::LARGE;
use super::spare;

/// One command, or several that go out in one write and are answered in order.
///
/// Every command names its key, so that a transport for a cluster can group them by it.
pub(super) struct Request {
    commands: Commands,
    is_read: bool,
    reads_large: bool,
}

// redis-rs sends commands only as `Cmd` and `Pipeline`, which it packs into one buffer itself:
// bytes that are packed already cannot be handed over. A `Cmd` takes two allocations, a
// `Pipeline` one more and two for each of its commands, so one command never gets a pipeline.
enum Commands {
    One(Cmd),
    Several(Pipeline),
}

impl Request {
    /// One command that only reads, so that it may be sent again.
    pub(super) const fn read(command: Cmd) -> Self {
        Self::new(Commands::One(command), true)
    }

    /// One command that writes.
    pub(super) const fn write(command: Cmd) -> Self {
        Self::new(Commands::One(command), false)
    }

    /// `count` commands that only read, to be pushed.
    pub(super) fn reads(count: usize) -> Self {
        Self::new(Commands::Several(Pipeline::with_capacity(count)), true)
    }

    /// `count` commands, of which at least one writes, to be pushed.
    pub(super) fn writes(count: usize) -> Self {
        Self::new(Commands::Several(Pipeline::with_capacity(count)), false)
    }

    /// Adds a command behind those that are there.
    pub(super) fn push(&mut self, command: Cmd) {
        match &mut self.commands {
            Commands::Several(pipeline) => _ = pipeline.add_command(command),
            Commands::One(one) => *one = command,
        }
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        matches!(&self.commands, Commands::Several(pipeline) if pipeline.is_empty())
    }

    const fn new(commands: Commands, is_read: bool) -> Self {
        Self {
            commands,
            is_read,
            reads_large: false,
        }
    }

    /// Whether the request only reads, so that sending it twice does no harm.
    pub(super) const fn is_read(&self) -> bool {
        self.is_read
    }

    /// Expects answers that are large, whatever the size of the request is.
    pub(super) fn expect_large(mut self) -> Self {
        self.reads_large = true;
        self
    }

    /// Whether the request, or what it reads, is too large for the connection of all calls.
    pub(super) fn is_large(&self) -> bool {
        self.reads_large
            || match &self.commands {
                Commands::One(command) => size(command) > LARGE,
                Commands::Several(pipeline) => pipeline.cmd_iter().map(size).sum::<usize>() > LARGE,
            }
    }

    /// Sends the request and returns the answers, refusals among them.
    pub(super) async fn send(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Answers> {
        match &self.commands {
            Commands::One(command) => {
                let answer = connection.send_packed_command(command).await?;
                let unknown = is_unknown_script(&answer);
                match unknown.then(|| commands::by_text(command)).flatten() {
                    Some(call) => send_text(connection, call).await,
                    None => Ok(Answers::one(answer)),
                }
            }
            Commands::Several(pipeline) => {
                let answers = connection.send_packed_commands(pipeline, 0, pipeline.len());
                Ok(Answers::several(answers.await?))
            }
        }
    }
}

/// Sends a script by its text, never by SCRIPT LOAD, which least-privilege accounts may not run.
async fn send_text(connection: &mut MultiplexedConnection, call: Cmd) -> RedisResult<Answers> {
    // Boxed: it is needed once for each script, but would make the future of every call larger.
    let answer = Box::pin(connection.send_packed_command(&call)).await?;
    Ok(Answers::one(answer))
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Commands::One(command) = &mut self.commands {
            let size = size(command);
            spare::keep(command, size);
        }
    }
}

fn size(command: &Cmd) -> usize {
    let size = |arg: Arg<&[u8]>| match arg {
        Arg::Simple(bytes) => bytes.len(),
        _ => 0,
    };
    command.args_iter().map(size).sum()
}

fn is_unknown_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}
