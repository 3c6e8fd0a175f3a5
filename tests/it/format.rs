//! Checks the code against `FORMAT.md` and its test vectors.

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

/// Returns sessions with the configuration in the input of a vector.
fn sessions_of(given: &Value, store: &MemoryStore, clock: &ManualClock) -> Sessions {
    let idle = duration(&given["max_age"]).unwrap();
    let lifetime = match duration(&given["absolute_lifetime"]) {
        Some(absolute) => Lifetime::Both { idle, absolute },
        None => Lifetime::Idle(idle),
    };
    let id = id(text(&given["id"]));
    let keyring = Keyring::hs256(text(&given["secret"])).unwrap();
    let builder = Sessions::builder(store.clone(), keyring)
        .keyspace(text(&given["keyspace"]))
        .lifetime(lifetime)
        .clock(clock.clone())
        .id_generator(move || id.clone());
    let builder = match given["auth_time_claim"] == true {
        true => builder.auth_time_claim(),
        false => builder,
    };
    builder.build().unwrap()
}

/// Returns the device of a vector; an empty one, which is not stored, if there is none.
fn device(given: &Value) -> Device {
    let text = |member| given[member].as_str().map(str::to_owned);
    Device {
        name: text("name"),
        user_agent: text("user_agent"),
        ip: text("ip").map(|ip| ip.parse().unwrap()),
    }
}

#[tokio::test]
async fn created_sessions_equal_the_vectors() {
    for (name, vector) in vectors("created") {
        let given = &vector["given"];
        let clock = ManualClock::at(given["now"].as_i64().unwrap());
        let store = MemoryStore::new().with_clock(clock.clone());
        let session = sessions_of(given, &store, &clock).new_session();
        session.merge(&given["fields"]).unwrap();
        if let Some(max_age) = duration(&given["session_max_age"]) {
            session.set_max_age(max_age).unwrap();
        }
        session.set_device(device(&given["device"]));
        let token = match given["owner"].as_str() {
            Some(owner) if given["login"] == true => session.login(owner).await,
            owner => {
                owner.map_or(Ok(()), |it| session.set_owner(it)).unwrap();
                session.create().await
            }
        };
        let token = token.unwrap();

        assert_eq!(token.as_str(), vector["token"], "{name}");
        assert_eq!(part(token.as_str(), 1), vector["claims"], "{name}");
        let stored = stored(&store, text(&vector["key"])).await;
        assert_eq!(stored.value, text(&vector["record"]), "{name}");
        assert_eq!(stored.ttl, duration(&vector["ttl"]), "{name}");
        let Some(index) = vector["index"].as_str() else {
            assert!(given["owner"].is_null(), "{name}");
            continue;
        };
        let check_after = vector["score"].as_i64().unwrap();
        let state = EntryState::Active { check_after };
        let entry = (text(&given["id"]).to_owned(), state);
        let ttl = duration(&vector["index_ttl"]).unwrap();
        clock.advance(ttl - Duration::from_millis(1));
        assert_eq!(entries(&store, index).await, [entry], "{name}");
        clock.advance(Duration::from_millis(1));
        assert_eq!(entries(&store, index).await, [], "{name}");
    }
}

#[tokio::test]
async fn records_of_other_writers_are_read() {
    for (name, vector) in vectors("read") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, KEY, text(&vector["record"])).await;
        let session = sessions.get(&id(ID)).await.unwrap();
        let mut read = json!({
            "record": vector["record"],
            "fields": session.to_json(),
            "owner": session.owner(),
            "created": seconds(session.created_at()),
            "expires": seconds(session.absolute_expiry()),
        });
        // Absent from a vector: `null`.
        for (member, value) in [
            ("max_age", json!(session.max_age().map(|it| it.as_secs()))),
            ("authenticated", json!(seconds(session.authenticated_at()))),
        ] {
            if vector.get(member).is_some() || !value.is_null() {
                read[member] = value;
            }
        }
        assert_eq!(read, vector, "{name}");
    }
}

#[tokio::test]
async fn corrupt_records_are_left_unchanged() {
    for (name, record) in vectors("corrupt") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, KEY, text(&record)).await;
        let error = sessions.get(&id(ID)).await.unwrap_err();
        assert_eq!(reason(&error), "corrupt", "{name}");
        assert_eq!(stored(&store, KEY).await.value, text(&record), "{name}");
    }
}

