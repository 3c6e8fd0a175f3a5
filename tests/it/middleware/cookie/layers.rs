//! The cookie beside other layers, cookies and headers.

use super::*;

struct Admin;

/// Rotates the sessions that the path names.
async fn rotate(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let admin = Tagged::<Admin>::of(request.extensions()).unwrap();
    let (path, user) = (request.uri().path(), session(&request));
    if matches!(path, "/user" | "/both") {
        user.rotate().await.unwrap();
    }
    if matches!(path, "/admin" | "/both") {
        admin.rotate().await.unwrap();
    }
    Ok(Response::default())
}

/// Each layer has a separate cookie, and a token of one is rejected by the other.
#[tokio::test]
async fn several_layers_do_not_clear_the_cookies_of_each_other() {
    const ADMIN: &str = "__Host-admin";
    let store = MemoryStore::new();
    let of = |keyspace| {
        let sessions = Sessions::builder(store.clone(), keyring()).keyspace(keyspace);
        sessions.build().unwrap()
    };
    let (users, admins) = (of("user:"), of("admin:"));
    let admin_layer = JwtRedisSession::new(admins.clone()).tagged::<Admin>();
    let admin_layer = admin_layer.cookie(SessionCookie::new("admin"), CsrfCheckedElsewhere);
    let user_layer = with_cookie(JwtRedisSession::new(users.clone()));
    let service = ServiceBuilder::new().layer(admin_layer.unwrap());
    let service = service.layer(user_layer).service_fn(rotate);
    for (path, admin_token, names) in [
        ("/", owned(&admins).await, &[][..]),
        ("/user", owned(&admins).await, &[HOST]),
        ("/admin", owned(&admins).await, &[ADMIN]),
        ("/both", owned(&admins).await, &[HOST, ADMIN]),
        ("/user", String::new(), &[HOST]),
        // The token of a user is useless in the cookie of admins, and only there.
        ("/", owned(&users).await, &[ADMIN]),
    ] {
        let user_token = owned(&users).await;
        let cookie = format!("{HOST}={user_token}; {ADMIN}={admin_token}");
        let request = get(path, &[("cookie", &cookie)]);
        let response = service.clone().oneshot(request).await.unwrap();
        let lines = set_cookies(&response);
        let set = lines.iter().filter_map(|line| line.split('=').next());
        assert_eq!(set.collect::<Vec<_>>(), names, "{path} {admin_token}");
    }
}

#[tokio::test]
async fn a_cookie_of_the_same_name_that_is_set_already_remains() {
    let (_, sessions) = sessions();
    let layer = || with_cookie(JwtRedisSession::new(sessions.clone()));
    let own = async |request: Request<Body>| {
        session(&request).login("jo").await.unwrap();
        let response = Response::builder()
            .header(SET_COOKIE, "theme=dark")
            .header(SET_COOKIE, "__Host-session=own; Path=/; Secure");
        Ok::<_, Infallible>(response.body(()).unwrap())
    };
    let response = layer().layer(service_fn(own)).oneshot(get("/", &[])).await;
    let expected = ["theme=dark", "__Host-session=own; Path=/; Secure"];
    assert_eq!(set_cookies(&response.unwrap()), expected);

    // Of two layers with the same cookie, the outer one leaves what the inner one has set.
    let service = layer().layer(layer().layer(service_fn(operate)));
    check(&sessions, service, "/login | COOKIE=DEAD => set").await;
}

#[tokio::test]
async fn a_response_with_the_cookie_is_not_stored_whatever_the_application_says() {
    let (_, sessions) = sessions();
    let layer = with_cookie(JwtRedisSession::new(sessions));
    let service = layer.layer(service_fn(async |_: Request<Body>| {
        let response = Response::builder().header("cache-control", "public, max-age=600");
        Ok::<_, Infallible>(response.body(()).unwrap())
    }));
    for (cookie, expected) in [
        ("a=b", "public, max-age=600"),
        ("__Host-session=bad", "no-store"),
    ] {
        let response = service
            .clone()
            .oneshot(get("/", &[("cookie", cookie)]))
            .await;
        assert_eq!(header(&response.unwrap(), "cache-control"), Some(expected));
    }
}

#[tokio::test]
async fn tonic_services_have_cookies_too() {
    let (_, sessions) = sessions();
    let cookie = format!("{HOST}={}", owned(&sessions).await);
    let layer = JwtRedisSession::new(sessions).headers_only();
    let layer = layer.cookie(SessionCookie::new("session"), CsrfLayer::new());
    let layer = layer.unwrap();
    let require = RequireSession::new().empty_body();
    let service = layer.layer(require.layer(tonic::service::Routes::default()));
    for (cookie, site, status, cleared) in [
        (&*cookie, "same-origin", 200, false),
        (&*cookie, "cross-site", 403, false),
        ("__Host-session=bad", "same-origin", 401, true),
    ] {
        let request = Request::post("http://localhost/hello.Greeter/SayHello")
            .header("content-type", "application/grpc")
            .header("cookie", cookie)
            .header("sec-fetch-site", site)
            .body(tonic::body::Body::empty());
        let response = service.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), status, "{site}");
        assert_eq!(pair(&response, HOST).is_some(), cleared, "{site}");
    }
    // A whole server type-checks, too.
    let _ = tonic::transport::Server::builder()
        .layer(layer)
        .add_routes(tonic::service::Routes::default());
}

/// The old cookie stays in the browser: it must neither win over the new one nor prevent a login.
#[tokio::test]
async fn a_cookie_gets_another_name() {
    let (_, sessions) = sessions();
    let layer = JwtRedisSession::new(sessions.clone());
    for sources in [
        TokenSources::headers_only().with(TokenSource::cookie("sid")),
        TokenSources::new([TokenSource::cookie("sid"), TokenSource::Bearer]),
    ] {
        let layer = layer.clone().sources(sources);
        let service = with_cookie(layer).layer(service_fn(operate));
        let table = "
            /state | cookie: sid=LIVE => none
            /rotate | cookie: sid=LIVE => set
            /login | cookie: sid=DEAD => set
            /login | cookie: sid=bad => set
            /state | cookie: sid=DEAD => none
            /logout | cookie: sid=LIVE => none
            /rotate | cookie: sid=DEAD; __Host-session=LIVE => set
            /logout | cookie: sid=DEAD; __Host-session=LIVE => cleared
        ";
        check(&sessions, service, table).await;
    }
}
