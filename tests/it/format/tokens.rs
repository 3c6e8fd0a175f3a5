//! Tokens and tickets.

use super::*;

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
