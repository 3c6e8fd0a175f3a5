//! The order of the commands in a pipeline.
//!
//! No test of the results can see it, because other callers rarely run in between. So this
//! compares what Redis receives from a compound method with what it receives from its steps.

use std::collections::BTreeMap;

use jwt_redis_session::testing::conformance::CASES;

use super::*;

/// Parts of the names of the cases that call the compound methods one after the other.
const COMPOUND: [&str; 3] = ["load_", "_indexed_", "index_refresh_"];

/// Connection that reports what a server receives.
struct Monitor(redis::Connection);

impl Monitor {
    fn of(server: &RedisServer) -> Self {
        let client = redis::Client::open(server.url()).expect("a good url");
        let mut connection = client.get_connection().expect("connect");
        let patience = Some(Duration::from_secs(10));
        connection.set_read_timeout(patience).expect("a timeout");
        let monitoring = redis::cmd("MONITOR").exec(&mut connection);
        monitoring.expect("redis answers");
        Self(connection)
    }

    /// Returns the commands received since the last time, without the prefix of their keys. Each
    /// run of a case has another prefix, by which they are grouped in the order of the runs.
    fn runs(&mut self, server: &RedisServer) -> Vec<Vec<String>> {
        const PREFIX: &str = "conformance-";
        const LENGTH: usize = "conformance-0123456789abcdef-".len();

        server.run(&["ECHO", "end of commands"]);
        let (mut runs, mut numbers) = (Vec::<Vec<_>>::new(), BTreeMap::new());
        loop {
            // `1700000000.000000 [0 127.0.0.1:50000] "GET" "key"`; what a script runs has `lua`.
            let redis::Value::SimpleString(line) = self.0.recv_response().expect("redis goes on")
            else {
                panic!("not a command");
            };
            let (source, command) = line.split_once("] ").expect("a command");
            if command.starts_with("\"ECHO\"") {
                return runs;
            }
            let Some(at) = command.find(PREFIX).filter(|_| !source.ends_with("lua")) else {
                continue;
            };
            let prefix = command[at..at + LENGTH].to_owned();
            let command = command.replace(&prefix, "");
            let number = *numbers.entry(prefix).or_insert(runs.len());
            runs.resize(runs.len().max(number + 1), Vec::new());
            runs[number].push(command);
        }
    }
}

#[tokio::test]
async fn a_compound_method_sends_the_commands_of_its_steps_in_their_order() {
    let (server, store) = connected().await;
    let mut monitor = Monitor::of(&server);
    let is_compound = |name: &str| COMPOUND.iter().any(|part| name.contains(part));
    let cases: Vec<_> = CASES
        .iter()
        .filter(|case| is_compound(case.name()))
        .collect();
    assert_eq!(cases.len(), 7, "{cases:?}");
    for case in cases {
        let name = case.name();
        case.run(store.clone()).await;
        let runs = monitor.runs(&server);
        let [pipelined, steps] = &runs[..] else {
            panic!("{name}: {} runs", runs.len());
        };
        // Steps stop where a pipeline goes on, so the pipeline may have more commands.
        let mut pipelined_commands = pipelined.iter();
        let in_order = |step| pipelined_commands.any(|command| command == step);
        let is_in_order = steps.iter().all(in_order);
        assert!(is_in_order, "{name}: {pipelined:?} {steps:?}");
    }
}
