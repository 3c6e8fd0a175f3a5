//! `FORMAT.md` and its test vectors against the code.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::seconds;
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::{EntryState, IndexFilter, NewRecord, Store, StoredRecord};
use jwt_redis_session::{
    Keyring, Lifetime, MemoryStore, OpaqueTokens, SessionError, SessionId, Sessions,
    token::{Encoding, TokenFormat},
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

const NOW: i64 = 1_700_000_000;
const DAY: Duration = Duration::from_secs(86_400);

/// Reads `tests/vectors/{file}.json`.
fn vectors<T: DeserializeOwned>(file: &str) -> T {
    let path = format!("{}/tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Sessions in a memory store whose clock stands at [`NOW`].
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
    let record = NewRecord::new(key, record.as_bytes(), DAY);
    assert_eq!(store.insert(record).await, Ok(true));
}

async fn stored(store: &MemoryStore, key: &str) -> StoredRecord {
    store.load(key).await.unwrap().unwrap()
}

async fn entries(store: &MemoryStore, index: &str) -> Vec<(String, EntryState)> {
    let entries = store.index_list(index, IndexFilter::All).await.unwrap();
    let entries = entries.into_iter();
    entries.map(|entry| (entry.member, entry.state)).collect()
}

#[derive(Deserialize)]
struct Created {
    given: Given,
    key: String,
    record: String,
    ttl: u64,
    claims: String,
    token: String,
    index: Option<String>,
    score: Option<i64>,
    index_ttl: Option<u64>,
}

#[derive(Deserialize)]
struct Given {
    now: i64,
    secret: String,
    keyspace: String,
    max_age: u64,
    absolute_lifetime: Option<u64>,
    id: String,
    owner: Option<String>,
    fields: Map<String, Value>,
}

impl Given {
    fn sessions(&self, store: &MemoryStore, clock: &ManualClock) -> Sessions {
        let id = id(&self.id);
        let idle = Duration::from_secs(self.max_age);
        let lifetime = match self.absolute_lifetime.map(Duration::from_secs) {
            Some(absolute) => Lifetime::Both { idle, absolute },
            None => Lifetime::Idle(idle),
        };
        let builder = Sessions::builder(store.clone(), Keyring::hs256(&self.secret).unwrap())
            .keyspace(self.keyspace.as_str())
            .lifetime(lifetime)
            .clock(clock.clone())
            .id_generator(move || id.clone());
        builder.build().unwrap()
    }
}

#[tokio::test]
async fn format_created_sessions_are_written_as_the_vectors_say() {
    for (name, vector) in vectors::<BTreeMap<String, Created>>("created") {
        let given = &vector.given;
        let clock = ManualClock::at(given.now);
        let store = MemoryStore::new().with_clock(clock.clone());
        let session = given.sessions(&store, &clock).new_session();
        session.merge(&given.fields).unwrap();
        if let Some(owner) = &given.owner {
            session.set_owner(owner.as_str()).unwrap();
        }
        let token = session.create().await.unwrap();

        assert_eq!(token.as_str(), vector.token, "{name}");
        assert_eq!(part(&vector.token, 1), vector.claims, "{name}");
        let stored = stored(&store, &vector.key).await;
        assert_eq!(stored.value, vector.record, "{name}");
        assert_eq!(stored.ttl, Some(Duration::from_secs(vector.ttl)), "{name}");
        let (Some(index), Some(score), Some(ttl)) = (vector.index, vector.score, vector.index_ttl)
        else {
            assert!(given.owner.is_none(), "{name}");
            continue;
        };
        let listed = [(given.id.clone(), EntryState::Active { check_after: score })];
        clock.advance(Duration::from_secs(ttl) - Duration::from_millis(1));
        assert_eq!(entries(&store, &index).await, listed, "{name}");
        clock.advance(Duration::from_millis(1));
        assert_eq!(entries(&store, &index).await, [], "{name}");
    }
}

#[derive(Deserialize)]
struct Read {
    record: String,
    fields: Value,
    owner: Option<String>,
    created: Option<i64>,
    expires: Option<i64>,
}

#[tokio::test]
async fn format_records_of_others_are_read_as_the_vectors_say() {
    let id = id("0123456789abcdef");
    for (name, vector) in vectors::<BTreeMap<String, Read>>("read") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, "sess:0123456789abcdef", &vector.record).await;
        let session = sessions.get(&id).await.unwrap();
        assert_eq!(session.to_json(), vector.fields, "{name}");
        assert_eq!(session.owner(), vector.owner, "{name}");
        assert_eq!(seconds(session.created_at()), vector.created, "{name}");
        assert_eq!(seconds(session.absolute_expiry()), vector.expires, "{name}");
    }
}

