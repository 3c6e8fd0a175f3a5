//! Allocations per request, and commands sent to Redis per request; fails above the limits.
//!
//! The requests go through an axum router to a real `redis-server`, which this starts on a free
//! loopback port. The client of Redis, the handler and the layer all run in one current-thread
//! runtime, since the counter counts by thread. Each row is the mean of many requests after a
//! warm-up, minus the same for a route with the same answer that has no session.
//!
//! This is separate from the benchmarks of time, which the counting would slow down.

use allocation_counter::measure;
use axum::Router;
use axum::routing::get;
use http::Request;
use jwt_redis_session::{ActiveSession, JwtRedisSession, RedisStore, SessionError};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer as _, Service as _, service_fn};

use support::{Body, Stored, done, extended, ignore, read, request};
use test_support::redis_server::RedisServer;

mod by_hand;
mod count;
#[path = "../support/mod.rs"]
mod support;

fn main() {
    let mut table = Table { within: true };
    layer_rows(&mut table);
    let redis = RedisServer::start();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    redis_rows(&mut table, &redis, &runtime);
    assert!(table.within, "more allocations than the limit");
}

// The limits are the present figures, so that none of them grows unnoticed.

/// The layer alone: no router, no Redis.
fn layer_rows(table: &mut Table) {
    println!("allocations added to the same without a session; the layer alone, in memory");
    let stored = Stored::in_memory();
    let token = Some(&stored.token);
    let mut unused = stored.layer().layer(service_fn(ignore));
    let mut lazy = stored.layer().lazy().layer(service_fn(ignore));
    let mut used = stored.layer().layer(service_fn(read));
    let count = added(
        || extended(None),
        |request| drop(done(unused.call(request))),
    );
    table.row("no token", count, Some(2.0), "");
    // The first extension of a request allocates a map and its box.
    let fresh = || request("/read?page=2", None);
    let count = added(fresh, |request| drop(done(unused.call(request))));
    table.row("no token, no extensions yet", count, Some(4.0), "");
    let count = added(|| extended(token), |request| drop(done(lazy.call(request))));
    table.row("not used, lazy", count, Some(3.0), "");
    let count = added(|| extended(token), |request| drop(done(used.call(request))));
    table.row("one field read", count, None, "");
}

/// Returns the allocations of `call` beyond those of a bare call, at the second time.
fn added(request: impl Fn() -> Request<Body>, mut call: impl FnMut(Request<Body>)) -> f64 {
    let mut bare = service_fn(ignore);
    call(request());
    let (first, second) = (request(), request());
    let bare = measure(|| drop(done(bare.call(first))));
    let layered = measure(|| call(second));
    (layered.count_total - bare.count_total) as f64
}

fn redis_rows(table: &mut Table, redis: &RedisServer, runtime: &Runtime) {
    println!("\nthe same and the commands, through axum on Redis");
    let [guest, owned] = [None, Some("jo")].map(|owner| {
        runtime.block_on(async {
            let store = RedisStore::connect(&redis.url()).await.unwrap();
            Stored::create(store, owner).await
        })
    });
    let by_hand = runtime.block_on(by_hand::router(&redis.url()));
    let eager = with(guest.layer());
    let lazy = with(guest.layer().lazy());
    let with_owner = with(owned.layer());
    let rows = [
        ("by hand", "/read", &by_hand, &guest, None),
        ("by hand", "/update", &by_hand, &guest, None),
        ("this crate", "/read", &eager, &guest, Some(22.0)),
        ("this crate", "/update", &eager, &guest, Some(38.0)),
        ("this crate", "/unused", &eager, &guest, Some(22.0)),
        ("lazy", "/read", &lazy, &guest, Some(23.0)),
        ("lazy", "/unused", &lazy, &guest, Some(8.0)),
        ("with an owner", "/read", &with_owner, &owned, Some(23.0)),
        ("with an owner", "/update", &with_owner, &owned, Some(46.0)),
    ];
    for (who, path, router, stored, limit) in rows {
        let token = &stored.token;
        let bare = count::allocations(runtime, &bare(), path, token);
        let counted = count::allocations(runtime, router, path, token);
        let sent = count::commands(redis.address(), runtime, router, path, token);
        table.row(&format!("{path}, {who}"), counted - bare, limit, &sent);
    }
}

/// The routes without a session.
fn bare() -> Router {
    Router::new()
        .route("/read", get(async || "dark".to_owned()))
        .route("/update", get(async || "43".to_owned()))
        .route("/unused", get(async || "unused".to_owned()))
}

/// The routes with the session of this crate.
fn with(layer: JwtRedisSession) -> Router {
    Router::new()
        .route("/read", get(read_session))
        .route("/update", get(update_session))
        .route("/unused", get(async || "unused".to_owned()))
        .layer(layer)
}

async fn read_session(session: ActiveSession) -> Result<String, SessionError> {
    Ok(session.get("theme")?.unwrap_or_default())
}

async fn update_session(session: ActiveSession) -> Result<String, SessionError> {
    let visits = session.get("visits")?.unwrap_or(0_u64) + 1;
    session.insert("visits", visits)?;
    session.update().await?;
    Ok(visits.to_string())
}

/// Prints rows and remembers whether all are within their limits.
struct Table {
    within: bool,
}

impl Table {
    fn row(&mut self, what: &str, added: f64, limit: Option<f64>, more: &str) {
        let limit = limit.map_or_else(String::new, |limit| {
            // Less than half an allocation comes from buffers that grow now and then.
            self.within &= added < limit + 0.5;
            format!("(at most {limit})")
        });
        println!("{added:7.1}  {what:32} {limit:16} {more}");
    }
}
