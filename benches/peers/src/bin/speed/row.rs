//! A server with its measurements.

use std::time::Duration;

use peers::route::{ROUTES, Route};
use test_support::program::Program;
use test_support::redis_server::RedisServer;

use crate::figures::{Figures, median};
use crate::steady::Steady;
use crate::subject::Subject;
use crate::workload::{self, Workload};

/// How long each route of a server is used before the first round.
const WARM_UP: Duration = Duration::from_millis(500);

/// A server with its measurements.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) subject: Subject,
    program: Program,
    /// One for each of [`ROUTES`] that the server has.
    pub(crate) series: Vec<Series>,
}

/// The measurements of one route of one server.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) route: Route,
    workload: Workload,
    pub(crate) commands: String,
    pub(crate) figures: Vec<Figures>,
    pub(crate) steady: Steady,
}

impl Row {
    /// Starts a server, creates its sessions, counts the commands to Redis, and warms up.
    pub(crate) async fn prepare(subject: Subject, redis: &RedisServer, sessions: usize) -> Self {
        let program = subject.start(&redis.url());
        eprintln!("preparing {}", subject.name());
        let workloads = workload::workloads(subject, program.address(), sessions).await;
        let mut series = Vec::new();
        for (route, workload) in ROUTES.into_iter().zip(workloads) {
            if workload.is_empty() {
                continue;
            }
            let commands = workload::commands(&workload, program.address(), redis.address());
            let commands = commands.await;
            Figures::of(&program, &workload, WARM_UP, redis.id()).await;
            series.push(Series {
                route,
                workload,
                commands,
                figures: Vec::new(),
                steady: Steady::default(),
            });
        }
        Self {
            subject,
            program,
            series,
        }
    }

    /// Measures a route if the server has it, and returns the figures.
    pub(crate) async fn measure(
        &mut self,
        route: &str,
        span: Duration,
        redis: &RedisServer,
        bare: Option<Figures>,
    ) -> Option<Figures> {
        let mut all = self.series.iter_mut();
        let series = all.find(|series| series.route.name == route)?;
        let figures = Figures::of(&self.program, &series.workload, span, redis.id()).await;
        let figures = figures.compared_with(bare.unwrap_or(figures));
        series.figures.push(figures);
        Some(figures)
    }

    pub(crate) fn series(&self, route: &str) -> Option<&Series> {
        self.series.iter().find(|series| series.route.name == route)
    }
}

impl Series {
    /// Returns the median of a figure.
    pub(crate) fn median(&self, figure: impl Fn(&Figures) -> f64) -> f64 {
        median(self.figures.iter().map(figure).collect())
    }

    /// Returns whether a request costs a command to Redis.
    pub(crate) fn uses_redis(&self) -> bool {
        self.commands != workload::NONE
    }

    /// Returns the lowest and the highest ratio to the bare route.
    pub(crate) fn spread(&self) -> (f64, f64) {
        let ratios = self.figures.iter().map(|figures| figures.ratio);
        let low = ratios.clone().fold(f64::INFINITY, f64::min);
        (low, ratios.fold(0.0, f64::max))
    }
}
