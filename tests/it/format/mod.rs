//! Checks the code against `FORMAT.md` and its test vectors.

mod indexes;
mod records;
mod tokens;

use std::time::Duration;

use crate::support::seconds;
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::session::Device;
use jwt_redis_session::store::{EntryState, NewRecord, Store, StoredRecord, SupersedeOutcome};
use jwt_redis_session::token::{Encoding, TokenFormat};
use jwt_redis_session::{
    Keyring, Lifetime, MemoryStore, OpaqueTokens, SessionError, SessionId, Sessions,
};
use serde_json::{Map, Value, json};

const NOW: i64 = 1_700_000_000;
const ID: &str = "0123456789abcdef";
const KEY: &str = "sess:0123456789abcdef";

/// Reads `tests/vectors/{file}.json`.
fn vectors(file: &str) -> Map<String, Value> {
    let path = format!("{}/tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn duration(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_secs)
}

/// Returns sessions in a memory store whose clock shows [`NOW`].
fn sessions(tokens: impl Into<TokenFormat>, keyspace: &str) -> (Sessions, MemoryStore) {
    let clock = ManualClock::at(NOW);
    let store = MemoryStore::new().with_clock(clock.clone());
    let sessions = Sessions::builder(store.clone(), tokens)
        .keyspace_without_delimiter(keyspace)
        .clock(clock);
    (sessions.build().unwrap(), store)
}

fn keyring() -> Keyring {
    Keyring::hs256("format.md: a secret for vectors!").unwrap()
}

fn id(text: &str) -> SessionId {
    SessionId::parse(text).unwrap()
}

async fn put(store: &MemoryStore, key: &str, record: &str) {
    let record = NewRecord::new(key, record.as_bytes(), Duration::from_secs(86_400));
    assert_eq!(store.insert(record).await, Ok(true));
}

async fn stored(store: &MemoryStore, key: &str) -> StoredRecord {
    store.load(key).await.unwrap().unwrap()
}

async fn entries(store: &MemoryStore, index: &str) -> Vec<(String, EntryState)> {
    let entries = store.index_list(index, None).await.unwrap();
    let entries = entries.into_iter();
    entries.map(|entry| (entry.member, entry.state)).collect()
}

/// A block of `FORMAT.md` whose fence names a vector must equal that vector.
#[test]
fn format_md_quotes_the_vectors() {
    let text = include_str!("../../../FORMAT.md");
    let blocks: Vec<&str> = text.split("\n```json vector=").skip(1).collect();
    assert!(blocks.len() >= 6, "{}", blocks.len());
    for block in blocks {
        let (fence, rest) = block.split_once('\n').unwrap();
        let (file, name) = fence.split_once('/').unwrap();
        let (body, _) = rest.split_once("\n```").unwrap();
        let vectors = Value::from(vectors(file));
        let quote: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{fence}: {e}"));
        assert_eq!(
            Some(&quote),
            vectors.pointer(&format!("/{name}")),
            "{fence}"
        );
    }
}

/// A part of a token, decoded without the code that the vectors check.
fn part(token: &str, number: usize) -> String {
    use base64::Engine as _;
    let text = token.split('.').nth(number).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text);
    String::from_utf8(bytes.unwrap()).unwrap()
}

fn reason(error: &SessionError) -> &'static str {
    match error {
        SessionError::Rejected(reason) => reason.as_str(),
        other => panic!("{other}"),
    }
}
