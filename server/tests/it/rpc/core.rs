//! The same story told through the core and through the door.

use serde_json::{Value, json};

use super::caller::{active, core, create, destroy, get_all, id, update};
use crate::service::Service;

on_every_store!(the_core_and_the_door_read_what_each_other_wrote);

#[tokio::test]
async fn the_same_story_gives_the_same_records() {
    let (through_core, through_door) = (Service::redis().await, Service::redis().await);

    let sessions = core(&through_core, "v1");
    let session = sessions.new_session();
    session.insert("name", "jo").expect("insert");
    session.insert("n", 1).expect("insert");
    session.set_owner("jo").unwrap();
    session.create().await.expect("a token");
    session.insert("n", 2).expect("insert");
    session.insert("list", [1, 2]).expect("insert");
    session.update().await.expect("update");

    let token = create(&through_door, "jo", json!({ "name": "jo", "n": 1 })).await;
    update(&through_door, &token, json!({ "n": 2, "list": [1, 2] })).await;

    let of_core = records(&through_core);
    assert_eq!(of_core.len(), 1);
    assert_eq!(of_core, records(&through_door));
    let names = |service: &Service, id: &str| {
        let mut names = service.keys();
        names
            .iter_mut()
            .for_each(|name| *name = name.replace(id, "ID"));
        names.sort();
        names
    };
    let core_id = session.id().expect("an id");
    let door_id = id(&through_door, &token);
    assert_eq!(
        names(&through_core, core_id.as_str()),
        names(&through_door, door_id.as_str())
    );

    session.destroy().await.expect("destroy");
    destroy(&through_door, &token).await;
    assert_eq!(records(&through_core), records(&through_door));
}

/// The records of a Redis, without the times at which they were made.
fn records(service: &Service) -> Vec<Value> {
    let redis = service.redis.as_ref().expect("a Redis");
    let text = |key: &String| -> Option<String> {
        ::redis::from_redis_value(redis.command(&["GET", key]).ok()?).ok()
    };
    let parse = |text: String| -> Value {
        let mut record: Value = serde_json::from_str(&text).expect("JSON");
        let created = record["_jrs"]
            .as_object_mut()
            .expect("ours")
            .remove("created");
        assert!(created.is_some_and(|created| created.is_i64()));
        record
    };
    service.keys().iter().filter_map(text).map(parse).collect()
}

async fn the_core_and_the_door_read_what_each_other_wrote(service: Service) {
    let app = core(&service, "v1");
    let token = create(&service, "jo", json!({ "by": "door", "claims": [1] })).await;
    let session = app.open(&token).await.expect("a session");
    assert_eq!(session.owner().as_deref(), Some("jo"));
    assert_eq!(session.to_json(), json!({ "by": "door", "~claims": [1] }));
    session.insert("and", "core").expect("insert");
    session.update().await.expect("update");
    let both = json!({ "by": "door", "claims": [1], "and": "core" });
    assert_eq!(get_all(&service, &token).await, both);

    let session = app.new_session();
    session.insert("by", "core").expect("insert");
    session.set_owner("jo").unwrap();
    let token = session.create().await.expect("a token");
    let listed = active(&service, "jo").await;
    assert_eq!(listed.len(), 2);
    assert_eq!(app.list("jo").await.expect("a list").len(), 2);
    assert_eq!(destroy(&service, token.as_str()).await.0, 200);
    assert!(app.open(token.as_str()).await.is_err());
    assert_eq!(app.destroy_all("jo").await, Ok(1));
    assert!(active(&service, "jo").await.is_empty());
}
