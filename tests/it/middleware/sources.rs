//! Where the layer looks for tokens, and what the handler sees of the request.

use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;

use super::*;

/// Checks a table. A row is a request, which is a method and a URI, headers and a body, and the
/// state and the query that the handler sees. Words in capitals are replaced. The body that the
/// handler sees must be the one that was sent.
async fn check<S, R>(token: &str, service: S, table: &str)
where
    S: Service<Request<Body>, Response = Response<R>, Error = Infallible> + Clone,
    R: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let table = table
        .replace("TOKEN", token)
        .replace("FORM", &format!("content-type: {FORM}"))
        .replace("JSON", &format!("content-type: {JSON}"))
        .replace("LONG", &"x".repeat(1001));
    for row in table.trim().lines().map(str::trim) {
        let (start, expected) = row.rsplit_once("=>").unwrap();
        let mut parts = start.split('|').map(str::trim);
        let (method, uri) = parts.next().unwrap().split_once(' ').unwrap();
        let headers = parts.next().unwrap_or_default().split(", ");
        let headers: Vec<_> = headers.filter_map(|line| line.split_once(": ")).collect();
        let body = parts.next().unwrap_or_default();
        let request = request(method, uri, &headers, body.to_owned());
        let response = service.clone().oneshot(request).await.unwrap();
        let [state, query] = ["state", "query"].map(|name| header(&response, name).unwrap());
        let seen = format!("{state} {query}");
        assert_eq!(seen.trim_end(), expected.trim(), "{row}");
        assert_eq!(text(response.into_body()).await, body, "{row}");
    }
}

#[tokio::test]
async fn default_sources() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions).body_limit(1000);
    let table = r#"
        GET / => Absent
        GET / | X-Access-Token: TOKEN => Active
        GET /?a=1&accessToken=TOKEN&b=2 => Active a=1&b=2
        GET /?accessToken=a&accessToken=b => ambiguous
        POST / | FORM | a=1&accessToken=TOKEN&b=%20 => Active
        POST / | JSON;charset=utf-8 | {"accessToken":"TOKEN"} => Active
        GET /?accessToken=TOKEN | x-access-token: bad => malformed
        POST / | x-access-token: TOKEN, JSON | { => Active
        POST / | x-access-token: TOKEN, FORM | LONG => Active
        POST / | FORM => Absent
        POST / | FORM | LONG => unsearched: too_large
        POST / | JSON | { => unsearched: malformed
        POST / | JSON | {"accessToken":1} => malformed
        GET / | FORM | accessToken=TOKEN => Absent
    "#;
    check(&token, layer.layer(service_fn(describe)), table).await;
}

#[tokio::test]
async fn other_sources() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let layer = JwtRedisSession::new(sessions);

    let table = "
        GET /?accessToken=TOKEN => Absent accessToken=TOKEN
        POST / | FORM | accessToken=TOKEN => Absent
    ";
    let service = layer.clone().headers_only().layer(service_fn(describe));
    check(&token, service, table).await;

    let table = "
        GET /?accessToken=TOKEN => Active
        POST / | FORM | accessToken=TOKEN => Absent
    ";
    let service = layer.clone().without_body().layer(service_fn(describe));
    check(&token, service, table).await;

    let cookie = TokenSources::headers_only().with(TokenSource::cookie("sid"));
    let service = layer.clone().sources(cookie).layer(service_fn(describe));
    check(&token, service, "GET / | cookie: a=b; sid=TOKEN => Active").await;

    let scheme = TokenSources::new([TokenSource::authorization("Opaque")]);
    let service = layer.sources(scheme).layer(service_fn(describe));
    let table = "
        GET / | authorization: Opaque TOKEN => Active
        GET / | authorization: Bearer TOKEN => Absent
    ";
    check(&token, service, table).await;
}

#[tokio::test]
async fn bearer_is_selected_if_it_was_offered_and_nothing_else_is_selected() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let sources = TokenSources::headers_only().with(TokenSource::WebSocketProtocol);
    let layer = JwtRedisSession::new(sessions).sources(sources);
    // Answers with the status in the URI, and selects the subprotocol in its query.
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        let described = described(&session(&request).state());
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        let mut response = Response::builder().status(status);
        if let Some(selected) = request.uri().query() {
            response = response.header("sec-websocket-protocol", selected);
        }
        Ok::<_, Infallible>(response.body(described).unwrap())
    }));
    let offered = format!("bearer, {token}");
    let upgrade = ("upgrade", "websocket");
    for (uri, upgrade, offered, selected, state) in [
        ("/101", upgrade, &*offered, Some("bearer"), "Active"),
        ("/101?chat", upgrade, &offered, Some("chat"), "Active"),
        ("/101", upgrade, "bearer, bad", Some("bearer"), "malformed"),
        ("/101", upgrade, "bearer, a, b", Some("bearer"), "ambiguous"),
        ("/101", upgrade, "chat", None, "Absent"),
        ("/401", upgrade, &offered, None, "Active"),
        ("/200", upgrade, &offered, None, "Active"),
        ("/101", ("accept", "websocket"), &offered, None, "Absent"),
    ] {
        let request = get(uri, &[upgrade, ("sec-websocket-protocol", offered)]);
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(
            header(&response, "sec-websocket-protocol"),
            selected,
            "{uri}"
        );
        let vary = "x-access-token, authorization, sec-websocket-protocol";
        assert_eq!(header(&response, "vary"), Some(vary));
        assert_eq!(response.body(), state, "{uri} {offered}");
    }
}

#[tokio::test]
async fn inner_layers_see_no_token_in_the_uri() {
    let (log, _guard) = Log::record();
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let service = ServiceBuilder::new()
        .layer(JwtRedisSession::new(sessions))
        .layer(tower_http::trace::TraceLayer::new_for_http())
        .service_fn(describe);
    let table = "
        GET /p?a=1&accessToken=TOKEN&b=2 => Active a=1&b=2
        POST / | JSON | { => unsearched: malformed
    ";
    check(&token, service, table).await;
    let log = log.text();
    for event in [
        "/p?a=1&b=2",
        "source=\"query\"",
        "request body not searched for a token reason=\"malformed\"",
    ] {
        assert!(log.contains(event), "{log}");
    }
    assert!(!log.contains(&token), "{log}");
}

#[tokio::test(start_paused = true)]
async fn late_bodies_are_not_waited_for() {
    type Late = UnsyncBoxBody<Bytes, Infallible>;
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions).body_deadline(Duration::from_secs(3));
    let service = layer.layer(service_fn(async |request: Request<Late>| {
        let state = described(&session(&request).state());
        Ok::<_, Infallible>(Response::new(state))
    }));
    let late: Late = StreamBody::new(futures_util::stream::pending()).boxed_unsync();
    let request = Request::post("/").header("content-type", FORM).body(late);
    let start = tokio::time::Instant::now();
    let response = service.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.body(), "unsearched: timed_out");
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}
