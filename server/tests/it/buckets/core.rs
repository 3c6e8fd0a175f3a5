//! The same story told through the core and through this door.

use jwt_redis_session::{Keyring, SessionId, Sessions};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::buckets::bucket::{Bucket, MONTH, status, store, stored};
use crate::service::{SECRET, Service};

on_every_store!(
    the_core_and_the_door_write_the_same_records,
    each_reads_what_the_other_wrote,
);

fn core(service: &Service) -> Sessions {
    let store = store(service);
    let keyring = Keyring::hs256(SECRET).expect("a key ring");
    let builder = Sessions::builder(store, keyring).keyspace("sessiond:bucket:");
    builder.max_age(MONTH).build().expect("sessions")
}

fn id(uuid: &str) -> SessionId {
    SessionId::parse(format!("shop-{uuid}")).expect("an id")
}

/// The record under `uuid`, without what differs from one session to the next.
async fn record(service: &Service, uuid: &str) -> Value {
    let key = format!("sessiond:bucket:shop-{uuid}");
    let stored = stored(service, &key).await.expect("a record");
    assert!(stored.ttl.expect("an end") > MONTH - std::time::Duration::from_secs(60));
    let mut record: Value = serde_json::from_slice(&stored.value).expect("JSON");
    let ours = record["_jrs"].as_object_mut().expect("what is ours");
    for value in ours.values_mut() {
        *value = Value::Null;
    }
    record
}

async fn the_core_and_the_door_write_the_same_records(service: Service) {
    let (bucket, core) = (Bucket::new(&service, "shop").await, core(&service));
    let (by_door, by_core) = (
        bucket.create(&json!({ "a": 1 })).await,
        Uuid::new_v4().to_string(),
    );
    let session = core.new_session();
    session.insert("data", json!({ "a": 1 })).expect("data");
    session.create().id(id(&by_core)).await.expect("create");
    assert_eq!(
        record(&service, &by_door).await,
        record(&service, &by_core).await
    );

    assert_eq!(status(bucket.post(&by_door, &json!([2]))).await, 200);
    let written = session
        .update_with(|data| data.insert("data", json!([2])))
        .await;
    written.expect("update");
    assert_eq!(
        record(&service, &by_door).await,
        record(&service, &by_core).await
    );

    assert_eq!(status(bucket.delete(&by_door)).await, 200);
    assert!(session.destroy().await.expect("destroy"));
    for uuid in [by_door, by_core] {
        assert!(stored(&service, &bucket.record(&uuid)).await.is_none());
    }
}

async fn each_reads_what_the_other_wrote(service: Service) {
    let (bucket, core) = (Bucket::new(&service, "shop").await, core(&service));
    let by_core = Uuid::new_v4().to_string();
    let session = core.new_session();
    session.insert("data", "of the core").expect("data");
    session.create().id(id(&by_core)).await.expect("create");
    assert_eq!(bucket.data(&by_core).await, "of the core");
    assert_eq!(
        status(bucket.post(&by_core, &json!("of the door"))).await,
        200
    );
    let read = core
        .get_without_touch(&id(&by_core))
        .await
        .expect("the session");
    assert_eq!(read.to_json(), json!({ "data": "of the door" }));
    assert_eq!(read.owner(), None);
    assert!(core.destroy(&id(&by_core)).await.expect("destroy"));
    assert_eq!(status(bucket.get(&by_core)).await, 404);
    assert_eq!(status(bucket.post(&by_core, &json!(1))).await, 404);

    let by_door = bucket.create(&json!(1)).await;
    assert_eq!(status(bucket.delete(&by_door)).await, 200);
    assert!(core.get_without_touch(&id(&by_door)).await.is_err());
}
