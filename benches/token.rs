//! Cost of signing and verifying a token, beside `jsonwebtoken` in the same run.

use std::hint::black_box;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use jwt_redis_session::{
    Algorithm, Keyring, SessionId,
    token::{Key, NewClaims},
};
use serde::{Deserialize, Serialize};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const PRIVATE: &[u8] = include_bytes!("../tests/keys/p256.pem");
const PUBLIC: &[u8] = include_bytes!("../tests/keys/p256.pub.pem");
const ID: &str = "0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11";
const SUBJECT: &str = "user-42";

#[derive(Serialize, Deserialize)]
struct Typed {
    jti: String,
    iat: i64,
    sub: String,
    exp: i64,
}

struct Peer {
    header: Header,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

fn peers() -> [(&'static str, Keyring, Peer); 2] {
    let peer = |algorithm, encoding, decoding| Peer {
        header: Header::new(algorithm),
        encoding,
        decoding,
        validation: Validation::new(algorithm),
    };
    let es256 = Keyring::builder(Algorithm::Es256).signing(Key::pem(PRIVATE));
    [
        (
            "HS256",
            Keyring::hs256(SECRET).unwrap(),
            peer(
                jsonwebtoken::Algorithm::HS256,
                EncodingKey::from_secret(SECRET),
                DecodingKey::from_secret(SECRET),
            ),
        ),
        (
            "ES256",
            es256.build().unwrap(),
            peer(
                jsonwebtoken::Algorithm::ES256,
                EncodingKey::from_ec_pem(PRIVATE).unwrap(),
                DecodingKey::from_ec_pem(PUBLIC).unwrap(),
            ),
        ),
    ]
}

fn token(c: &mut Criterion) {
    let now = SystemTime::now();
    let iat = now.duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let exp = iat + 86_400;
    let id = SessionId::parse(ID).unwrap();
    for (name, keyring, peer) in peers() {
        let end = now + Duration::from_secs(86_400);
        let claims = NewClaims::at(now).subject(SUBJECT).expires_at(end);
        let token = keyring.sign(&id, &claims).unwrap();
        let token = token.as_str();
        println!("{name}: a token of {} bytes", token.len());

        let mut group = c.benchmark_group(format!("{name} verify"));
        group.bench_function("ours", |b| {
            b.iter(|| keyring.verify(black_box(token), now).unwrap());
        });
        group.bench_function("jsonwebtoken", |b| {
            b.iter(|| {
                let token = black_box(token);
                jsonwebtoken::decode::<Typed>(token, &peer.decoding, &peer.validation).unwrap()
            });
        });
        group.finish();

        let mut group = c.benchmark_group(format!("{name} sign"));
        group.bench_function("ours", |b| {
            b.iter(|| keyring.sign(black_box(&id), &claims).unwrap());
        });
        group.bench_function("jsonwebtoken", |b| {
            b.iter(|| {
                let typed = Typed {
                    jti: black_box(ID).to_owned(),
                    iat,
                    sub: SUBJECT.to_owned(),
                    exp,
                };
                jsonwebtoken::encode(&peer.header, &typed, &peer.encoding).unwrap()
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = token
}
criterion_main!(benches);
