//! The command line.

use std::time::Duration;

use clap::Parser;

/// Measures what a request costs a server with each session library.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// The number of rounds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// The length of a measurement: one route of one server, in one round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// The number of sessions that the requests are spread over. With few of them, two requests are
    /// often concurrent in one; with more than 1,000, this library seldom finds that it has verified
    /// a token before.
    #[arg(long, default_value_t = 256)]
    pub(crate) sessions: usize,
    /// The servers whose names begin with one of these; in any case `bare`, for comparison.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

impl Options {
    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub(crate) fn selects(&self, server: &str) -> bool {
        let mut only = self.only.iter();
        self.only.is_empty() || server == "bare" || only.any(|start| server.starts_with(start))
    }
}