#[tokio::test]
async fn format_what_is_no_record_is_corrupt_and_left_alone() {
    let id = id("0123456789abcdef");
    for (name, record) in vectors::<BTreeMap<String, String>>("corrupt") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, "sess:0123456789abcdef", &record).await;
        let refused = sessions.get(&id).await.unwrap_err();
        assert_eq!(reason(&refused), "corrupt", "{name}");
        let stored = stored(&store, "sess:0123456789abcdef").await;
        assert_eq!(stored.value, record, "{name}");
    }
}

#[derive(Deserialize)]
struct Updated {
    before: String,
    set: Map<String, Value>,
    remove: Vec<String>,
    after: String,
}

#[tokio::test]
async fn format_updates_change_what_they_name_and_nothing_else() {
    let id = id("0123456789abcdef");
    for (name, vector) in vectors::<BTreeMap<String, Updated>>("updated") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, "sess:0123456789abcdef", &vector.before).await;
        let session = sessions.get(&id).await.unwrap();
        session.merge(&vector.set).unwrap();
        for field in &vector.remove {
            assert!(session.remove(field), "{name}");
        }
        session.update().await.unwrap();
        let stored = stored(&store, "sess:0123456789abcdef").await;
        assert_eq!(stored.value, vector.after, "{name}");
    }
}

#[derive(Deserialize)]
struct Tokens {
    given: TokensGiven,
    tokens: BTreeMap<String, TokenVector>,
}

#[derive(Deserialize)]
struct TokensGiven {
    now: i64,
    secret: String,
    keyspace: String,
    id: String,
    record: String,
}

#[derive(Deserialize)]
struct TokenVector {
    header: String,
    claims: String,
    token: String,
    result: String,
}

#[tokio::test]
async fn format_tokens_of_others_come_out_as_the_vectors_say() {
    let Tokens { given, tokens } = vectors("tokens");
    assert_eq!(given.now, NOW);
    let (sessions, store) = sessions(Keyring::hs256(&given.secret).unwrap(), &given.keyspace);
    put(
        &store,
        &format!("{}{}", given.keyspace, given.id),
        &given.record,
    )
    .await;
    for (name, vector) in tokens {
        assert_eq!(part(&vector.token, 0), vector.header, "{name}");
        assert_eq!(part(&vector.token, 1), vector.claims, "{name}");
        let result = match sessions.open(&vector.token).await {
            Ok(session) => {
                assert_eq!(session.id(), Some(id(&given.id)), "{name}");
                "active"
            }
            Err(error) => reason(&error),
        };
        assert_eq!(result, vector.result, "{name}");
    }
}

#[derive(Deserialize)]
struct OpaqueVector {
    encoding: String,
    size: usize,
    token: String,
    id: String,
}

#[tokio::test]
async fn format_an_opaque_token_names_the_session_of_its_hash() {
    for (name, vector) in vectors::<BTreeMap<String, OpaqueVector>>("opaque") {
        let encoding = match vector.encoding.as_str() {
            "base64url" => Encoding::Base64Url,
            "base64" => Encoding::Base64,
            "hex" => Encoding::Hex,
            other => panic!("{other}"),
        };
        let tokens = OpaqueTokens::new()
            .size(vector.size)
            .unwrap()
            .encoding(encoding);
        let (sessions, store) = sessions(tokens, "sess:");
        put(&store, &format!("sess:{}", vector.id), "{}").await;
        let session = sessions.open(&vector.token).await.unwrap();
        assert_eq!(session.id(), Some(id(&vector.id)), "{name}");
    }
}

#[derive(Deserialize)]
struct Name {
    keyspace: String,
    owner: String,
    index: String,
}

#[tokio::test]
async fn format_an_owners_index_has_the_name_of_the_vectors() {
    for (name, vector) in vectors::<BTreeMap<String, Name>>("names") {
        let (sessions, store) = sessions(keyring(), &vector.keyspace);
        let session = sessions.new_session();
        session.set_owner(vector.owner.as_str()).unwrap();
        session.create().await.unwrap();
        let members = entries(&store, &vector.index).await;
        let id = session.id().unwrap();
        assert_eq!(members.len(), 1, "{name}");
        assert_eq!(members[0].0, id.as_str(), "{name}");
    }
}

/// Every block of `FORMAT.md` whose fence names a vector holds that vector.
#[test]
fn format_md_quotes_the_vectors_as_they_are() {
    let text = include_str!("../../FORMAT.md");
    let mut quoted = 0;
    for block in text
        .split("\n```")
        .filter(|block| block.starts_with("json vector="))
    {
        let (fence, body) = block.split_once('\n').unwrap();
        let (file, name) = fence["json vector=".len()..].split_once('/').unwrap();
        let mut whole: Value = vectors(file);
        let vector = name
            .split('/')
            .fold(&mut whole, |value, key| &mut value[key]);
        let quote: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{fence}: {e}"));
        assert_eq!(quote, *vector, "{fence}");
        quoted += 1;
    }
    assert!(quoted >= 6, "{quoted}");
}

/// A part of a token, decoded by hand: the vectors must not depend on the code they check.
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
