//! The largest session and the largest index.

use std::time::Duration;

use jwt_redis_session::store::cas::{CasBackend as _, CasStore};
use jwt_redis_session::store::{NewEntry, PutMode, Store as _, StoreErrorKind};
use jwt_redis_session::{Keyring, SessionError, Sessions};
use jwt_redis_session_dynamodb::DynamoDb;

use crate::emulator::Emulator;

const TTL: Duration = Duration::from_secs(60);

/// Returns a text that a compressor cannot make shorter than three quarters.
fn noise(length: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(state >> 58) as usize]
    };
    (0..length).map(|_| char::from(next())).collect()
}

fn bytes(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn the_largest_value_fits_and_a_larger_one_is_reported() {
    let emulator = Emulator::start().await;
    let backend = emulator.backend();
    let largest = bytes((400 << 10) - 128 - "key".len());
    assert_eq!(
        backend.swap("key", None, Some((&largest, TTL))).await,
        Ok(true)
    );
    assert_eq!(backend.get("key").await.unwrap().unwrap().value, largest);
    let larger = bytes(largest.len() + 1);
    let swap = backend.swap("key", Some(&largest), Some((&larger, TTL)));
    assert_eq!(swap.await.unwrap_err().kind(), StoreErrorKind::TooLarge);
    assert_eq!(backend.get("key").await.unwrap().unwrap().value, largest);
}

#[tokio::test]
async fn sessions_up_to_the_documented_size_are_stored() {
    let emulator = Emulator::start().await;
    let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789").unwrap();
    let sessions = Sessions::builder(CasStore::new(emulator.backend()), keys)
        .max_size(DynamoDb::MAX_SIZE)
        .build()
        .unwrap();
    for (length, is_stored) in [
        (DynamoDb::MAX_SIZE - 1000, true),
        (DynamoDb::MAX_SIZE, false),
    ] {
        let session = sessions.new_session();
        session.insert("noise", noise(length)).unwrap();
        match session.create().await {
            Ok(token) => {
                let again = sessions.open(token.as_str()).await.unwrap();
                assert_eq!(again.get("noise").unwrap(), Some(noise(length)));
                assert!(is_stored);
            }
            Err(error) => {
                assert!(matches!(error, SessionError::TooLarge { .. }), "{error}");
                assert!(!is_stored);
            }
        }
    }
}

#[tokio::test]
async fn an_index_holds_the_documented_number_of_sessions() {
    const SESSIONS: usize = 15_000;
    let emulator = Emulator::start().await;
    let ids = noise(SESSIONS * 22);
    let scores = (0..SESSIONS).map(|n| 1_790_000_000 + n as i64 * 7919 % 86_400);
    let ids = (0..SESSIONS).map(|n| &ids[n * 22..][..22]);
    // As CasStore writes it; 15,000 logins would take minutes.
    let entries: serde_json::Map<_, _> = ids
        .zip(scores)
        .map(|(id, at)| (id.to_owned(), at.into()))
        .collect();
    let json = serde_json::Value::Object(entries).to_string();
    let index = format!("jwt-redis-session index 1\n{json}");
    let backend = emulator.backend();
    assert_eq!(
        backend
            .swap("index", None, Some((index.as_bytes(), TTL)))
            .await,
        Ok(true)
    );
    let store = CasStore::new(backend);
    let entry = NewEntry::new("index", "one-more", 1_790_000_000, TTL);
    store
        .index_put(entry, PutMode::KeepTombstone)
        .await
        .unwrap();
    assert_eq!(
        store.index_list("index", None).await.unwrap().len(),
        SESSIONS + 1
    );
}
