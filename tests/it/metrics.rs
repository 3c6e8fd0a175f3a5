//! The counters that operators see, through the `metrics` facade.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use jwt_redis_session::store::{SharedStore, StoreErrorKind};
use jwt_redis_session::testing::Faults;
use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, SessionError, Sessions};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tower::{Layer, ServiceExt, service_fn};

/// Runs `work` with a separate recorder and returns what it counted, by name and labels.
fn counted(work: impl Future<Output = ()>) -> BTreeMap<String, u64> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(work));
    let seen = snapshotter.snapshot().into_vec().into_iter();
    let counts = seen.map(|(key, _, _, value)| {
        let key = key.key();
        let name = key.name().strip_prefix("jwt_redis_session_");
        let labels = key.labels().map(|label| format!(" {}", label.value()));
        let name = name.expect("the prefix of the crate").to_owned() + &labels.collect::<String>();
        match value {
            DebugValue::Counter(count) => (name, count),
            DebugValue::Histogram(values) => (name, values.len() as u64),
            DebugValue::Gauge(_) => panic!("there is no gauge"),
        }
    });
    counts.collect()
}

fn sessions(store: impl Into<SharedStore>) -> Sessions {
    let keyring = Keyring::hs256("a secret of at least 32 random bytes").unwrap();
    Sessions::builder(store, keyring).build().unwrap()
}

/// Sends a JSON body through a layer.
async fn send(sessions: &Sessions, body: &'static str) {
    let layer = JwtRedisSession::new(sessions.clone());
    let service = layer.layer(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(()))
    }));
    let request = Request::post("/").header("content-type", "application/json");
    let request = request.body(Full::from(body)).unwrap();
    service.oneshot(request).await.unwrap();
}

/// Calls operations that may begin with a step on the owner's index, which is no operation.
async fn with_owner(sessions: &Sessions) {
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    session.create().await.unwrap();
    session.insert("theme", "dark").unwrap();
    session.update().await.unwrap();
    session.touch().await.unwrap();
    session.rotate().await.unwrap();
    assert_eq!(session.destroy_all().await, Ok(1));
}

#[test]
fn events_are_counted_by_kind() {
    let counts = counted(async {
        let faults = Faults::new();
        let sessions = sessions(faults.wrap(MemoryStore::new()));
        let token = sessions.new_session().create().await.unwrap();
        let session = sessions.open(token.as_str()).await.unwrap();
        let other = sessions.open(token.as_str()).await.unwrap();
        assert!(other.destroy().await.unwrap());
        assert_eq!(session.update().await, Err(SessionError::Gone));
        sessions.open(token.as_str()).await.unwrap_err();
        sessions.open("nonsense").await.unwrap_err();
        faults.fail_next(StoreErrorKind::ReadOnly, 1);
        sessions.open(token.as_str()).await.unwrap_err();
        faults.fail_next(StoreErrorKind::Timeout, 2);
        sessions.open(token.as_str()).await.unwrap_err();
        sessions.open(token.as_str()).await.unwrap_err();
        send(&sessions, "{").await;
        send(&sessions, "{}").await;
        with_owner(&sessions).await;
    });
    for (name, count) in [
        ("unsearched_bodies_total malformed", 1),
        ("loads_total", 6),
        ("hits_total", 2),
        ("rejections_total unknown", 1),
        ("rejections_total malformed", 1),
        ("gone_total update", 1),
        ("store_errors_total read_only", 1),
        ("store_errors_total timeout", 2),
        ("store_seconds load", 6),
        ("store_seconds create", 2),
        ("store_seconds update", 2),
    ] {
        assert_eq!(counts.get(name), Some(&count), "{name} in {counts:?}");
    }
    let operations = counts
        .keys()
        .filter_map(|name| name.strip_prefix("store_seconds "));
    // Cleanup runs in the background, so it may not have begun.
    let operations: Vec<_> = operations.filter(|name| *name != "cleanup").collect();
    let expected = "create destroy destroy_all load rotate touch update";
    assert_eq!(operations.join(" "), expected);
}