#[tokio::test]
async fn redirects_are_written_and_followed() {
    const TO: &str = "Zm9ybWF0Lm1kIHZlY3Rvcg";

    for (name, vector) in vectors("redirects") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, KEY, text(&vector["value"])).await;
        put(&store, &format!("sess:{TO}"), "{}").await;
        let result = match sessions.get(&id(ID)).await {
            Ok(session) => {
                assert_eq!(vector["to"], session.id().unwrap().as_str(), "{name}");
                "active"
            }
            Err(error) => reason(&error),
        };
        assert_eq!(result, vector["result"], "{name}");
        assert_eq!(
            stored(&store, KEY).await.value,
            text(&vector["value"]),
            "{name}"
        );
    }
    let clock = ManualClock::at(NOW);
    let store = MemoryStore::new().with_clock(clock.clone());
    put(&store, KEY, "{}").await;
    let sessions = Sessions::builder(store.clone(), keyring()).clock(clock);
    let sessions = sessions.id_generator(|| id(TO)).build().unwrap();
    let session = sessions.get(&id(ID)).await.unwrap();
    let grace = Duration::from_secs(30);
    session.rotate_with_grace(grace).await.unwrap();
    let redirect = StoredRecord::new(
        text(&vectors("redirects")["followed"]["value"]).to_owned(),
        Some(grace),
    );
    assert_eq!(stored(&store, KEY).await, redirect);
}

#[tokio::test]
async fn updates_change_only_what_they_name() {
    for (name, vector) in vectors("updated") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, KEY, text(&vector["before"])).await;
        let session = sessions.get(&id(ID)).await.unwrap();
        session.merge(&vector["set"]).unwrap();
        for field in vector["remove"].as_array().unwrap() {
            assert!(session.remove(text(field)), "{name}");
        }
        session.update().await.unwrap();
        let after = stored(&store, KEY).await;
        assert_eq!(after.value, text(&vector["after"]), "{name}");
    }
}

#[tokio::test]
async fn tokens_of_other_writers_are_verified() {
    let file = vectors("tokens");
    let given = |name: &str| text(&file["given"][name]);
    assert_eq!(file["given"]["now"], NOW);
    let keyring = Keyring::hs256(given("secret")).unwrap();
    let (sessions, store) = sessions(keyring, given("keyspace"));
    let key = format!("{}{}", given("keyspace"), given("id"));
    put(&store, &key, given("record")).await;
    for (name, vector) in file["tokens"].as_object().unwrap() {
        let token = text(&vector["token"]);
        assert_eq!(part(token, 0), vector["header"], "{name}");
        assert_eq!(part(token, 1), vector["claims"], "{name}");
        let result = match sessions.open(token).await {
            Ok(session) => {
                assert_eq!(session.id(), Some(id(given("id"))), "{name}");
                "active"
            }
            Err(error) => reason(&error),
        };
        assert_eq!(result, vector["result"], "{name}");
    }
}

#[tokio::test]
async fn opaque_token_names_the_session_of_its_hash() {
    for (name, vector) in vectors("opaque") {
        let encoding = match text(&vector["encoding"]) {
            "base64url" => Encoding::Base64Url,
            "base64" => Encoding::Base64,
            "hex" => Encoding::Hex,
            other => panic!("{other}"),
        };
        let size = vector["size"].as_u64().unwrap();
        let tokens = OpaqueTokens::new().size(usize::try_from(size).unwrap());
        let (sessions, store) = sessions(tokens.unwrap().encoding(encoding), "sess:");
        let hash = text(&vector["id"]);
        put(&store, &format!("sess:{hash}"), "{}").await;
        let session = sessions.open(text(&vector["token"])).await.unwrap();
        assert_eq!(session.id(), Some(id(hash)), "{name}");
    }
}

