//! The packages of the servers in JavaScript.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use crate::{Peer, Server};

/// Installs the packages if one of these servers needs them and they are not installed.
///
/// # Panics
///
/// npm is missing or fails.
pub fn install_packages(peers: &[Peer]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    let changed = |file: &str| -> Option<SystemTime> {
        let file = folder.join(file);
        file.metadata().ok()?.modified().ok()
    };
    let is_node = |peer: &Peer| matches!(peer.server, Server::Node(_));
    let is_installed = changed("node_modules/.package-lock.json") >= changed("package-lock.json");
    if is_installed || !peers.iter().any(is_node) {
        return;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--silent"]);
    let status = npm.current_dir(&folder).status();
    let done = status.is_ok_and(|status| status.success());
    assert!(
        done,
        "npm cannot install the packages of benches/peers/node"
    );
}
