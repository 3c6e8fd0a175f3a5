//! What a session costs a request, beside the same without the layer or by hand.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};
use tower::{Service, service_fn};

use support::{RECORD, SECRET, World, done, ignore, read, request, with_extensions};

mod support;

/// Target: the layer adds at most 1 us.
fn no_token(c: &mut Criterion) {
    let world = World::new();
    let mut bare = service_fn(ignore);
    let mut layered = world.layered(service_fn(ignore));
    let mut group = c.benchmark_group("a request without a token");
    group.bench_function("bare", |b| {
        b.iter(|| done(bare.call(with_extensions(request(None)))));
    });
    group.bench_function("with the layer", |b| {
        b.iter(|| done(layered.call(with_extensions(request(None)))));
    });
    group.bench_function("bare, no extensions yet", |b| {
        b.iter(|| done(bare.call(request(None))));
    });
    group.bench_function("with the layer, no extensions yet", |b| {
        b.iter(|| done(layered.call(request(None))));
    });
    group.finish();
}

/// Target: at most 6 us in all.
fn active_session(c: &mut Criterion) {
    let world = World::new();
    let mut bare = service_fn(ignore);
    let mut layered = world.layered(service_fn(read));
    let mut group = c.benchmark_group("a request with a session, one field read");
    group.bench_function("bare, nothing read", |b| {
        b.iter(|| {
            let request = with_extensions(request(Some(&world.token)));
            done(bare.call(request))
        });
    });
    group.bench_function("with the layer", |b| {
        b.iter(|| done(layered.call(with_extensions(request(Some(&world.token))))));
    });
    group.finish();
}

#[derive(Deserialize)]
struct Typed {
    jti: String,
}

fn load(c: &mut Criterion) {
    let world = World::new();
    let key = DecodingKey::from_secret(SECRET);
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    let mut group = c.benchmark_group("load");
    group.bench_function("Sessions::open", |b| {
        b.iter(|| done(world.sessions.open(black_box(world.token.as_str()))).unwrap());
    });
    group.bench_function("jsonwebtoken, full parse", |b| {
        b.iter(|| {
            let token = black_box(world.token.as_str());
            let token = jsonwebtoken::decode::<Typed>(token, &key, &validation).unwrap();
            black_box(format!("sess:{}", token.claims.jti));
            // The store hands out a copy.
            let stored = black_box(RECORD).as_bytes().to_vec();
            serde_json::from_slice::<Map<String, Value>>(&stored).unwrap()
        });
    });
    group.finish();
}

fn read_one_key(c: &mut Criterion) {
    let world = World::new();
    let session = done(world.sessions.open(world.token.as_str())).unwrap();
    let mut group = c.benchmark_group("read one key of 300 bytes");
    for key in ["user", "theme", "note"] {
        group.bench_function(format!("lazily, {key}"), |b| {
            b.iter(|| session.get::<Value>(black_box(key)).unwrap());
        });
    }
    group.bench_function("full parse", |b| {
        b.iter(|| {
            let map: Map<String, Value> = serde_json::from_slice(black_box(RECORD.as_bytes()))?;
            Ok::<_, serde_json::Error>(map.get("theme").cloned())
        });
    });
    group.finish();
}

fn update(c: &mut Criterion) {
    let world = World::new();
    let session = done(world.sessions.open(world.token.as_str())).unwrap();
    let mut visits = 0_u64;
    let mut group = c.benchmark_group("update one key of 300 bytes");
    group.bench_function("insert, update", |b| {
        b.iter(|| {
            visits += 1;
            session.insert("visits", visits).unwrap();
            done(session.update()).unwrap();
        });
    });
    group.bench_function("full parse, serialise", |b| {
        b.iter(|| {
            visits += 1;
            let mut map: Map<String, Value> =
                serde_json::from_slice(black_box(RECORD.as_bytes())).unwrap();
            map.insert("visits".to_owned(), visits.into());
            serde_json::to_vec(&map).unwrap()
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = no_token, active_session, load, read_one_key, update
}
criterion_main!(benches);
