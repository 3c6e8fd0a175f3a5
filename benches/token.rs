//! Cost of signing and verifying a token, beside `jsonwebtoken` in the same run.

use std::hint::black_box;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use jwt_redis_session::token::{Key, NewClaims};
use jwt_redis_session::{Algorithm, Keyring, SessionId};
use serde::{Deserialize, Serialize};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const PRIVATE: &[u8] = include_bytes!("../tests/keys/p256.pem");
const PUBLIC: &[u8] = include_bytes!("../tests/keys/p256.pub.pem");
const ID: &str = "0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11";
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Serialize, Deserialize)]
struct Claims {
    jti: String,
    iat: u64,
    sub: String,
    exp: u64,
}

fn token(c: &mut Criterion) {
    let hs256 = Keyring::hs256(SECRET).unwrap();
    let encoding = EncodingKey::from_secret(SECRET).unwrap();
    let decoding = DecodingKey::from_secret(SECRET).unwrap();
    compare(c, &hs256, &encoding, &decoding);
    let es256 = Keyring::builder(Algorithm::Es256).signing(Key::pem(PRIVATE));
    let private = EncodingKey::from_ec_pem(PRIVATE).unwrap();
    let public = DecodingKey::from_ec_pem(PUBLIC).unwrap();
    compare(c, &es256.build().unwrap(), &private, &public);
}

fn compare(c: &mut Criterion, keyring: &Keyring, encoding: &EncodingKey, decoding: &DecodingKey) {
    let now = SystemTime::now();
    let iat = now.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let id = SessionId::parse(ID).unwrap();
    let claims = NewClaims::at(now).subject("user-42").expires_at(now + DAY);
    let token = keyring.sign(&id, &claims).unwrap();
    let token = token.as_str();
    // More than the key ring keeps, so that each is new when its turn comes again.
    let new: Vec<_> = (0..8192)
        .map(|_| keyring.sign(&SessionId::random(), &claims).unwrap())
        .collect();
    let mut new = new.iter().cycle();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let validation = Validation::new(header.alg);
    let theirs = || Claims {
        jti: black_box(ID).to_owned(),
        iat,
        sub: "user-42".to_owned(),
        exp: iat + DAY.as_secs(),
    };

    let mut group = c.benchmark_group(format!("{:?}", header.alg));
    group.bench_function("verify a new token: ours", |b| {
        b.iter(|| keyring.verify(new.next().unwrap().as_str(), now).unwrap());
    });
    group.bench_function("verify it again: ours", |b| {
        b.iter(|| keyring.verify(black_box(token), now).unwrap());
    });
    group.bench_function("verify: jsonwebtoken", |b| {
        b.iter(|| jsonwebtoken::decode::<Claims>(black_box(token), decoding, &validation).unwrap());
    });
    group.bench_function("sign: ours", |b| {
        b.iter(|| keyring.sign(black_box(&id), &claims).unwrap());
    });
    group.bench_function("sign: jsonwebtoken", |b| {
        b.iter(|| jsonwebtoken::encode(&Header::new(header.alg), &theirs(), encoding).unwrap());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = token
}
criterion_main!(benches);
