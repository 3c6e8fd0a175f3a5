//! The versions of the libraries, as locked.

use serde_json::Value;

use crate::{Peer, Server};

/// Returns the packages that the server of a library depends on, with their versions.
///
/// # Panics
///
/// A lock file lacks one of them.
#[must_use]
pub fn versions(peer: &Peer) -> String {
    let of_cargo = |names: &[&str]| names.iter().map(|name| of_cargo(name)).collect::<Vec<_>>();
    let of_npm = |names: &[&str]| names.iter().map(|name| of_npm(name)).collect::<Vec<_>>();
    let packages = match peer.server {
        Server::Rust("bare") => of_cargo(&["axum"]),
        Server::Rust("by-hand") => of_cargo(&["axum", "jsonwebtoken", "redis"]),
        Server::Rust("ours") => of_cargo(&["jwt-redis-session", "axum"]),
        Server::Rust("tower-sessions") => of_cargo(&[
            "tower-sessions",
            "tower-sessions-redis-store",
            "tower-sessions-moka-store",
            "fred",
            "axum",
        ]),
        Server::Rust("axum_session") => of_cargo(&[
            "axum_session",
            "axum_session_redispool",
            "redis_pool",
            "axum",
        ]),
        Server::Rust("actix-session") => of_cargo(&["actix-session", "actix-web"]),
        Server::Rust(_) => Vec::new(),
        Server::Node("npm.mjs") => of_npm(&["jwt-redis-session", "redis-callbacks", "express"]),
        Server::Node(_) => of_npm(&["express-session", "connect-redis", "redis", "express"]),
    };
    packages.join(", ")
}

fn of_cargo(name: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let prefix = format!("name = \"{name}\"\nversion = \"");
    // The last version is the highest, which the servers use.
    let (_, rest) = lock.rsplit_once(&prefix).expect("a locked crate");
    let (version, _) = rest.split_once('"').expect("a version");
    format!("{name} {version}")
}

fn of_npm(name: &str) -> String {
    let lock = serde_json::from_str(include_str!("../node/package-lock.json"));
    let lock: Value = lock.expect("a lock file of npm");
    let package = &lock["packages"][format!("node_modules/{name}")];
    // Another name than that of the folder, if two versions of a package are installed.
    let name = package["name"].as_str().unwrap_or(name);
    let version = package["version"].as_str().expect("a locked package");
    format!("npm {name} {version}")
}
