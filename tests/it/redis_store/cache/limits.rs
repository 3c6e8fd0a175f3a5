//! The limits of the cache, and where it cannot be.

use super::*;

#[tokio::test]
async fn number_and_bytes_are_limited() {
    let server = RedisServer::start();
    let value = [b'v'; 1000];
    for (cache, most) in [
        (bounded().max_entries(10), 10),
        (bounded().max_bytes(22_000), 11),
    ] {
        let cached = with_cache(&server.url(), cache).await;
        let mut seen = 0;
        for _ in 0..50 {
            let key = crate::support::unique("k");
            assert_eq!(cached.insert(record(&key, &value)).await, Ok(true));
            load(&cached, &key).await;
            let stats = stats(&cached);
            assert!(stats.entries <= most && stats.bytes <= 22_000, "{stats:?}");
            seen = seen.max(stats.entries);
        }
        assert_eq!(seen, most);
    }
}

#[tokio::test]
async fn without_a_bound_there_is_no_cache() {
    let server = RedisServer::start();
    let store = with_cache(&server.url(), Cache::new().max_staleness(Duration::ZERO)).await;
    assert_eq!(store.cache_stats(), None);
    assert_eq!(load(&store, "k").await, None);
}

#[cfg(feature = "cluster")]
#[test]
fn a_cluster_is_refused() {
    let config = RedisConfig::new("redis-cluster://127.0.0.1:7000").cache(Cache::new());
    let error = config.lazy().expect_err("a cluster");
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    assert!(error.to_string().contains("RedisConfig::cache"), "{error}");
}
