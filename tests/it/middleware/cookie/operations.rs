//! What sets the cookie, what clears it, and what does not.

use super::*;

#[tokio::test]
async fn operations_set_and_clear_the_cookie() {
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions.clone());
    let table = "
        /static => none
        /state => none
        /create => set
        /no-token => none
        /login => set
        /login-logout => none
        /static | COOKIE=LIVE => none
        /state | COOKIE=LIVE => none
        /login | COOKIE=LIVE => set
        /login | COOKIE=LIVE, SCRIPT => set
        /rotate | COOKIE=LIVE => set
        /upgrade | COOKIE=LIVE => set
        /logout | COOKIE=LIVE => cleared
        /logout | COOKIE=LIVE, SCRIPT => cleared
        /destroy-all | COOKIE=LIVE => cleared
        /login-logout | COOKIE=LIVE => cleared
        /logout-login | COOKIE=LIVE => set
    ";
    let eager = with_cookie(layer.clone()).layer(service_fn(operate));
    check(&sessions, eager, table).await;
    let lazy = with_cookie(layer.lazy()).layer(service_fn(operate));
    check(&sessions, lazy, table).await;
}

/// A script's request that was sent before a login must not clear the cookie of that login.
#[tokio::test]
async fn a_dead_token_is_cleared_when_a_page_is_opened() {
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions.clone());
    let table = "
        /state | COOKIE=DEAD => cleared
        /state | COOKIE=DEAD, PAGE => cleared
        /state | COOKIE=DEAD, SCRIPT => none
        /rotate | COOKIE=DEAD => cleared
        /static | COOKIE=bad => cleared
        /static | COOKIE=bad, SCRIPT => none
        /logout | COOKIE=DEAD, SCRIPT => cleared
        /login | COOKIE=DEAD => set
        /login | COOKIE=bad, SCRIPT => set
        /state | COOKIE=DEAD; __Host-session=LIVE => none
        /state | COOKIE= => none
        /state | cookie: session=LIVE => none
    ";
    let eager = with_cookie(layer.clone()).layer(service_fn(operate));
    check(&sessions, eager.clone(), table).await;
    check(&sessions, eager, "/static | COOKIE=DEAD => cleared").await;
    let lazy = with_cookie(layer.lazy()).layer(service_fn(operate));
    check(&sessions, lazy.clone(), table).await;
    // It is not loaded.
    check(&sessions, lazy, "/static | COOKIE=DEAD => none").await;
}

#[tokio::test]
async fn clients_with_a_token_elsewhere_get_no_cookie() {
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions.clone());
    let service = with_cookie(layer).layer(service_fn(operate));
    let table = "
        /login | x-access-token: LIVE => none
        /rotate | authorization: Bearer LIVE => none
        /logout | x-access-token: LIVE => none
        /state | x-access-token: bad => none
        /login | x-access-token: bad => none
        /rotate | x-access-token: LIVE, COOKIE=OTHER => none
        /state | x-access-token: LIVE, COOKIE=DEAD => none
        /logout | x-access-token: LIVE, COOKIE=OTHER => none
        /rotate?accessToken=LIVE => none
        /state?accessToken=DEAD => none
        /rotate?accessToken=DEAD | COOKIE=LIVE => set
        /rotate | | accessToken=LIVE => none
        /login | | accessToken=bad => none
        /login | | a=1 => set
        /rotate | COOKIE=LIVE | accessToken=DEAD => set
    ";
    check(&sessions, service, table).await;
}

#[tokio::test]
async fn an_outage_clears_nothing() {
    let (faults, sessions) = sessions();
    let layer = with_cookie(JwtRedisSession::new(sessions.clone()));
    let service = layer.layer(service_fn(operate));
    let cookie = format!("{HOST}={}", owned(&sessions).await);
    for path in ["/state", "/rotate", "/logout", "/destroy-all"] {
        faults.fail_with(StoreErrorKind::Connection);
        let request = get(path, &[("cookie", &cookie)]);
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(set_cookies(&response), [""; 0], "{path}");
        faults.heal();
    }
    let request = get("/rotate", &[("cookie", &cookie)]);
    let response = service.oneshot(request).await.unwrap();
    assert!(pair(&response, HOST).is_some_and(|pair| !pair.is_empty()));
}

/// The loser finds its session gone, and its response may arrive last.
#[tokio::test]
async fn of_two_logins_the_loser_does_not_clear_the_cookie_of_the_winner() {
    let (_, sessions) = sessions();
    let layer = with_cookie(JwtRedisSession::new(sessions.clone()));
    // A form that is sent twice is a navigation.
    for mode in ["cors", "navigate"] {
        let cookie = format!("{HOST}={}", owned(&sessions).await);
        let service = layer
            .clone()
            .layer(service_fn(async |request: Request<Body>| {
                let session = session(&request);
                // Another request wins after this one has loaded the session.
                let token = request.headers()["cookie"].to_str().unwrap();
                let winner = sessions.open(token.split_once('=').unwrap().1).await;
                winner.unwrap().rotate().await.unwrap();
                let lost = session.login("jo").await;
                assert_eq!(lost.unwrap_err(), jwt_redis_session::SessionError::Gone);
                Ok::<_, Infallible>(Response::new(()))
            }));
        let headers = [("cookie", &*cookie), ("sec-fetch-mode", mode)];
        let response = service.oneshot(get("/", &headers)).await.unwrap();
        assert_eq!(set_cookies(&response), [""; 0], "{mode}");
    }
}

/// Until the browser opens a page, it keeps the cookie from before the login.
#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_during_a_login_keeps_a_dead_cookie() {
    let (faults, sessions) = sessions();
    let layer = with_cookie(JwtRedisSession::new(sessions.clone()));
    let service = layer.layer(service_fn(operate));
    let cookie = format!("{HOST}={}", owned(&sessions).await);
    let headers = [("cookie", &*cookie)];
    faults.delay(Duration::from_millis(10));
    let login = service.clone().oneshot(get("/login", &headers));
    // The session is loaded, and the rotation has begun.
    let left = tokio::time::timeout(Duration::from_millis(15), login).await;
    assert!(left.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    faults.heal();
    // The login has run to completion.
    assert_eq!(sessions.list("jo").await.unwrap().len(), 1);
    let response = service.oneshot(get("/state", &headers)).await.unwrap();
    assert_eq!(pair(&response, HOST).as_deref(), Some(""));
}

#[tokio::test]
async fn a_token_that_is_issued_after_the_response_head_sets_no_cookie() {
    let (_, sessions) = sessions();
    let layer = with_cookie(JwtRedisSession::new(sessions));
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        Ok::<_, Infallible>(Response::new(session(&request)))
    }));
    let response = service.oneshot(get("/", &[])).await.unwrap();
    response.body().login("jo").await.unwrap();
    assert_eq!(set_cookies(&response), [""; 0]);
}
