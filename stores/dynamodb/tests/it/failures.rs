//! Errors, throttling, lost answers and outages.

use std::error::Error as _;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use jwt_redis_session::store::cas::CasBackend as _;
use jwt_redis_session::store::{StoreError, StoreErrorKind as Kind};
use jwt_redis_session_dynamodb::DynamoDb;
use test_support::proxy::Proxy;

use crate::emulator::{Emulator, backend};
use crate::front::{Fault, Front};

const TTL: Duration = Duration::from_secs(60);
const NEW: Option<(&[u8], Duration)> = Some((b"value", TTL));

fn kind<T>(answer: Result<T, StoreError>) -> Option<Kind> {
    answer.err().map(|error| error.kind())
}

#[tokio::test]
async fn errors_are_mapped_and_permanent_ones_are_not_repeated() {
    let emulator = Emulator::start().await;
    let front = Front::of(emulator.url()).await;
    let backend = backend(&front.url);
    for (status, code, expected) in [
        (400, "AccessDeniedException", Kind::Permission),
        (400, "UnrecognizedClientException", Kind::Auth),
        (400, "ExpiredTokenException", Kind::Auth),
        (400, "InvalidSignatureException", Kind::Auth),
        (400, "ResourceNotFoundException", Kind::Configuration),
        (400, "ValidationException", Kind::Configuration),
        (400, "ItemCollectionSizeLimitExceededException", Kind::Other),
        (404, "", Kind::Protocol),
    ] {
        front.fail([Fault::Error(status, code)]);
        let error = backend.get("key").await.unwrap_err();
        assert_eq!(error.kind(), expected, "{code}");
        let text = format!(
            "{error} {error:?} {:?}",
            error.source().map(ToString::to_string)
        );
        assert!(text.contains(code) && !text.contains("secret"), "{text}");
        front.fail([Fault::Error(status, code)]);
        assert_eq!(kind(backend.swap("key", None, NEW).await), Some(expected));
        assert_eq!(front.actions().values().sum::<usize>(), 2, "{code}");
    }
}

#[tokio::test]
async fn throttled_requests_are_repeated_three_times() {
    let emulator = Emulator::start().await;
    let front = Front::of(emulator.url()).await;
    let backend = backend(&front.url);
    for (code, expected) in [
        ("ProvisionedThroughputExceededException", Kind::Overloaded),
        ("ThrottlingException", Kind::Overloaded),
        ("RequestLimitExceeded", Kind::Overloaded),
        ("TransactionConflictException", Kind::Contention),
    ] {
        let throttled = Fault::Error(400, code);
        front.fail([throttled; 3]);
        assert_eq!(backend.swap(code, None, NEW).await, Ok(true));
        front.fail([throttled; 3]);
        assert!(backend.get(code).await.unwrap().is_some());
        assert_eq!(front.actions().values().sum::<usize>(), 8);
        front.fail([throttled; 8]);
        assert_eq!(kind(backend.get(code).await), Some(expected));
        assert_eq!(
            kind(backend.swap(code, Some(b"value"), None).await),
            Some(expected)
        );
        assert_eq!(front.actions().values().sum::<usize>(), 8);
    }
}

/// A second attempt would find the item of the first one, and report that the key is taken.
#[tokio::test]
async fn a_write_that_may_have_been_applied_is_not_repeated() {
    let emulator = Emulator::start().await;
    let front = Front::of(emulator.url()).await;
    let backend = backend(&front.url);
    for (n, (fault, expected)) in [
        (
            Fault::ErrorAfter(500, "InternalServerError"),
            Kind::Overloaded,
        ),
        (
            Fault::ErrorAfter(503, "ServiceUnavailable"),
            Kind::Overloaded,
        ),
        (Fault::LoseAnswer, Kind::Timeout),
    ]
    .into_iter()
    .enumerate()
    {
        let key = n.to_string();
        front.fail([fault]);
        assert_eq!(kind(backend.swap(&key, None, NEW).await), Some(expected));
        assert_eq!(front.actions()["PutItem"], 1);
        assert!(emulator.item(&key).await.is_some());
        front.fail([fault]);
        let delete = backend.swap(&key, Some(b"value"), None);
        assert_eq!(kind(delete.await), Some(expected));
        assert_eq!(front.actions()["DeleteItem"], 1);
        assert!(emulator.item(&key).await.is_none());
    }
}

#[tokio::test]
async fn a_read_that_failed_is_repeated() {
    let emulator = Emulator::start().await;
    let front = Front::of(emulator.url()).await;
    let backend = backend(&front.url);
    backend.swap("key", None, NEW).await.unwrap();
    for fault in [
        Fault::Error(500, "InternalServerError"),
        Fault::Answer("not JSON"),
    ] {
        front.fail([fault; 3]);
        assert!(backend.get("key").await.unwrap().is_some(), "{fault:?}");
        front.fail([fault; 4]);
        assert!(backend.get("key").await.is_err(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_reported() {
    let emulator = Emulator::start().await;
    let proxy = Proxy::to(emulator.address()).await;
    let backend = backend(&proxy.url().replace("redis:", "http:"));
    proxy.cut_replies_after(Some(0));
    assert_eq!(
        kind(backend.swap("key", None, NEW).await),
        Some(Kind::Connection)
    );
    assert!(emulator.item("key").await.is_some());
    proxy.cut_replies_after(None);
    assert!(backend.get("key").await.unwrap().is_some());
    // A read is repeated on another connection.
    proxy.reset_open();
    assert!(backend.get("key").await.unwrap().is_some());
}

#[tokio::test]
async fn every_call_ends_within_the_deadline() {
    let emulator = Emulator::start().await;
    let proxy = Proxy::to(emulator.address()).await;
    let backend = backend(&proxy.url().replace("redis:", "http:"));
    proxy.blackhole(true);
    for deadline in [100, 1000].map(Duration::from_millis) {
        let backend = backend.clone().deadline(deadline);
        let since = Instant::now();
        assert_eq!(kind(backend.get("key").await), Some(Kind::Timeout));
        assert_eq!(
            kind(backend.swap("key", None, NEW).await),
            Some(Kind::Timeout)
        );
        assert_eq!(kind(backend.ping().await), Some(Kind::Timeout));
        let elapsed = since.elapsed();
        assert!(
            (deadline * 3..deadline * 5).contains(&elapsed),
            "{elapsed:?}"
        );
    }
    proxy.blackhole(false);
    assert_eq!(backend.ping().await, Ok(()));
}

#[tokio::test]
async fn a_client_that_is_not_configured_is_reported() {
    let nothing = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nothing.local_addr().expect("an address");
    drop(nothing);
    assert_eq!(
        kind(backend(&format!("http://{address}")).ping().await),
        Some(Kind::Connection)
    );

    let config = Config::builder().behavior_version(BehaviorVersion::v2026_01_12());
    let url = format!("http://{address}");
    let no_region = config
        .clone()
        .credentials_provider(Credentials::for_tests());
    let no_credentials = config.region(Region::new("eu-central-1")).endpoint_url(url);
    for config in [no_region, no_credentials] {
        let backend = DynamoDb::new(&Client::from_conf(config.build()), "sessions");
        let error = backend.ping().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration, "{error}");
    }
}
