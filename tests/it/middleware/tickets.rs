//! Tickets in the query.

use futures_util::FutureExt;
use jwt_redis_session::testing::Step;

use super::*;

fn layer(sessions: &Sessions) -> JwtRedisSession<jwt_redis_session::middleware::InHead> {
    let sources = TokenSources::headers_only().with(TokenSource::ticket("ticket"));
    JwtRedisSession::new(sessions.clone()).sources(sources)
}

/// The URI of a new ticket for the session of `token`.
async fn uri(sessions: &Sessions, token: &str) -> String {
    let session = sessions.open(token).await.unwrap();
    let ticket = session.ticket().await.unwrap();
    format!("/?a=1&ticket={}", ticket.as_str())
}

/// Answers as `describe` does, or with the status of an answer to a request without a session.
async fn required(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let lazy = LazySession::of(request.extensions()).expect("the layer is present");
    let state = lazy.load().await.state();
    let answer = SessionRejection::of(&state).map_or_else(
        || Response::new(Body::default()),
        |rejection| rejection.response(Body::default()),
    );
    let (mut head, body) = answer.into_parts();
    let seen = request.uri().query().unwrap_or_default().parse().unwrap();
    head.headers.insert("query", seen);
    Ok(Response::from_parts(head, body))
}

#[tokio::test]
async fn a_ticket_in_the_query_works_once() {
    let (faults, sessions) = sessions();
    let token = token(&sessions).await;
    for layer in [layer(&sessions), layer(&sessions).lazy()] {
        let service = layer.layer(service_fn(required));
        let call = async |request| service.clone().oneshot(request).await.unwrap();
        let uri = uri(&sessions, &token).await;
        for status in [200, 401, 401] {
            let answer = call(get(&uri, &[])).await;
            assert_eq!(answer.status(), status);
            assert_eq!(header(&answer, "query"), Some("a=1"));
            assert_eq!(header(&answer, "cache-control"), Some("no-store"));
            assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"));
        }
        // A token where a ticket is expected, and the reverse.
        assert_eq!(
            call(get(&format!("/?ticket={token}"), &[])).await.status(),
            401
        );
        let ticket = self::uri(&sessions, &token).await;
        let text = ticket.rsplit('=').next().unwrap();
        assert_eq!(call(with(text)).await.status(), 401);

        faults.fail_with(StoreErrorKind::Connection);
        assert_eq!(call(get(&ticket, &[])).await.status(), 503);
        faults.heal();
        assert_eq!(
            call(get(&ticket, &[])).await.status(),
            200,
            "it was not spent"
        );
    }
}

#[tokio::test]
async fn tickets_are_off_by_default_and_used_only_when_they_are_needed() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let uri = uri(&sessions, &token).await;
    let default = JwtRedisSession::new(sessions.clone()).layer(service_fn(describe));
    let answer = default.oneshot(get(&uri, &[])).await.unwrap();
    assert_eq!(header(&answer, "state"), Some("Absent"));
    assert_eq!(header(&answer, "query"), uri.split('?').nth(1));

    let unused = async |_: Request<Body>| Ok::<_, Infallible>(Response::new(()));
    let lazy = layer(&sessions).lazy().layer(service_fn(unused));
    lazy.oneshot(get(&uri, &[])).await.unwrap();
    // A header comes first.
    let service = layer(&sessions).layer(service_fn(describe));
    for (headers, state) in [
        (&[("x-access-token", &*token)][..], "Active"),
        (&[("x-access-token", "bad")], "malformed"),
        (&[], "Active"),
        (&[], "unknown"),
    ] {
        let answer = service.clone().oneshot(get(&uri, headers)).await.unwrap();
        assert_eq!(header(&answer, "state"), Some(state), "{headers:?}");
    }
}

/// The caller that spends the ticket is dropped in the middle; the next one gets the session.
#[tokio::test(start_paused = true)]
async fn a_lazy_session_is_opened_by_a_ticket_although_the_first_caller_is_dropped() {
    let (faults, sessions) = sessions();
    let token = token(&sessions).await;
    let service = layer(&sessions)
        .lazy()
        .layer(service_fn(async |request: Request<Body>| {
            let lazy = LazySession::of(request.extensions());
            Ok::<_, Infallible>(Response::new(lazy.expect("the layer is present")))
        }));
    let uri = uri(&sessions, &token).await;
    let lazy = service.oneshot(get(&uri, &[])).await.unwrap().into_body();
    assert!(!format!("{lazy:?}").contains(uri.rsplit('=').next().unwrap()));
    // The read of the session, after the ticket was read and spent.
    faults.on(Step::Load).after(1).delay(Duration::from_secs(1));
    let mut first = Box::pin(lazy.load());
    assert!(first.as_mut().now_or_never().is_none());
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(first);
    let [second, third] = [lazy.load().await, lazy.load().await];
    assert!(second.is_active(), "{:?}", second.state());
    assert_eq!(second.id(), third.id());
}
