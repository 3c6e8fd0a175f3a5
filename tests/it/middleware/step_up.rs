//! Requests that need a recent authentication.

use jwt_redis_session::config::ManualClock;

use super::*;

const CHALLENGE: &str = "Bearer realm=\"session\", error=\"insufficient_user_authentication\", \
    error_description=\"a more recent authentication is required\", max_age=300";

const LIMIT: Duration = Duration::from_secs(300);

/// Sessions, their clock, and the tokens of a session of `jo` and of one without owner.
async fn logged_in() -> (Sessions, ManualClock, [String; 2]) {
    let clock = ManualClock::at(1_700_000_000);
    let store = MemoryStore::new().with_clock(clock.clone());
    let sessions = Sessions::builder(store, keyring()).clock(clock.clone());
    let sessions = sessions.build().unwrap();
    let login = sessions.new_session().login("jo").await.unwrap();
    let unknown = sessions.new_session();
    unknown.set_owner("jo").unwrap();
    let unknown = unknown.create().await.unwrap();
    let tokens = [login, unknown].map(|token| token.into_string());
    (sessions, clock, tokens)
}

#[tokio::test]
async fn the_layer_requires_a_recent_authentication() {
    let (sessions, clock, [token, unknown]) = logged_in().await;
    for layer in [
        JwtRedisSession::new(sessions.clone()),
        JwtRedisSession::new(sessions).lazy(),
    ] {
        clock.set(1_700_000_000);
        for require in [RequireSession::new(), RequireSession::available()] {
            let require = require.authenticated_within(LIMIT);
            let service = layer.layer(require.layer(service_fn(describe)));
            let answer = async |token: &str| {
                let answer = service.clone().oneshot(with(token)).await.unwrap();
                let challenge = header(&answer, "www-authenticate").map(str::to_owned);
                let status = answer.status().as_u16();
                (status, challenge, text(answer.into_body()).await)
            };
            let rejected = |message: &str, challenge: &str| {
                let body = format!(r#"{{"error":"{message}"}}"#);
                (401, Some(challenge.to_owned()), body)
            };
            let message = "a more recent authentication is required";
            clock.set(1_700_000_300);
            assert_eq!(answer(&token).await.0, 200);
            assert_eq!(answer(&unknown).await, rejected(message, CHALLENGE));
            clock.set(1_700_000_301);
            assert_eq!(answer(&token).await, rejected(message, CHALLENGE));
            let invalid = r#"Bearer realm="session", error="invalid_token""#;
            let message = "the token is not valid";
            assert_eq!(answer("x").await, rejected(message, invalid));
        }
    }
}

#[tokio::test]
async fn the_answer_has_the_realm_and_whole_seconds() {
    let (sessions, _, [_, unknown]) = logged_in().await;
    let layer = JwtRedisSession::new(sessions);
    for (limit, seconds) in [
        (Duration::ZERO, 0),
        (Duration::from_millis(1999), 1),
        (Duration::MAX, u64::MAX),
    ] {
        let require = RequireSession::new().authenticated_within(limit);
        let require = require.realm("shop").unwrap().empty_body();
        let service = layer.layer(require.layer(service_fn(describe)));
        let answer = service.oneshot(with(&unknown)).await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        let expected = CHALLENGE.replace("session", "shop");
        let expected = expected.replace("300", &seconds.to_string());
        assert_eq!(header(&answer, "www-authenticate"), Some(&*expected));
        assert_eq!(text(answer.into_body()).await, "");
    }
}

/// The example, over HTTP.
#[cfg(feature = "axum")]
#[path = "../../../examples/step_up.rs"]
#[expect(dead_code, reason = "`main` of the example")]
mod example;

#[cfg(feature = "axum")]
#[tokio::test]
async fn an_email_address_is_changed_after_the_password_was_checked() {
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let (sessions, clock, [_, unknown]) = logged_in().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = example::app(sessions);
    tokio::spawn(async { axum::serve(listener, app).await });
    let call = async |start: &str, token: &str, body: &str| {
        let (method, path) = start.split_once(' ').unwrap();
        let uri = format!("http://{address}{path}");
        let request = request(method, &uri, &[("x-access-token", token)], body.to_owned());
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await.unwrap();
        let status = answer.status().as_u16();
        let challenge = header(&answer, "www-authenticate").map(str::to_owned);
        (status, challenge, text(answer.into_body()).await)
    };
    let change = async |token: &str| {
        let (status, challenge, _) = call("PUT /email", token, "jo@example.com").await;
        (status, challenge)
    };
    assert_eq!(call("POST /login/jo", "", "wrong").await.0, 403);
    let (_, _, token) = call("POST /login/jo", "", "demo").await;
    assert_eq!(change(&token).await, (204, None));
    let rejected = (401, Some(CHALLENGE.to_owned()));
    assert_eq!(change(&unknown).await, rejected);
    clock.advance(LIMIT + Duration::from_secs(1));
    assert_eq!(change(&token).await, rejected);
    assert_eq!(call("GET /email", &token, "").await.2, "jo@example.com");

    assert_eq!(call("POST /password", &token, "wrong").await.0, 403);
    assert_eq!(change(&token).await, rejected);
    let (_, _, newer) = call("POST /password", &token, "demo").await;
    assert_eq!(change(&newer).await, (204, None));
    let (status, challenge) = change(&token).await;
    assert_eq!(status, 401, "the old token");
    assert!(challenge.unwrap().contains("invalid_token"));
    let (status, challenge) = change("").await;
    assert_eq!(status, 401);
    assert!(challenge.unwrap().contains("Bearer realm"));
}
