//! Runs each case on each library, and prints in Markdown what a client sees. Fails if the library
//! of this repository does what it promises not to do.

mod cases;
mod client;
mod finding;
mod harness;
mod records;
mod table;

use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Parser;
use peers::{PEERS, Peer, versions};

use crate::cases::Rounds;
use crate::table::Column;

/// Runs correctness cases on session libraries.
#[derive(Debug, Parser)]
struct Options {
    /// How often requests meet; cases that need longer run less often.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// How often Redis is killed and hangs.
    #[arg(long, default_value_t = 3)]
    outages: usize,
    /// How many seconds a client waits for an answer.
    #[arg(long, default_value_t = 30)]
    patience: u64,
    /// The libraries, by the beginnings of their names, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

fn main() -> ExitCode {
    peers::servers::run_if_asked();
    let options = Options::parse();
    let peers = options.peers();
    assert!(!peers.is_empty(), "`--only` selects no library");
    peers::install_node_packages(&peers);
    let columns = run(&peers, options.rounds());
    print(&columns, &options);
    match fails(&columns) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

#[tokio::main]
async fn run(peers: &[Peer], rounds: Rounds) -> Vec<Column> {
    let mut columns = Vec::new();
    for &peer in peers {
        eprintln!("{}: requests that meet", peer.name);
        let findings = tokio::spawn(cases::meet(peer, rounds)).await;
        let findings = findings.expect("the cases run");
        columns.push(Column { peer, findings });
    }
    eprintln!("all: outages, disconnects and lifetimes");
    let waiting: Vec<_> = peers
        .iter()
        .map(|&peer| tokio::spawn(cases::wait(peer, rounds)))
        .collect();
    for (column, findings) in columns.iter_mut().zip(waiting) {
        column
            .findings
            .extend(findings.await.expect("the cases run"));
    }
    columns
}

fn print(columns: &[Column], options: &Options) {
    let peers = columns.iter().map(|column| &column.peer);
    for peer in peers.filter(|peer| !peer.name.ends_with("-best")) {
        println!("- {}: {}", peer.name, versions(peer));
    }
    println!("- {}, node {}", version("redis-server"), version("node"));
    let Options {
        rounds,
        outages,
        patience,
        ..
    } = options;
    println!("- {rounds} rounds, {outages} outages, clients wait for {patience} s\n");
    println!("{}\n\n{}", table::full(columns), table::short(columns));
}

fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "not installed".to_owned())
}

/// Prints what the library of this repository must not do.
fn fails(columns: &[Column]) -> bool {
    let ours = columns.iter().filter(|column| column.peer.is_ours());
    let findings = ours.flat_map(|column| column.findings.iter().map(|it| (column.peer.name, it)));
    let failed: Vec<_> = findings
        .filter(|(_, finding)| finding.violations > 0)
        .collect();
    for (name, finding) in &failed {
        eprintln!("{name} fails: {}: {}", finding.row, finding.text);
    }
    !failed.is_empty()
}

impl Options {
    fn peers(&self) -> Vec<Peer> {
        let is_chosen = |peer: &Peer| {
            self.only.is_empty()
                || self
                    .only
                    .iter()
                    .any(|name| peer.name.starts_with(name.as_str()))
        };
        PEERS.into_iter().filter(is_chosen).collect()
    }

    fn rounds(&self) -> Rounds {
        Rounds {
            races: self.rounds,
            outages: self.outages,
            patience: Duration::from_secs(self.patience),
        }
    }
}
