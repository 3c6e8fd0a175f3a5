//! The name, the attributes and the value of the cookie.

use super::*;

const DEFAULT: &str = "HttpOnly; SameSite=Lax; Secure; Path=/";

/// The name and the attributes that each configuration has.
fn configurations() -> Vec<(Lifetime, SessionCookie, &'static str, String)> {
    let hour = Duration::from_secs(3600);
    let (idle, absolute) = (Lifetime::Idle(hour), Lifetime::Absolute(hour));
    let id = || SessionCookie::new("id");
    let domain = id().domain("a.example").same_site(SameSite::None);
    let domain_attributes = "HttpOnly; SameSite=None; Secure; Path=/; Domain=a.example";
    let path = id().path("/app").same_site(SameSite::Strict);
    let path_attributes = "HttpOnly; SameSite=Strict; Secure; Path=/app";
    let of = |seconds| format!("{DEFAULT}; Max-Age={seconds}");
    vec![
        (absolute, id(), "__Host-id", DEFAULT.into()),
        (absolute, id().persistent(), "__Host-id", of(3600)),
        (idle, id().persistent(), "__Host-id", of(400 * 86_400)),
        (
            idle,
            id().persistent_if_remembered(),
            "__Host-id",
            DEFAULT.into(),
        ),
        (idle, domain, "__Secure-id", domain_attributes.into()),
        (idle, path, "__Secure-id", path_attributes.into()),
        (idle, id().without_prefix(), "id", DEFAULT.into()),
        (idle, id().insecure(), "id", DEFAULT.replace(" Secure;", "")),
    ]
}

#[tokio::test]
async fn attributes_are_those_of_the_configuration() {
    for (lifetime, cookie, name, attributes) in configurations() {
        let sessions = Sessions::builder(MemoryStore::new(), OpaqueTokens::new());
        let clock = ManualClock::at(1_700_000_000);
        let sessions = sessions.lifetime(lifetime).clock(clock).build().unwrap();
        assert_eq!(cookie.name(), name);
        let layer = JwtRedisSession::new(sessions).cookie(cookie, CsrfCheckedElsewhere);
        let service = layer.unwrap().layer(service_fn(operate));
        let response = service.clone().oneshot(get("/create", &[])).await.unwrap();
        let pair = pair(&response, name).unwrap();
        assert_eq!(set_cookies(&response), [format!("{pair}; {attributes}")]);
        let request = get("/logout", &[("cookie", &pair)]);
        let response = service.oneshot(request).await.unwrap();
        // The same attributes: else a browser would keep the cookie.
        let attributes = attributes.split("; Max-Age").next().unwrap();
        let cleared = format!("{name}=; {attributes}; Max-Age=0; Expires=");
        let line = set_cookies(&response)[0];
        assert!(line.starts_with(&cleared), "{line} {cleared}");
    }
}

