//! What tokens, bodies and the end of many sessions allocate.
//!
//! A separate test binary: the counting allocator would slow the others down.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use jwt_redis_session::token::NewClaims;
use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, OpaqueTokens, SessionId, Sessions};
use serde_json::json;
use tower::{Layer as _, ServiceExt as _, service_fn};

const SECRET: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

/// The payload, which `Claims`, the session and its id share. A token that was verified before has
/// it already.
#[test]
fn jwt_is_verified_with_one_allocation() {
    let now = SystemTime::now();
    let keyring = Keyring::hs256(SECRET).unwrap();
    let sessions = Sessions::builder(MemoryStore::new(), keyring.clone());
    let sessions = sessions.build().unwrap();
    let bare = NewClaims::at(now);
    let full = bare.subject("me").expires_at(now + Duration::from_secs(60));
    let first = keyring.sign(&SessionId::random(), &bare).unwrap();
    // The first token allocates the places of those that are kept.
    drop(keyring.verify(first.as_str(), now).unwrap());
    let custom = json!({ "tenant": { "names": ["a", "b"] }, "admin": true });
    for claims in [bare, full, full.custom(custom.as_object().unwrap())] {
        let token = keyring.sign(&SessionId::random(), &claims).unwrap();
        let verify = || keyring.verify(token.as_str(), now).unwrap();
        let open = || sessions.verify(token.as_str()).unwrap();
        assert_eq!(measure(|| drop(verify())).count_total, 1);
        let claims = verify();
        let read = || (claims.clone().id().clone(), claims.subject().is_some());
        assert_eq!(measure(|| drop(verify())).count_total, 0);
        assert_eq!(measure(|| drop(open())).count_total, 0);
        assert_eq!(measure(|| drop(read())).count_total, 0);
    }
}

#[test]
fn opaque_token_is_verified_with_one_allocation() {
    let sessions = Sessions::builder(MemoryStore::new(), OpaqueTokens::new());
    let sessions = sessions.build().unwrap();
    let token = "A".repeat(43);
    let verified = measure(|| drop(sessions.verify(&token).unwrap()));
    assert_eq!(verified.count_total, 1);
}

#[test]
fn rejected_token_does_not_allocate() {
    let now = SystemTime::now();
    let foreign = Keyring::hs256("another secret of at least 32 bytes").unwrap();
    let token = foreign
        .sign(&SessionId::random(), &NewClaims::at(now))
        .unwrap();
    let keyring = Keyring::hs256(SECRET).unwrap();
    let rejected = measure(|| assert!(keyring.verify(token.as_str(), now).is_err()));
    assert_eq!(rejected.count_total, 0);
}

/// The process holds the ids of all sessions, and the records of one batch.
#[cfg(feature = "redis")]
#[test]
fn destroy_all_holds_few_records_at_a_time() {
    const COUNT: usize = 1_000;
    const SIZE: usize = 8_000;
    let server = test_support::redis_server::RedisServer::start();
    // The allocations of one thread are counted.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let store = jwt_redis_session::RedisConfig::new(server.url());
    let store = store.deadline(Duration::from_secs(30)).lazy().unwrap();
    let sessions = Sessions::builder(store, Keyring::hs256(SECRET).unwrap());
    let sessions = sessions.build().unwrap();
    for _ in 0..COUNT {
        let session = sessions.new_session();
        session.insert("data", "x".repeat(SIZE)).unwrap();
        session.set_owner("jo").unwrap();
        runtime.block_on(session.create().into_future()).unwrap();
    }
    let counted = measure(|| {
        let destroyed = runtime.block_on(sessions.destroy_all("jo")).unwrap();
        assert_eq!(destroyed, COUNT);
    });
    let peak = counted.bytes_max;
    assert!(peak < (COUNT * SIZE / 8) as u64, "{peak} bytes");
}

/// A client may send each byte in a separate frame.
#[test]
fn body_in_single_bytes_takes_little_more_memory_than_its_bytes() {
    // A vector that doubles would have grown from 32 to 64 KiB just now.
    const BYTES: usize = 33_000;

    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().unwrap();
    let sessions = Sessions::builder(MemoryStore::new(), OpaqueTokens::new());
    let layer = JwtRedisSession::new(sessions.build().unwrap());
    let service = layer.layer(service_fn(async |_| Ok::<_, Infallible>(Response::new(()))));
    let frame = |_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(b" ")));
    let frames = stream::iter((0..BYTES).map(frame));
    let body = UnsyncBoxBody::new(StreamBody::new(frames));
    let request = Request::post("/").header("content-type", "application/json");
    let request = request.body(body).unwrap();
    let measured = measure(|| drop(runtime.block_on(service.oneshot(request))));
    let peak = measured.bytes_max as usize;
    assert!((BYTES..BYTES * 9 / 4 + 8192).contains(&peak), "{peak}");
}
