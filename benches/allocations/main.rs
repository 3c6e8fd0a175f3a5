//! Allocations per request, and commands sent to Redis per request; fails above the limits.
//!
//! The requests go through an axum router to a real `redis-server`, which this starts on a free
//! loopback port. The client of Redis, the handler and the layer all run in one current-thread
//! runtime, since the counter counts by thread. Each row is the mean of many requests after a
//! warm-up, minus the same for a route with the same answer that has no session.
//!
//! This is apart from the benchmarks of time, which the counting would slow down.

use jwt_redis_session::RedisStore;
use tokio::runtime::{Builder, Runtime};

use count::{Route, per_request};
use monitor::commands;
use support::World;
use test_support::redis_server::RedisServer;

mod bare;
mod by_hand;
mod count;
mod layer;
mod monitor;
mod ours;
#[path = "../support/mod.rs"]
mod support;

/// 300 bytes without nested values: the handler by hand parses all of it, so nesting would count
/// against it.
const RECORD: &str = concat!(
    r#"{"_jrs":{"created":1700000000},"user":"jo","visits":42,"theme":"dark","locale":"en-GB","#,
    r#""csrf":"0123456789abcdef0123456789abcdef","last":"2026-01-02T03:04:05Z","note":""#,
    r#"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"#,
    r#"23456789012345678901234567890123456789012345678901234"}"#,
);

// The limits are the present figures, so that none of them grows unnoticed.

/// What a request that reads one field may add.
const READ: f64 = 20.0;
/// The same if the session has an owner.
const READ_WITH_OWNER: f64 = 23.0;
/// What a request that updates one field may add.
const UPDATE: f64 = 37.0;
/// The same if the session has an owner.
const UPDATE_WITH_OWNER: f64 = 59.0;
/// What a request that carries a token and does not use the session may add.
const UNUSED: f64 = 20.0;
/// The same with lazy loading.
const UNUSED_LAZY: f64 = 10.0;

fn main() {
    let mut table = Table { within: true };
    layer::rows(&mut table);
    let redis = RedisServer::start();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let url = redis.url();
    let world = runtime.block_on(world_on(&url, None));
    let owned = runtime.block_on(world_on(&url, Some("jo")));
    let by_hand = runtime.block_on(by_hand::router(&url));
    let mut redis_rows = RedisRows {
        redis: &redis,
        runtime: &runtime,
        table: &mut table,
    };
    println!("\nthe same and the commands, through axum on Redis");
    for route in [Route::Read, Route::Update] {
        redis_rows.row("by hand", route, &world, &by_hand, None);
    }
    let eager = ours::router(&world);
    for (route, limit) in [
        (Route::Read, READ),
        (Route::Update, UPDATE),
        (Route::Unused, UNUSED),
    ] {
        redis_rows.row("this crate", route, &world, &eager, Some(limit));
    }
    let lazy = ours::lazy_router(&world);
    for (route, limit) in [(Route::Read, READ), (Route::Unused, UNUSED_LAZY)] {
        redis_rows.row("lazy", route, &world, &lazy, Some(limit));
    }
    let eager = ours::router(&owned);
    for (route, limit) in [
        (Route::Read, READ_WITH_OWNER),
        (Route::Update, UPDATE_WITH_OWNER),
    ] {
        redis_rows.row("with an owner", route, &owned, &eager, Some(limit));
    }
    assert!(table.within, "more allocations than the limit");
}

async fn world_on(url: &str, owner: Option<&str>) -> World {
    let store = RedisStore::connect(url).await.unwrap();
    World::with(store, RECORD, owner).await
}

/// Prints rows and remembers whether all are within their limits.
pub(crate) struct Table {
    within: bool,
}

impl Table {
    pub(crate) fn row(&mut self, what: &str, added: f64, limit: Option<f64>, more: &str) {
        let limit = limit.map_or_else(String::new, |limit| {
            // Less than half an allocation comes from buffers that grow now and then.
            self.within &= added < limit + 0.5;
            format!("(at most {limit})")
        });
        println!("{added:7.1}  {what:32} {limit:16} {more}");
    }
}

struct RedisRows<'a> {
    redis: &'a RedisServer,
    runtime: &'a Runtime,
    table: &'a mut Table,
}

impl RedisRows<'_> {
    fn row(
        &mut self,
        who: &str,
        route: Route,
        world: &World,
        router: &axum::Router,
        limit: Option<f64>,
    ) {
        let bare = per_request(self.runtime, &bare::router(), route, &world.token);
        let count = per_request(self.runtime, router, route, &world.token);
        let sent = commands(self.redis, self.runtime, router, route, &world.token);
        let what = format!("{route:?}, {who}");
        self.table.row(&what, count - bare, limit, &sent);
    }
}
