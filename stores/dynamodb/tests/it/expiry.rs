//! Items that DynamoDB has not deleted yet. The emulator never deletes any.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::types::AttributeValue;
use jwt_redis_session::store::cas::CasBackend as _;
use serde_json::Value;

use crate::emulator::{Emulator, client};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(60);

fn number(item: &AttributeValue) -> u64 {
    item.as_n().expect("a number").parse().expect("an integer")
}

#[tokio::test]
async fn an_expired_item_in_the_table_is_absent() {
    let emulator = Emulator::start().await;
    let backend = emulator.backend();
    for key in ["read", "replaced", "deleted", "new"] {
        assert_eq!(
            backend.swap(key, None, Some((b"old", SHORT))).await,
            Ok(true)
        );
    }
    tokio::time::sleep(SHORT * 2).await;
    let new = Some((&b"new"[..], LONG));
    assert_eq!(backend.get("read").await, Ok(None));
    assert_eq!(backend.swap("replaced", Some(b"old"), new).await, Ok(false));
    assert_eq!(backend.swap("deleted", Some(b"old"), None).await, Ok(false));
    for key in ["read", "replaced", "deleted"] {
        assert!(emulator.item(key).await.is_some(), "{key}");
    }
    assert_eq!(backend.swap("new", None, new).await, Ok(true));
    let found = backend.get("new").await.unwrap().unwrap();
    assert_eq!(found.value, "new");
}

#[tokio::test]
async fn an_item_is_absent_from_its_time_on_whoever_wrote_it() {
    let emulator = Emulator::start().await;
    let backend = emulator.backend();
    backend
        .swap("key", None, Some((b"value", LONG)))
        .await
        .unwrap();
    let mut item = emulator.item("key").await.unwrap();
    // As if another process had written it with a time to live that has just passed.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = AttributeValue::N(now.as_millis().to_string());
    item.insert("expires_ms".to_owned(), now);
    let put = client(&emulator.url()).put_item().table_name("sessions");
    put.set_item(Some(item)).send().await.unwrap();
    assert_eq!(backend.get("key").await, Ok(None));
}

#[tokio::test]
async fn the_ttl_attribute_is_in_seconds_and_never_early() {
    let emulator = Emulator::start().await;
    let backend = emulator.backend();
    backend
        .swap("key", None, Some((b"value", LONG)))
        .await
        .unwrap();
    let ttl: Value = serde_json::from_str(include_str!("../../ttl.json")).unwrap();
    let attribute = ttl["TimeToLiveSpecification"]["AttributeName"].as_str();
    let item = emulator.item("key").await.unwrap();
    let seconds = number(&item[attribute.expect("a name")]);
    let millis = number(&item["expires_ms"]);
    assert_eq!(seconds, millis.div_ceil(1000));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert!((now + 50..=now + 61).contains(&seconds));
}
