//! Cost of a session per request and per operation, compared with the same without a session.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};
use tower::{Layer as _, Service as _, service_fn};

use support::{Body, RECORD, SECRET, Stored, done, extended, ignore, read, request};

mod support;

fn measure<T>(c: &mut Criterion, name: &str, mut routine: impl FnMut() -> T) {
    c.bench_function(name, |b| b.iter(&mut routine));
}

/// Targets: the layer adds at most 1 us without a token, and 6 us with a session.
fn request_with_layer(c: &mut Criterion) {
    let stored = Stored::in_memory();
    let token = Some(&stored.token);
    let requests: [(&str, &dyn Fn() -> Request<Body>); 3] = [
        ("no token, no extensions yet", &|| {
            request("/read?page=2", None)
        }),
        ("no token", &|| extended(None)),
        ("session", &|| extended(token)),
    ];
    for (name, request) in requests {
        let mut bare = service_fn(ignore);
        measure(c, &format!("{name}: bare"), || done(bare.call(request())));
        let handler = if name == "session" { read } else { ignore };
        let mut layered = stored.layer().layer(service_fn(handler));
        measure(c, &format!("{name}: with the layer"), || {
            done(layered.call(request()))
        });
    }
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
    let key = DecodingKey::from_secret(SECRET).unwrap();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    measure(c, "load: Sessions::open", || {
        done(stored.sessions.open(black_box(stored.token.as_str()))).unwrap()
    });
    measure(c, "load: jsonwebtoken, full parse", || {
        let token = black_box(stored.token.as_str());
        let token = jsonwebtoken::decode::<Claims>(token, &key, &validation).unwrap();
        black_box(format!("sess:{}", token.claims.jti));
        // The store hands out a copy.
        black_box(RECORD.as_bytes().to_vec());
        parse()
    });
}

fn read_and_update(c: &mut Criterion) {
    let stored = Stored::in_memory();
    let session = done(stored.sessions.open(stored.token.as_str())).unwrap();
    measure(c, "read one key: Session::get", || {
        session.get::<Value>(black_box("theme")).unwrap()
    });
    measure(c, "read one key: full parse", || {
        parse().get("theme").cloned()
    });
    let mut visits = 0_u64;
    measure(c, "update one key: Session::update", || {
        visits += 1;
        session.insert("visits", visits).unwrap();
        done(session.update()).unwrap();
    });
    measure(c, "update one key: full parse, serialize", || {
        let mut map = parse();
        map.insert("visits".to_owned(), black_box(7).into());
        serde_json::to_vec(&map).unwrap()
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = request_with_layer, load, read_and_update
}
criterion_main!(benches);
