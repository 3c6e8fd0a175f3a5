//! The answers of `RequireSession`, and the headers of other responses.

use super::*;

#[tokio::test]
async fn each_state_has_its_answer() {
    let (faults, sessions) = sessions();
    let active = token(&sessions).await;
    let gone = gone(&sessions).await;
    let mut forged = token(&sessions).await;
    forged.pop();
    let layer = JwtRedisSession::new(sessions).body_limit(100);
    let two = get("/?accessToken=a&accessToken=b", &[]);
    let large = post(FORM, "x".repeat(101));
    let invalid = r#", error="invalid_token""#;
    let rows = [
        (with(&active), false, 200, None),
        (with(&active), true, 503, None),
        // The store is not needed without a valid token.
        (get("/", &[]), true, 401, Some("")),
        (with("bad"), true, 401, Some(invalid)),
        (with(&forged), true, 401, Some(invalid)),
        (with(&gone), false, 401, Some(invalid)),
        (two, true, 400, Some(r#", error="invalid_request""#)),
        (post(JSON, "{"), true, 401, Some("")),
        (large, true, 401, Some("")),
    ];
    for layer in [layer.clone(), layer.lazy()] {
        let require = RequireSession::new().realm(r#"the "shop""#).unwrap();
        let required = layer.layer(require.layer(service_fn(describe)));
        let available = layer.layer(RequireSession::available().layer(service_fn(describe)));
        for (request, outage, status, challenge) in rows.clone() {
            if outage {
                faults.fail_with(StoreErrorKind::Connection);
            }
            let answer = required.clone().oneshot(request.clone()).await.unwrap();
            assert_eq!(answer.status(), status);
            assert_eq!(header(&answer, "state").is_some(), status == 200);
            check_headers(&answer, challenge);
            let answer = available.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), if status == 503 { 503 } else { 200 });
            faults.heal();
        }
    }
}

fn check_headers<B>(answer: &Response<B>, challenge: Option<&str>) {
    assert!(header(answer, "vary").is_some());
    let no_store = header(answer, "cache-control") == Some("no-store");
    assert_eq!(no_store, answer.status() != 200);
    let retry_after = header(answer, "retry-after") == Some("1");
    assert_eq!(retry_after, answer.status() == 503);
    let challenge = challenge.map(|more| format!(r#"Bearer realm="the \"shop\""{more}"#));
    assert_eq!(header(answer, "www-authenticate"), challenge.as_deref());
}

/// The hint for the developer is in the log only.
#[tokio::test]
async fn a_missing_layer_is_a_generic_500_and_logged() {
    let (log, _guard) = Log::record();
    async fn inner(_: Request<Body>) -> Result<Response<String>, Infallible> {
        Ok(Response::default())
    }
    let custom = |rejection: &SessionRejection| rejection.response(rejection.message().to_owned());
    let require = RequireSession::new();
    let empty = require.clone().empty_body().layer(service_fn(inner));
    let text = require.clone().respond_with(custom);
    let text = text.layer(service_fn(inner));
    let json = require.layer(service_fn(inner));
    let expected_json = r#"{"error":"internal server error"}"#;
    for (answer, body, content_type) in [
        (json.oneshot(get("/", &[])).await, expected_json, Some(JSON)),
        (empty.oneshot(get("/", &[])).await, "", None),
        (
            text.oneshot(get("/", &[])).await,
            "internal server error",
            None,
        ),
    ] {
        let answer = answer.unwrap();
        assert_eq!((answer.status().as_u16(), &**answer.body()), (500, body));
        assert_eq!(header(&answer, "content-type"), content_type);
    }
    let log = log.text();
    assert!(log.contains("ERROR"), "{log}");
    assert!(log.contains("JwtRedisSession::new(sessions)"), "{log}");
}

#[test]
fn a_realm_is_printable_ascii() {
    for realm in ["a\nb", "a\0", "Łódź"] {
        assert!(RequireSession::new().realm(realm).is_err());
    }
}

/// What a handler does with the session of its request.
type Use = fn(&Session);

const VARY: &str = "x-access-token, authorization";

/// The headers of a response after `uses`: `Cache-Control`, `Vary`, `Referrer-Policy`.
async fn headers(layer: &JwtRedisSession, request: Request<Body>, uses: Option<Use>) -> String {
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        let lazy = LazySession::of(request.extensions()).unwrap();
        if let Some(uses) = uses {
            uses(&lazy.load().await);
        }
        Ok::<_, Infallible>(Response::new(()))
    }));
    let response = service.oneshot(request).await.unwrap();
    let names = ["cache-control", "vary", "referrer-policy"];
    let values = names.iter().filter_map(|name| header(&response, name));
    values.collect::<Vec<_>>().join("|")
}

