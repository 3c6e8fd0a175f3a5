//! The servers in Rust, one library each. [`contract`] says what they have in common.

mod actix_session;
mod axum_session;
mod bare;
mod by_hand;
mod contract;
mod ours;
mod tower_sessions;

use axum::Router;

pub use contract::Settings;

/// Returns the application of a server if it is on axum.
///
/// # Panics
///
/// It does not reach Redis.
pub async fn router(name: &str, settings: &Settings) -> Option<Router> {
    Some(match name {
        "bare" => bare::router(),
        "by-hand" => by_hand::router(settings).await,
        "ours" => ours::router(settings).await,
        "tower-sessions" => tower_sessions::router(settings).await,
        "axum_session" => axum_session::router(settings).await,
        _ => return None,
    })
}

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
    let name = args.next().unwrap_or_default();
    match name.as_str() {
        "actix-session" => actix_session::run(settings),
        name => contract::serve(&settings, async {
            let router = router(name, &settings).await;
            router.unwrap_or_else(|| panic!("no server {name}"))
        }),
    }
    panic!("the server has ended");
}
