//! What a request costs a server with each session library.
//!
//! It starts a Redis and all servers as separate processes, and sends requests to one after the
//! other, in interleaved rounds. Then it prints Markdown; `README.md` explains the columns.

mod build;
mod figures;
mod goals;
mod machine;
mod noise;
mod options;
mod row;
mod steady;
mod subject;
mod table;
mod workload;

use clap::Parser as _;
use peers::route::ROUTES;
use test_support::redis_server::RedisServer;

use crate::options::Options;
use crate::row::Row;
use crate::subject::Subject;

fn main() {
    peers::servers::run_if_asked();
    if peers::in_process::run_if_asked() {
        return;
    }
    let options = Options::parse();
    let subjects = Subject::selected(&options);
    peers::install_node_packages(&subject::peers(&subjects));
    let redis = RedisServer::start();
    let load = machine::load();
    let mut rows = measure(&subjects, &redis, &options);
    steady::measure(&mut rows, &redis.url());
    println!("{}", machine::description(&redis));
    println!("\n{}", table::servers(&rows));
    let (rounds, span) = (options.rounds, options.span());
    let sessions = options.sessions;
    println!("{rounds} rounds of {span:?} for each route, {sessions} sessions.");
    print!("{}", noise::report(&rows, &load));
    print!("{}", table::routes(&rows));
    goals::print(&rows);
}

#[tokio::main(flavor = "current_thread")]
async fn measure(subjects: &[Subject], redis: &RedisServer, options: &Options) -> Vec<Row> {
    let mut rows = Vec::new();
    for subject in subjects {
        rows.push(Row::prepare(*subject, redis, options.sessions).await);
    }
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for route in ROUTES {
            // The first one is bare.
            let mut bare = None;
            for row in &mut rows {
                let figures = row.measure(route.name, options.span(), redis, bare).await;
                bare = bare.or(figures);
            }
        }
    }
    rows
}
