//! How often the verification of a token allocates.
//!
//! A separate test binary: the counting allocator would slow the others down.

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use jwt_redis_session::token::NewClaims;
use jwt_redis_session::{Keyring, MemoryStore, OpaqueTokens, SessionId, Sessions};
use serde_json::json;

const SECRET: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

/// The payload, which `Claims`, the session and its id share.
#[test]
fn a_jwt_is_verified_with_one_allocation() {
    let now = SystemTime::now();
    let keyring = Keyring::hs256(SECRET).unwrap();
    let sessions = Sessions::builder(MemoryStore::new(), keyring.clone());
    let sessions = sessions.build().unwrap();
    let bare = NewClaims::at(now);
    let owned = bare
        .subject("user-42")
        .expires_at(now + Duration::from_secs(60));
    let custom = json!({ "tenant": { "names": ["a", "b"] }, "admin": true });
    let custom = custom.as_object().unwrap();
    for claims in [bare, owned, owned.custom(custom)] {
        let token = keyring.sign(&SessionId::random(), &claims).unwrap();
        let by_keyring = measure(|| drop(keyring.verify(token.as_str(), now).unwrap()));
        assert_eq!(by_keyring.count_total, 1);
        let by_sessions = measure(|| drop(sessions.verify(token.as_str()).unwrap()));
        assert_eq!(by_sessions.count_total, 1);
        let verified = keyring.verify(token.as_str(), now).unwrap();
        let read = measure(|| drop((verified.clone(), verified.id().clone(), verified.subject())));
        assert_eq!(read.count_total, 0);
    }
}

#[test]
fn an_opaque_token_is_verified_with_one_allocation() {
    let sessions = Sessions::builder(MemoryStore::new(), OpaqueTokens::new());
    let sessions = sessions.build().unwrap();
    let token = "A".repeat(43);
    let verified = measure(|| drop(sessions.verify(&token).unwrap()));
    assert_eq!(verified.count_total, 1);
}

#[test]
fn a_rejected_token_does_not_allocate() {
    let now = SystemTime::now();
    let keyring = Keyring::hs256(SECRET).unwrap();
    let foreign = Keyring::hs256([SECRET[1..].to_vec(), vec![0]].concat()).unwrap();
    let token = foreign.sign(&SessionId::random(), &NewClaims::at(now));
    let token = token.unwrap();
    let rejected = measure(|| assert!(keyring.verify(token.as_str(), now).is_err()));
    assert_eq!(rejected.count_total, 0);
}
