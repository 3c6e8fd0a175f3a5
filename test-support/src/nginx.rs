//! nginx in front of a service under test.

use std::fs::File;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::redis_server::free_ports;

/// An `nginx` on a free loopback port, with its own directory. Dropping it kills the process and
/// removes the directory.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    address: SocketAddr,
    dir: TempDir,
}

impl Nginx {
    /// Starts nginx with these lines in its block `server`, and waits until it accepts connections.
    pub fn start(lines: &str) -> Self {
        let mut log = String::new();
        // Another process may take the port before nginx binds it: try another one.
        for _ in 0..20 {
            let mut nginx = Self::spawn(lines);
            if nginx.is_up() {
                return nginx;
            }
            log = std::fs::read_to_string(nginx.dir.path().join("log")).unwrap_or_default();
        }
        panic!("nginx does not start: {log}");
    }

    fn spawn(lines: &str) -> Self {
        let dir = tempfile::tempdir().expect("create a directory for nginx");
        let address = SocketAddr::from(([127, 0, 0, 1], free_ports()[0]));
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|name| format!("{name}_temp_path {name};\n"));
        let text = format!(
            "daemon off;\nmaster_process off;\npid pid;\nevents {{}}\n\
             http {{\naccess_log off;\n{}server {{\nlisten {address};\n{lines}\n}}\n}}\n",
            temporary.concat()
        );
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, text).expect("write a configuration for nginx");
        let log = File::create(dir.path().join("log")).expect("create a log for nginx");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(dir.path()).arg("-c").arg(file);
        let command = command.args(["-e", "stderr"]).stdin(Stdio::null());
        let child = match command.stderr(log).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => panic!(
                "these tests need nginx; install it with\n\n    \
                 ./test --install\n\nor with your package manager, and run the tests again"
            ),
            Err(error) => panic!("nginx does not start: {error}"),
        };
        Self {
            child,
            address,
            dir,
        }
    }

    /// Returns the address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the port accepts connections; returns false if the process ends.
    fn is_up(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            if TcpStream::connect(self.address).is_ok() {
                // Otherwise another process has the port.
                return matches!(self.child.try_wait(), Ok(None));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
