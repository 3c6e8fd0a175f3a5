//! Allocations of the layer alone: no router, no Redis.

use allocation_counter::measure;
use http::Request;
use jwt_redis_session::JwtRedisSession;
use tower::{Layer as _, Service as _, service_fn};

use crate::Table;
use crate::support::{Body, World, done, ignore, read, request, with_extensions};

/// What a request without a token may add.
const NO_TOKEN: f64 = 2.0;
/// What a request with a token may add if the session is not used, with lazy loading.
const UNUSED: f64 = 8.0;
/// What a request without a token may add if the request has no extensions: their map, and its box, are new.
const NO_TOKEN_FIRST_EXTENSION: f64 = 4.0;

pub(crate) fn rows(table: &mut Table) {
    println!("allocations added to the same without a session; the layer alone, in memory");
    let world = World::new();
    let mut none = world.layered(service_fn(ignore));
    let mut one = world.layered(service_fn(read));
    let count = added(
        || with_extensions(request(None)),
        |request| drop(done(none.call(request))),
    );
    table.row("no token", count, Some(NO_TOKEN), "");
    let count = added(|| request(None), |request| drop(done(none.call(request))));
    let limit = Some(NO_TOKEN_FIRST_EXTENSION);
    table.row("no token, no extensions yet", count, limit, "");
    let mut lazy = JwtRedisSession::new(world.sessions.clone())
        .lazy()
        .layer(service_fn(ignore));
    let count = added(
        || with_extensions(request(Some(&world.token))),
        |request| drop(done(lazy.call(request))),
    );
    table.row("not used, lazy", count, Some(UNUSED), "");
    let count = added(
        || with_extensions(request(Some(&world.token))),
        |request| drop(done(one.call(request))),
    );
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
