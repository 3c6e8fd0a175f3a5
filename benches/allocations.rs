//! How often a request allocates because of the layer; fails if that is above the limit.
//!
//! Apart from the benchmarks of time, which the counting would slow down.

use allocation_counter::measure;
use http::Request;
use tower::{Service, service_fn};

use support::{Body, World, done, ignore, read, request, with_extensions};

mod support;

/// What a request may allocate beyond a bare call.
const NO_TOKEN: u64 = 2;
/// The same where nothing was put into the extensions before: their map, and its box, are new.
const NO_TOKEN_FIRST_EXTENSION: u64 = 4;
/// The same with a token whose session is not used.
const LAZY_AND_UNUSED: u64 = 8;

fn main() {
    let world = World::new();
    let mut none = world.layered(service_fn(ignore));
    let mut one = world.layered(service_fn(read));
    let mut lazy = world.layered_lazily(service_fn(ignore));
    println!("allocations beyond a bare call");
    let mut kept = true;
    let mut row = |what, limit: Option<u64>, count: u64| {
        let limit = limit.map_or_else(String::new, |limit| {
            kept &= count <= limit;
            format!("   (at most {limit})")
        });
        println!("{count:4}  {what}{limit}");
    };
    let fresh = || request(None);
    let usual = || with_extensions(request(None));
    let token = || with_extensions(request(Some(&world.token)));
    row(
        "no token",
        Some(NO_TOKEN),
        added(usual, |request| drop(done(none.call(request)))),
    );
    row(
        "no token, no extensions yet",
        Some(NO_TOKEN_FIRST_EXTENSION),
        added(fresh, |request| drop(done(none.call(request)))),
    );
    row(
        "a session that is not used, lazy",
        Some(LAZY_AND_UNUSED),
        added(token, |request| drop(done(lazy.call(request)))),
    );
    row(
        "a session in memory, one field read",
        None,
        added(token, |request| drop(done(one.call(request)))),
    );
    assert!(kept, "more allocations than the limit");
}

/// The allocations of `call` beyond those of a bare call, at the second time.
fn added(request: impl Fn() -> Request<Body>, mut call: impl FnMut(Request<Body>)) -> u64 {
    let mut bare = service_fn(ignore);
    call(request());
    let (first, second) = (request(), request());
    let bare = measure(|| drop(done(bare.call(first))));
    measure(|| call(second)).count_total - bare.count_total
}
