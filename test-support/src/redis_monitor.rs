//! The commands that clients send to a Redis server.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};

const END: &str = "end of the count";

/// Counts commands by `MONITOR`, which distinguishes those of clients from those that scripts run
/// in the server. `INFO commandstats` counts both.
#[derive(Debug)]
pub struct Monitor {
    address: SocketAddr,
    output: BufReader<TcpStream>,
}

impl Monitor {
    /// Starts to count. The server is slower until this ends.
    pub fn start(address: SocketAddr) -> Self {
        let mut monitor = TcpStream::connect(address).unwrap();
        monitor.write_all(b"MONITOR\r\n").unwrap();
        let (mut output, mut line) = (BufReader::new(monitor), String::new());
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "+OK\r\n");
        Self { address, output }
    }

    /// Returns the names of the commands so far with the number of each.
    pub fn stop(self) -> BTreeMap<String, u32> {
        let mut end = TcpStream::connect(self.address).unwrap();
        write!(end, "ECHO \"{END}\"\r\n").unwrap();
        let mut counts = BTreeMap::new();
        let lines = self.output.lines().map(Result::unwrap);
        for line in lines.take_while(|line| !line.contains(END)) {
            if let Some(command) = sent(&line) {
                *counts.entry(command).or_insert(0) += 1;
            }
        }
        counts
    }
}

/// Returns the name of the command in a line like `+1700000000.5 [0 127.0.0.1:4000] "GET" "key"`,
/// unless a script ran it.
fn sent(line: &str) -> Option<String> {
    let (source, command) = line.split_once("] \"")?;
    let name = command.split('"').next()?;
    (!source.ends_with(" lua")).then(|| name.to_uppercase())
}
