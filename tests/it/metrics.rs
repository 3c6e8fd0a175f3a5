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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(work));
    let seen = snapshotter.snapshot().into_vec();
    let name = |key: &metrics::Key| {
        let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
        [key.name(), " ", &labels.join(",")]
            .concat()
            .trim_end()
            .to_owned()
    };
    let value = |value| match value {
        DebugValue::Counter(count) => count,
        DebugValue::Histogram(values) => values.len() as u64,
        DebugValue::Gauge(_) => panic!("there is no gauge"),
    };
    seen.into_iter()
        .map(|(key, _, _, seen)| (name(key.key()), value(seen)))
        .collect()
}

fn sessions(store: impl Into<SharedStore>) -> Sessions {
    let keyring = Keyring::hs256("a secret of at least 32 random bytes").unwrap();
    Sessions::builder(store, keyring).build().unwrap()
}

#[test]
fn loads_hits_rejections_and_losses_are_counted() {
    let counts = counted(async {
        let sessions = sessions(MemoryStore::new());
        let token = sessions.new_session().create().await.unwrap();
        let session = sessions.open(token.as_str()).await.unwrap();
        let other = sessions.open(token.as_str()).await.unwrap();
        assert!(other.destroy().await.unwrap());
        assert_eq!(session.update().await, Err(SessionError::Gone));
        sessions.open(token.as_str()).await.unwrap_err();
        sessions.open("nonsense").await.unwrap_err();
    });
    let expected = [
        ("jwt_redis_session_loads_total", 3),
        ("jwt_redis_session_hits_total", 2),
        ("jwt_redis_session_rejections_total unknown", 1),
        ("jwt_redis_session_rejections_total malformed", 1),
        ("jwt_redis_session_gone_total update", 1),
        ("jwt_redis_session_store_seconds load", 3),
        ("jwt_redis_session_store_seconds create", 1),
        ("jwt_redis_session_store_seconds destroy", 1),
        ("jwt_redis_session_store_seconds update", 1),
    ];
    for (name, count) in expected {
        assert_eq!(counts.get(name), Some(&count), "{name} in {counts:?}");
    }
}

/// The store writes the entry in the owner's index first, whatever the operation is.
#[test]
fn latency_is_labelled_by_operation_not_by_the_first_step() {
    let counts = counted(async {
        let session = sessions(MemoryStore::new()).new_session();
        session.set_owner("jo").unwrap();
        session.create().await.unwrap();
        session.insert("theme", "dark").unwrap();
        session.update().await.unwrap();
        session.touch().await.unwrap();
        session.rotate().await.unwrap();
        assert_eq!(session.destroy_all().await, Ok(1));
    });
    let prefix = "jwt_redis_session_store_seconds ";
    let latencies = counts.keys().filter_map(|name| name.strip_prefix(prefix));
    // Cleanup runs in the background, so it may not have begun.
    let latencies = latencies.filter(|operation| *operation != "cleanup");
    let expected = ["create", "destroy_all", "rotate", "touch", "update"];
    assert_eq!(latencies.collect::<Vec<_>>(), expected);
    assert_eq!(
        counts[&format!("{prefix}update")],
        1,
        "one call: {counts:?}"
    );
}

#[test]
fn unsearched_bodies_are_counted_by_reason() {
    let counts = counted(async {
        let layer = JwtRedisSession::new(sessions(MemoryStore::new()));
        let service = layer.layer(service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(()))
        }));
        for body in ["{", "{}"] {
            let request = Request::post("/").header("content-type", "application/json");
            let request = request.body(Full::from(body)).unwrap();
            service.clone().oneshot(request).await.unwrap();
        }
    });
    let name = "jwt_redis_session_unsearched_bodies_total malformed";
    assert_eq!(counts.get(name), Some(&1), "{counts:?}");
    assert_eq!(counts.len(), 1, "{counts:?}");
}

#[test]
fn store_errors_are_counted_by_kind() {
    let counts = counted(async {
        let faults = Faults::new();
        let sessions = sessions(faults.wrap(MemoryStore::new()));
        let token = sessions.new_session().create().await.unwrap();
        faults.fail_next(StoreErrorKind::ReadOnly, 1);
        sessions.open(token.as_str()).await.unwrap_err();
        faults.fail_next(StoreErrorKind::Timeout, 2);
        sessions.open(token.as_str()).await.unwrap_err();
        sessions.open(token.as_str()).await.unwrap_err();
    });
    let name = "jwt_redis_session_store_errors_total";
    assert_eq!(
        counts.get(&format!("{name} read_only")),
        Some(&1),
        "{counts:?}"
    );
    assert_eq!(
        counts.get(&format!("{name} timeout")),
        Some(&2),
        "{counts:?}"
    );
}
