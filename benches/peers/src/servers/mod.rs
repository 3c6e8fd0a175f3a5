//! The servers in Rust, one library each. [`contract`] says what they have in common.

mod actix_session;
mod axum_session;
mod contract;
mod ours;
mod tower_sessions;

pub use contract::Settings;

/// Runs the server named by the arguments `serve NAME`, until it is killed. Returns at once without
/// these arguments: a program that starts servers calls this first, and starts itself.
///
/// # Panics
///
/// The server is unknown, or does not start.
pub fn run_if_asked() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() != Some("serve") {
        return;
    }
    let settings = Settings::from_environment();
    match args.next().as_deref() {
        Some("ours") => ours::run(settings),
        Some("tower-sessions") => tower_sessions::run(settings),
        Some("axum_session") => axum_session::run(settings),
        Some("actix-session") => actix_session::run(settings),
        name => panic!("no server {name:?}"),
    }
    panic!("the server has ended");
}