/// The fifth element of the metadata is the idle time of the session.
#[tokio::test]
async fn the_cookie_of_a_remembered_session_persists() {
    let store = MemoryStore::new();
    let sessions = Sessions::builder(store.clone(), keyring()).build().unwrap();
    let layer = JwtRedisSession::new(sessions.clone());
    let cookie = SessionCookie::new("session").persistent_if_remembered();
    let layer = layer.cookie(cookie, CsrfCheckedElsewhere).unwrap();
    let service = layer.layer(service_fn(operate));
    for (meta, persists) in [("[1]", false), ("[1,\"jo\",null,null,3600]", true)] {
        let token = owned(&sessions).await;
        let verified = sessions.verify(&token).unwrap();
        let key = format!("sess:{}", verified.id().as_str());
        store.delete(&key).await.unwrap();
        let record = format!(r#"{{"_jrs":{meta}}}"#);
        let record = NewRecord::new(&key, record.as_bytes(), Duration::from_secs(60));
        assert!(store.insert(record).await.unwrap());
        let cookie = format!("{HOST}={token}");
        let request = get("/rotate", &[("cookie", &cookie)]);
        let response = service.clone().oneshot(request).await.unwrap();
        let line = set_cookies(&response)[0];
        assert_eq!(line.ends_with("; Max-Age=34560000"), persists, "{line}");
    }
}

#[tokio::test]
async fn cookies_that_browsers_would_reject_are_errors() {
    use InvalidCookie::{Domain, Name, Path, SameSiteNone};
    let layer = JwtRedisSession::new(sessions().1);
    let cookie = || SessionCookie::new("session");
    for (cookie, expected) in [
        (SessionCookie::new(""), Some(Name)),
        (SessionCookie::new("a b"), Some(Name)),
        (SessionCookie::new("a=b"), Some(Name)),
        (SessionCookie::new("é"), Some(Name)),
        (SessionCookie::new("__Host-session"), Some(Name)),
        (
            SessionCookie::new("__secure-session").without_prefix(),
            Some(Name),
        ),
        (cookie().domain(""), Some(Domain)),
        (cookie().domain("a.example; Path=/x"), Some(Domain)),
        (cookie().domain("https://a.example"), Some(Domain)),
        (cookie().path(""), Some(Path)),
        (cookie().path("app"), Some(Path)),
        (cookie().path("/a;b"), Some(Path)),
        (cookie().path("/a\r\nb"), Some(Path)),
        (
            cookie().same_site(SameSite::None).insecure(),
            Some(SameSiteNone),
        ),
        (cookie().same_site(SameSite::None), None),
        (cookie().domain("a.example").path("/app"), None),
        (SessionCookie::new("my.session_id-2"), None),
    ] {
        let result = layer.clone().cookie(cookie.clone(), CsrfCheckedElsewhere);
        assert_eq!(result.err(), expected, "{cookie:?}");
    }
}

#[tokio::test]
async fn every_encoding_of_a_token_survives_the_cookie() {
    for encoding in [Encoding::Base64, Encoding::Base64Url, Encoding::Hex] {
        let tokens = OpaqueTokens::new().size(64).unwrap().encoding(encoding);
        let sessions = Sessions::builder(MemoryStore::new(), tokens);
        let layer = with_cookie(JwtRedisSession::new(sessions.build().unwrap()));
        let service = layer.layer(service_fn(operate));
        for _ in 0..20 {
            let response = service.clone().oneshot(get("/create", &[])).await.unwrap();
            let cookie = pair(&response, HOST).unwrap();
            let request = get("/rotate", &[("cookie", &cookie)]);
            let response = service.clone().oneshot(request).await.unwrap();
            assert!(pair(&response, HOST).is_some_and(|pair| !pair.is_empty()));
        }
    }
}

#[tokio::test]
async fn a_cookie_that_browsers_drop_is_logged_without_its_value() {
    let (log, _guard) = Log::record();
    let (_, sessions) = sessions();
    let layer = with_cookie(JwtRedisSession::new(sessions).headers_only());
    let service = layer.layer(service_fn(async |request: Request<Body>| {
        let length: usize = request.uri().path()[1..].parse().unwrap();
        let claims = serde_json::json!({ "text": "x".repeat(length) });
        let created = session(&request).create().claims(claims);
        created.await.unwrap();
        Ok::<_, Infallible>(Response::new(()))
    }));
    for (path, warnings) in [("/2700", 0), ("/3000", 1)] {
        let response = service.clone().oneshot(get(path, &[])).await.unwrap();
        let pair = pair(&response, HOST).unwrap();
        let log = log.text();
        assert_eq!(
            log.matches("WARN").count(),
            warnings,
            "{} {log}",
            pair.len()
        );
        assert!(!log.contains(&pair[20..]) && !format!("{response:?}").contains(&pair[20..]));
    }
    assert!(
        log.text()
            .contains("browsers drop a session cookie of this size")
    );
}