#[tokio::test]
async fn headers_follow_the_use_of_the_session() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let query = || get(&format!("/?accessToken={token}"), &[]);
    let layer = JwtRedisSession::new(sessions);
    let read = format!("no-store|{VARY}");
    let read_query = format!("no-store|{VARY}|no-referrer");
    let state: Use = |session| drop(session.state());
    let data: Use = |session| drop(session.to_json());
    let rows: [(Request<Body>, Option<Use>, &str); 11] = [
        (with(&token), None, ""),
        (with(&token), Some(|_| ()), ""),
        (with(&token), Some(state), VARY),
        (with(&token), Some(data), &read),
        (with(&token), Some(|session| drop(session.id())), &read),
        (with(&token), Some(|session| drop(session.owner())), &read),
        (with(&token), Some(|session| drop(session.claims())), &read),
        (get("/", &[]), Some(state), VARY),
        (with("bad"), Some(state), VARY),
        (query(), None, "no-store|no-referrer"),
        (query(), Some(data), &read_query),
    ];
    for (number, (request, uses, expected)) in rows.into_iter().enumerate() {
        for layer in [layer.clone(), layer.clone().lazy()] {
            let headers = headers(&layer, request.clone(), uses).await;
            assert_eq!(headers, expected, "row {number}");
        }
    }
    let without = layer.vary(false);
    assert_eq!(headers(&without, with("bad"), Some(state)).await, "");
}

#[tokio::test]
async fn a_response_with_a_new_token_is_not_stored() {
    let (_, sessions) = sessions();
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions))
        .service_fn(async |request: Request<Body>| {
            let token = session(&request).create().await.unwrap();
            Ok::<_, Infallible>(Response::new(token.into_string()))
        });
    let response = service.oneshot(get("/", &[])).await.unwrap();
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
}

#[tokio::test]
async fn headers_of_the_application_remain() {
    let (_, sessions) = sessions();
    let query = format!("/?accessToken={}", token(&sessions).await);
    let set = [
        ("cache-control", "private"),
        ("referrer-policy", "origin"),
        ("vary", "Accept, X-Access-Token"),
    ];
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions))
        .service_fn(async |request: Request<Body>| {
            drop(session(&request).to_json());
            let mut response = Response::builder();
            for (name, value) in set {
                response = response.header(name, value);
            }
            Ok::<_, Infallible>(response.body(()).unwrap())
        });
    let response = service.oneshot(get(&query, &[])).await.unwrap();
    for (name, value) in set {
        assert_eq!(header(&response, name), Some(value));
    }
    let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
    assert_eq!(vary[1..], ["authorization"]);
}

#[tokio::test]
async fn a_session_outlives_its_request() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions.clone()))
        .service_fn(async |request: Request<Body>| {
            Ok::<_, Infallible>(Response::new(session(&request)))
        });
    let upgrade = get("/", &[("upgrade", "websocket"), ("x-access-token", &token)]);
    let socket = service.oneshot(upgrade).await.unwrap().into_body();
    assert_eq!(socket.is_alive().await, Ok(true));
    end(&sessions, &token).await;
    assert_eq!(socket.is_alive().await, Ok(false));
    assert_eq!(described(&socket.state()), "Gone");
}