#[tokio::test]
async fn ticket_names_its_session_once() {
    for (name, vector) in vectors("tickets") {
        let keyspace = text(&vector["keyspace"]);
        let (sessions, store) = sessions(keyring(), keyspace);
        let (key, ticket) = (text(&vector["key"]), text(&vector["ticket"]));
        put(&store, &format!("{keyspace}{}", text(&vector["id"])), "{}").await;
        put(&store, key, text(&vector["value"])).await;
        let session = sessions.open_ticket(ticket).await.unwrap();
        assert_eq!(session.id(), Some(id(text(&vector["id"]))), "{name}");
        assert_eq!(store.load(key).await, Ok(None), "{name}");
        for corrupt in ["", ">", "{}", ">short", ID, ">0123456789abcdef\n"] {
            put(&store, key, corrupt).await;
            let error = sessions.open_ticket(ticket).await.unwrap_err();
            assert_eq!(reason(&error), "corrupt", "{corrupt:?}");
            assert_eq!(stored(&store, key).await.value, corrupt);
            assert_eq!(store.delete(key).await, Ok(true));
        }
    }
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn ticket_in_redis_equals_the_vector() {
    use jwt_redis_session::RedisStore;

    let redis = crate::support::redis_server::RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let sessions = Sessions::builder(store, keyring()).id_generator(|| id(ID));
    let session = sessions.build().unwrap().new_session();
    session.create().await.unwrap();
    let ticket = session.ticket().await.unwrap();

    let run = |command: &[&str]| redis.run(command);
    let keys: Vec<String> = redis::from_redis_value(run(&["KEYS", "sess::*"])).unwrap();
    let [key] = &keys[..] else { panic!("{keys:?}") };
    assert!(!key.contains(ticket.as_str()));
    let lengths = text(&vectors("tickets")["default"]["key"]).len();
    assert!(key.ends_with('>') && key.len() == lengths, "{key}");
    let value: String = redis::from_redis_value(run(&["GET", key])).unwrap();
    assert_eq!(value, format!(">{ID}"));
    let left: i64 = redis::from_redis_value(run(&["PTTL", key])).unwrap();
    assert!((1..=10_000).contains(&left), "{left}");
}

#[tokio::test]
async fn owner_indexes_have_the_names_in_the_vectors() {
    for (name, vector) in vectors("names") {
        let (sessions, store) = sessions(keyring(), text(&vector["keyspace"]));
        let session = sessions.new_session();
        session.set_owner(text(&vector["owner"])).unwrap();
        session.create().await.unwrap();
        let members = entries(&store, text(&vector["index"])).await;
        let members: Vec<_> = members.iter().map(|(member, _)| member.as_str()).collect();
        assert_eq!(members, [session.id().unwrap().as_str()], "{name}");
    }
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn scores_in_redis_equal_the_vectors() {
    use jwt_redis_session::RedisStore;

    let vectors = vectors("index");
    let (active, superseded) = (&vectors["active"], &vectors["superseded"]);
    let deleting = &vectors["deleting"];
    assert_eq!(superseded["time"], NOW);
    assert_eq!(deleting["time"], NOW);
    assert_eq!(active["time"], NOW + 86_400 + 60);
    let redis = crate::support::redis_server::RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let sessions = Sessions::builder(store.clone(), keyring())
        .clock(ManualClock::at(NOW))
        .id_generator(|| id(ID));
    let session = sessions.build().unwrap().new_session();
    session.set_owner("a:b").unwrap();
    session.create().await.unwrap();

    let run = |command: &[&str]| -> String { redis::from_redis_value(redis.run(command)).unwrap() };
    let index = "sess::YTpi=:";
    assert_eq!(run(&["ZSCORE", index, ID]), active["score"]);
    let superseding = store.index_supersede(index, ID, ID, NOW).await;
    assert_eq!(superseding, Ok(SupersedeOutcome::Superseded));
    assert_eq!(run(&["ZSCORE", index, ID]), superseded["score"]);
    let deletion = store.index_tombstone_all(index, None, NOW).await;
    assert_eq!(deletion, Ok(()));
    assert_eq!(run(&["ZSCORE", index, ID]), deleting["score"]);
    let record = r#"{"_jrs":[1700000000,"a:b"]}"#;
    assert_eq!(run(&["GET", KEY]), record);
    assert!(include_str!("../../FORMAT.md").contains(RedisStore::ACL_RULES));
    let scaling = include_str!("../../docs/guide/scaling.md");
    assert!(scaling.contains(RedisStore::ACL_RULES));
    #[cfg(feature = "cluster")]
    assert!(scaling.contains(RedisStore::CLUSTER_ACL_RULES));
    #[cfg(feature = "sentinel")]
    assert!(scaling.contains(RedisStore::SENTINEL_ACL_RULES));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn members_in_redis_equal_the_vectors() {
    use jwt_redis_session::RedisStore;

    let redis = crate::support::redis_server::RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    for (name, vector) in vectors("members") {
        let session_id = id(text(&vector["id"]));
        let sessions = Sessions::builder(store.clone(), keyring())
            .clock(ManualClock::at(NOW))
            .id_generator(move || session_id.clone());
        let sessions = sessions.build().unwrap();
        let session = sessions.new_session();
        session.set_owner(&name).unwrap();
        session.create().await.unwrap();

        let index = format!("sess::{name}:");
        let members = redis.run(&["ZRANGE", &index, "0", "-1"]);
        let members: Vec<Vec<u8>> = redis::from_redis_value(members).unwrap();
        let hex = |member: &Vec<u8>| member.iter().map(|byte| format!("{byte:02x}")).collect();
        let members: Vec<String> = members.iter().map(hex).collect();
        assert_eq!(members, [text(&vector["member"])], "{name}");
        let listed = sessions.list(&name).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|entry| entry.id().as_str()).collect();
        assert_eq!(listed, [text(&vector["id"])], "{name}");
        assert_eq!(sessions.destroy_all(&name).await, Ok(1), "{name}");
        let exists = redis.run(&["EXISTS", &index]);
        assert_eq!(exists, redis::Value::Int(0), "{name}");
    }
}

/// A block of `FORMAT.md` whose fence names a vector must equal that vector.
#[test]
fn format_md_quotes_the_vectors() {
    let text = include_str!("../../FORMAT.md");
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
