//! What a measurement shows.

use std::time::{Duration, Instant};

use test_support::http_load;
use test_support::program::{Program, cpu_time};

use crate::machine;
use crate::workload::Workload;

/// The number of concurrent connections.
const CONNECTIONS: usize = 32;

/// One measurement: one route of one server in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Requests per second.
    pub(crate) rate: f64,
    /// CPU time of the server for a request, in microseconds.
    pub(crate) cost: f64,
    /// `cost` in relation to that of the bare route in the same round.
    pub(crate) ratio: f64,
    /// The number of requests that the server did not answer with success.
    pub(crate) failed: usize,
    /// The share of the CPU time of the machine that programs took which have no part in this.
    pub(crate) others: f64,
}

impl Figures {
    /// Measures; `redis` is the process of the server's Redis.
    pub(crate) async fn of(
        program: &Program,
        workload: &Workload,
        span: Duration,
        redis: u32,
    ) -> Self {
        let processes = [program.id(), redis, std::process::id()];
        let spent = || processes.map(cpu_time).iter().sum::<Duration>();
        let (start, busy) = (Instant::now(), machine::busy());
        let (all, server) = (spent(), program.cpu_time());
        let sent = http_load::run(program.address(), workload, CONNECTIONS, span).await;
        let server = program.cpu_time() - server;
        let others = (machine::busy() - busy).saturating_sub(spent() - all);
        let available = start.elapsed() * machine::cores();
        let cost = server.as_secs_f64() / sent.requests as f64 * 1e6;
        Self {
            rate: sent.requests as f64 / sent.took.as_secs_f64(),
            cost,
            ratio: 1.0,
            failed: sent.failed,
            others: others.as_secs_f64() / available.as_secs_f64(),
        }
    }

    pub(crate) fn compared_with(self, bare: Self) -> Self {
        let ratio = self.cost / bare.cost;
        Self { ratio, ..self }
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
