//! What a session costs a request, compared with the same without the layer or by hand.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};
use tower::{Service, service_fn};

use support::{RECORD, SECRET, Stored, done, extended, ignore, read, request};

mod support;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn measure<T>(group: &mut Group<'_>, name: &str, mut routine: impl FnMut() -> T) {
    group.bench_function(name, |b| b.iter(&mut routine));
}

/// Target: the layer adds at most 1 us.
fn no_token(c: &mut Criterion) {
    let mut bare = service_fn(ignore);
    let stored = Stored::in_memory();
    let mut layered = stored.layered(service_fn(ignore));
    let group = &mut c.benchmark_group("a request without a token");
    measure(group, "bare", || done(bare.call(extended(None))));
    measure(group, "with the layer", || {
        done(layered.call(extended(None)))
    });
    measure(group, "bare, no extensions yet", || {
        done(bare.call(request(None)))
    });
    measure(group, "with the layer, no extensions yet", || {
        done(layered.call(request(None)))
    });
}

/// Target: at most 6 us in all.
fn active_session(c: &mut Criterion) {
    let stored = Stored::in_memory();
    let token = Some(&stored.token);
    let mut bare = service_fn(ignore);
    let mut layered = stored.layered(service_fn(read));
    let group = &mut c.benchmark_group("a request with a session, one field read");
    measure(group, "bare, nothing read", || {
        done(bare.call(extended(token)))
    });
    measure(group, "with the layer", || {
        done(layered.call(extended(token)))
    });
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
}

fn parse() -> Map<String, Value> {
    serde_json::from_slice(black_box(RECORD.as_bytes())).unwrap()
}

fn load(c: &mut Criterion) {
    let stored = Stored::in_memory();
    let key = DecodingKey::from_secret(SECRET);
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    let group = &mut c.benchmark_group("load");
    measure(group, "Sessions::open", || {
        done(stored.sessions.open(black_box(stored.token.as_str()))).unwrap()
    });
    measure(group, "jsonwebtoken, full parse", || {
        let token = black_box(stored.token.as_str());
        let token = jsonwebtoken::decode::<Claims>(token, &key, &validation).unwrap();
        black_box(format!("sess:{}", token.claims.jti));
        // The store hands out a copy.
        black_box(RECORD.as_bytes().to_vec());
        parse()
    });
}

fn read_one_key(c: &mut Criterion) {
    let stored = Stored::in_memory();
    let session = done(stored.sessions.open(stored.token.as_str())).unwrap();
    let group = &mut c.benchmark_group("read one key of 300 bytes");
    for key in ["user", "theme", "note"] {
        measure(group, &format!("lazily, {key}"), || {
            session.get::<Value>(black_box(key)).unwrap()
        });
    }
    measure(group, "full parse", || parse().get("theme").cloned());
}

fn update(c: &mut Criterion) {
    let stored = Stored::in_memory();
    let session = done(stored.sessions.open(stored.token.as_str())).unwrap();
    let mut visits = 0_u64;
    let group = &mut c.benchmark_group("update one key of 300 bytes");
    measure(group, "insert, update", || {
        visits += 1;
        session.insert("visits", visits).unwrap();
        done(session.update()).unwrap();
    });
    measure(group, "full parse, serialise", || {
        visits += 1;
        let mut map = parse();
        map.insert("visits".to_owned(), visits.into());
        serde_json::to_vec(&map).unwrap()
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = no_token, active_session, load, read_one_key, update
}
criterion_main!(benches);
