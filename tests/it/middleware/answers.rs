//! Options of `RequireSession`, and the headers of responses.

use super::*;

#[tokio::test]
async fn answers_have_the_chosen_body_and_realm() {
    for realm in ["a\nb", "a\0", "Łódź"] {
        assert!(RequireSession::new().realm(realm).is_err());
    }
    let message = |rejection: &SessionRejection| {
        rejection.response(Full::from(rejection.message().to_owned()))
    };
    let layer = JwtRedisSession::new(sessions().1);
    let require = RequireSession::new().realm(r#"the "\shop""#).unwrap();
    let empty = layer.layer(require.clone().empty_body().layer(service_fn(describe)));
    let message = layer.layer(require.respond_with(message).layer(service_fn(describe)));
    for (answer, body) in [
        (empty.oneshot(get("/", &[])).await, ""),
        (message.oneshot(get("/", &[])).await, "a token is required"),
    ] {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 401);
        let challenge = r#"Bearer realm="the \"\\shop\"""#;
        assert_eq!(header(&answer, "www-authenticate"), Some(challenge));
        assert_eq!(header(&answer, "content-type"), None);
        assert_eq!(text(answer.into_body()).await, body);
    }
}

/// What a handler does with the session of its request.
type Use = fn(&Session);

const VARY: &str = "x-access-token, authorization";

/// `Cache-Control`, `Vary` and `Referrer-Policy` of a response after `uses`. `POST` is a login.
async fn headers(layer: &JwtRedisSession, request: Request<Body>, uses: Option<Use>) -> String {
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        let lazy = LazySession::of(request.extensions()).unwrap();
        if let Some(uses) = uses {
            uses(&lazy.load().await);
        }
        if request.method() == "POST" {
            lazy.load().await.create().await.unwrap();
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
    let rows: [(Request<Body>, Option<Use>, &str); 12] = [
        (with(&token), None, ""),
        (with(&token), Some(|_| ()), ""),
        (with(&token), Some(state), VARY),
        (with(&token), Some(data), &read),
        (with(&token), Some(|session| drop(session.id())), &read),
        (with(&token), Some(|session| drop(session.owner())), &read),
        (with(&token), Some(|session| drop(session.claims())), &read),
        (get("/", &[]), Some(state), VARY),
        (post(FORM, ""), None, "no-store"),
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
