//! The indexes of owners.

use super::*;

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
    assert!(include_str!("../../../FORMAT.md").contains(RedisStore::ACL_RULES));
    let guide = include_str!("../../../docs/guide/running_redis.md");
    assert!(guide.contains(RedisStore::ACL_RULES));
    #[cfg(feature = "cluster")]
    assert!(guide.contains(RedisStore::CLUSTER_ACL_RULES));
    #[cfg(feature = "sentinel")]
    assert!(guide.contains(RedisStore::SENTINEL_ACL_RULES));
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
