//! The program `sessiond` in a process.

use std::process::Command;

pub(crate) use crate::support::program::{Program, run};

/// Returns a command line of `sessiond` in an empty environment.
pub(crate) fn sessiond(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
    command.env_clear().args(args);
    command
}

/// Returns the command line of a server in memory on a free port, with further arguments.
pub(crate) fn server(args: &[&str]) -> Command {
    let mut command = sessiond(&["--listen", "127.0.0.1:0"]);
    command.args(args);
    command
}
