//! Metadata at the limits of what a record can hold, as another program may write it.

use http::{Request, Response};
use jwt_redis_session::endpoints::{ClientSecrets, Introspection};
use jwt_redis_session::middleware::CsrfCheckedElsewhere;
use jwt_redis_session::{JwtRedisSession, SessionCookie};
use tower::{ServiceBuilder, ServiceExt as _};

use super::*;

const NOW: i64 = 1_700_000_000;

fn metadata() -> impl Iterator<Item = Value> {
    let times = [i64::MIN, -1, 0, NOW, (1 << 53) + 1, i64::MAX];
    let times = times.map(Value::from).into_iter().chain([Value::Null]);
    let ages = [json!(1), json!(u32::MAX), Value::Null];
    times.clone().flat_map(move |one| {
        let (times, ages) = (times.clone(), ages.clone());
        ages.into_iter().flat_map(move |max_age| {
            let (one, times) = (one.clone(), times.clone());
            times.map(move |two| json!([one, "jo", two, "n", max_age, one]))
        })
    })
}

fn lifetimes() -> [(Lifetime, Touch); 3] {
    let (idle, absolute) = (Duration::from_secs(60), Duration::from_secs(3600));
    [
        (Lifetime::Idle(idle), Touch::EveryRead),
        (Lifetime::Absolute(absolute), Touch::Never),
        (Lifetime::Both { idle, absolute }, Touch::After(idle)),
    ]
}

/// Uses a session in every way, whatever comes of it.
async fn use_it(sessions: &Sessions, id: &SessionId) -> Option<Token> {
    let session = sessions.get(id).await.ok()?;
    let times = [session.created_at(), session.expires_at()];
    let times = times.into_iter().chain([session.absolute_expiry()]);
    times.chain([session.authenticated_at()]).for_each(drop);
    assert!(session.max_age() <= Some(Duration::from_secs(u32::MAX.into())));
    assert!(session.remaining() <= Some(Duration::from_secs(100 * 365 * 86_400)));
    let _ = session.is_authenticated_within(Duration::MAX);
    for operation in ["touch", "touch_for", "keep_alive", "list"] {
        let _ = run(operation, &session).await;
    }
    session.set_absolute_expiry(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 55));
    session.insert("b", 2).unwrap();
    let _ = session.update().await;
    let _ = session.rotate().await;
    let _ = session.reauthenticated().await;
    let token = session.login("jo").await.ok()?;
    assert_eq!(session.owner().as_deref(), Some("jo"));
    Some(token)
}

#[tokio::test]
async fn no_metadata_make_an_operation_panic() {
    let keyring = || Keyring::hs256("a secret of at least 32 random bytes").unwrap();
    for seconds in [-1, 0, NOW, 1 << 54] {
        let clock = ManualClock::at(seconds);
        for (lifetime, touch) in lifetimes() {
            for meta in metadata() {
                let store = MemoryStore::new();
                let id = SessionId::parse("a-chosen-id-of-another-program").unwrap();
                let text = format!(r#"{{"_jrs":{meta},"a":1}}"#);
                let key = format!("sess:{}", id.as_str());
                let record = NewRecord::new(&key, text.as_bytes(), Duration::from_secs(600));
                assert_eq!(store.insert(record).await, Ok(true));
                let sessions = Sessions::builder(store, keyring()).lifetime(lifetime);
                let sessions = sessions.touch(touch).clock(clock.clone()).auth_time_claim();
                let sessions = sessions.build().unwrap();
                let Some(token) = use_it(&sessions, &id).await else {
                    continue;
                };
                let secrets = ClientSecrets::new(["x".repeat(32)]).unwrap();
                let introspection = Introspection::new([sessions.clone()], secrets);
                introspection.introspect(token.as_str()).await.unwrap();
                let cookie = SessionCookie::new("s").persistent();
                let (_, layer) = JwtRedisSession::new(sessions)
                    .headers_only()
                    .cookie(cookie, CsrfCheckedElsewhere)
                    .unwrap();
                let handler = async |request: Request<()>| {
                    let session = request.extensions().get::<Session>().unwrap().clone();
                    let _ = session.rotate().await;
                    Ok::<_, std::convert::Infallible>(Response::new(()))
                };
                let request =
                    Request::get("/").header("cookie", format!("__Host-s={}", token.as_str()));
                let service = ServiceBuilder::new().layer(layer).service_fn(handler);
                let _ = service.oneshot(request.body(()).unwrap()).await.unwrap();
            }
        }
    }
}
