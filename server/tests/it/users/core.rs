//! The same story, told through the core and through the door.

use std::time::Duration;

use jwt_redis_session::token::TokenFormat;
use jwt_redis_session::{OpaqueTokens, RedisStore, Session, Sessions};
use serde_json::json;

use super::{destroy, is_session_of, log_in};
use crate::service::Service;
use crate::support::redis_server::RedisServer;

on_every_store!(core_and_door_tell_the_same_story);

/// The core on the same store as the service.
pub(super) async fn core(
    service: &Service,
    keyspace: &str,
    tokens: impl Into<TokenFormat>,
) -> Sessions {
    let week = Duration::from_secs(7 * 86_400);
    let builder = match (&service.memory, &service.redis) {
        (Some(memory), _) => Sessions::builder(memory.clone(), tokens),
        (None, Some(redis)) => {
            let store = RedisStore::connect(&redis.url()).await.expect("Redis");
            Sessions::builder(store, tokens)
        }
        (None, None) => panic!("the service's store is not the test's"),
    };
    builder
        .keyspace(keyspace)
        .max_age(week)
        .build()
        .expect("sessions")
}

fn record(redis: &RedisServer, id: &str) -> serde_json::Value {
    let value = redis.run(&["GET", &format!("sessiond:user:{id}")]);
    let text: String = ::redis::from_redis_value(value).expect("a record");
    let mut record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    record["_jrs"]["created"] = json!("at some time");
    record
}

async fn core_and_door_tell_the_same_story(service: Service) {
    let core = core(&service, "sessiond:user:", OpaqueTokens::new()).await;

    let by_door = log_in(&service, "jo").await;
    let session = core.new_session();
    session.set_owner("jo").unwrap();
    let by_core = session.create().await.expect("created");

    let opened = core.open(&by_door).await.expect("the door's session");
    assert_eq!(opened.owner().as_deref(), Some("jo"));
    assert_eq!(opened.to_json(), session.to_json());
    let end = |session: &Session| session.expires_at().expect("an end");
    let apart = end(&session).duration_since(end(&opened));
    let apart = apart.unwrap_or_else(|error| error.duration());
    assert!(apart < Duration::from_secs(10), "{apart:?}");
    assert!(is_session_of(&service, by_core.as_str(), "jo").await);
    let listed = core.list("jo").await.expect("a list");
    assert_eq!(listed.len(), 2);
    let shown = |at: usize| {
        (
            listed[at].data().to_json(),
            listed[at].created_at().is_some(),
        )
    };
    assert_eq!(shown(0), (json!({}), true));
    assert_eq!(shown(1), shown(0));
    if let Some(redis) = &service.redis {
        let expected = json!({ "_jrs": { "owner": "jo", "created": "at some time" } });
        for entry in listed {
            assert_eq!(record(redis, entry.id().as_str()), expected);
        }
    }

    assert!(session.destroy().await.expect("destroyed"));
    assert!(!is_session_of(&service, by_core.as_str(), "jo").await);
    assert_eq!(destroy(&service, &by_door, "jo").await.0, 200);
    assert_eq!(core.list("jo").await.expect("a list").len(), 0);

    let by_door = log_in(&service, "jo").await;
    assert_eq!(core.destroy_all("jo").await.expect("destroyed"), 1);
    assert!(!is_session_of(&service, &by_door, "jo").await);
}
