//! Every row of the table in section 6, against memory and against Redis.

use serde_json::{Value, json};

use super::client::Call;
use super::process::{App, refusal};
use crate::support::redis_server::RedisServer;

fn log_in(app: &App, name: &str) -> String {
    let credentials = json!({"username": name, "password": "p4ssw0rd"});
    let answer = Call::post("/session/create").json(credentials);
    token(&answer.send(app.address).ok())
}

fn token(answer: &Value) -> String {
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    answer["token"].as_str().expect("a token").to_owned()
}

/// Calls a route by GET and by POST, with the token where each may have it, and sees that all say
/// the same.
fn both(app: &App, route: &str, token: &str) -> Value {
    let answers = [
        Call::get(route).header("x-access-token", token),
        Call::get(route).bearer(token),
        Call::get(format!("{route}?accessToken={token}")),
        Call::post(route).bearer(token),
        Call::post(route).form(&format!("accessToken={token}")),
        Call::post(route).json(json!({"accessToken": token})),
    ]
    .map(|call| call.send(app.address).ok());
    let first = without_expiry(&answers[0]);
    assert!(
        answers.iter().all(|answer| without_expiry(answer) == first),
        "{answers:?}"
    );
    answers[0].clone()
}

/// The answer without what depends on the moment at which it was given.
fn without_expiry(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for session in answer["sessions"].as_array_mut().into_iter().flatten() {
        session["expires"] = Value::Null;
    }
    answer
}

/// Runs a test against both stores.
fn on_both(test: impl Fn(&App)) {
    test(&App::in_memory());
    let redis = RedisServer::start();
    test(&App::with_redis(&redis.url()));
}

#[test]
fn app_creates_from_query_form_and_json() {
    on_both(|app| {
        for call in [
            Call::get("/session/create?username=jo&password=p&theme=dark&accessToken=x"),
            Call::post("/session/create?username=jo").form("password=p&theme=dark&accessToken=x"),
            Call::post("/session/create").json(json!({
                "username": "jo", "password": "p", "theme": "dark", "accessToken": "x",
                "user": {"name": "admin"},
            })),
        ] {
            let token = token(&call.send(app.address).ok());
            let read = both(app, "/session/read", &token);
            assert_eq!(
                read["session"],
                json!({"theme": "dark", "user": {"name": "jo"}})
            );
            assert_eq!(read["id"].as_str().unwrap().len(), 43);
        }
        for bad in [
            json!({"username": "jo"}),
            json!({"username": "", "password": "p"}),
            json!({"username": "jo", "password": 5}),
            json!({"username": "x".repeat(513), "password": "p"}),
            json!({"username": "jo", "password": "p", "_jrs": 1}),
            json!({"username": "jo", "password": "p", "claims": {}}),
        ] {
            Call::post("/session/create")
                .json(bad)
                .send(app.address)
                .error(400);
        }
    });
}

#[test]
fn app_updates_by_merging() {
    on_both(|app| {
        let token = log_in(app, "jo");
        let update = |call: Call| call.bearer(&token).send(app.address).ok()["session"].clone();
        let user = json!({"name": "jo"});
        assert_eq!(
            both(app, "/session/update", &token)["session"],
            json!({"foo": "bar", "user": user})
        );
        assert_eq!(update(Call::get("/session/update?a=1"))["a"], "1");
        assert_eq!(
            update(Call::post("/session/update").form("b=x+y%26"))["b"],
            "x y&"
        );
        let json = json!({"a": null, "foo": null, "n": [1, {"x": 1.5}], "accessToken": "x"});
        let after = update(Call::post("/session/update?accessToken=y").json(json));
        assert_eq!(
            after,
            json!({"b": "x y&", "n": [1, {"x": 1.5}], "user": user})
        );
        assert_eq!(both(app, "/session/reload", &token)["session"], after);
        assert_eq!(both(app, "/session/touch", &token)["session"], after);

        for name in ["_jrs", "id", "jwt", "claims"] {
            for value in [json!(1), json!(null)] {
                let call = Call::post("/session/update").json(json!({name: value, "new": 1}));
                let error = call.bearer(&token).send(app.address).error(400);
                assert!(error.contains(name), "{error}");
            }
        }
        assert_eq!(both(app, "/session/read", &token)["session"], after);
    });
}

#[test]
fn app_rotates() {
    on_both(|app| {
        let old = log_in(app, "jo");
        let before = both(app, "/session/read", &old);
        for call in [Call::get("/session/rotate"), Call::post("/session/rotate")] {
            let old = log_in(app, "jo");
            let new = token(&call.bearer(&old).send(app.address).ok());
            Call::get("/session/read")
                .bearer(&old)
                .send(app.address)
                .error(401);
            let after = both(app, "/session/read", &new);
            assert_eq!(after["session"], before["session"]);
        }
        both(app, "/session/read", &old);
    });
}

#[test]
fn app_lists_and_ends_the_sessions_of_a_user() {
    on_both(|app| {
        let tokens: Vec<_> = (0..5).map(|_| log_in(app, "jo")).collect();
        let stranger = log_in(app, "stranger");
        let id = |token: &str| both(app, "/session/read", token)["id"].clone();
        let destroy = |id: &str| {
            let call = Call::post("/session/destroy").json(json!({"id": id}));
            call.bearer(&tokens[0]).send(app.address)
        };

        let list = listed(app, &tokens[0]);
        assert_eq!(list.len(), 5);
        for each in &list {
            assert_eq!(each.as_object().unwrap().len(), 4);
            assert_eq!(each["current"], each["id"] == id(&tokens[0]), "{each}");
            let lives = each["expires"].as_i64().unwrap() - each["created"].as_i64().unwrap();
            assert!((86_390..=86_410).contains(&lives), "{each}");
        }

        let answer = destroy(id(&tokens[1]).as_str().unwrap());
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        Call::get("/session/read")
            .bearer(&tokens[1])
            .send(app.address)
            .error(401);
        destroy(id(&stranger).as_str().unwrap()).error(404);
        destroy("no id").error(400);
        both(app, "/session/read", &stranger);

        let end = || Call::get("/session/destroy").bearer(&tokens[2]);
        let answer = end().send(app.address);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        end().send(app.address).error(401);
    });
}

/// The sessions that the app lists for the owner of `token`.
fn listed(app: &App, token: &str) -> Vec<Value> {
    let list = both(app, "/session/list", token)["sessions"].clone();
    list.as_array().unwrap().clone()
}

#[test]
fn app_ends_all_sessions_of_a_user() {
    on_both(|app| {
        let tokens: Vec<_> = (0..3).map(|_| log_in(app, "jo")).collect();
        let stranger = log_in(app, "stranger");
        let call = |route: &str| Call::post(route).bearer(&tokens[0]).send(app.address).ok();
        assert_eq!(call("/session/destroy-others"), json!({"destroyed": 2}));
        assert_eq!(listed(app, &tokens[0]).len(), 1);
        assert_eq!(call("/session/destroy-others"), json!({"destroyed": 0}));
        log_in(app, "jo");
        assert_eq!(call("/session/destroy-all"), json!({"destroyed": 2}));
        Call::get("/session/list")
            .bearer(&tokens[0])
            .send(app.address)
            .error(401);
        both(app, "/session/read", &stranger);
    });
}

#[test]
fn app_answers_errors_as_json() {
    let app = App::in_memory();
    for route in [
        "read",
        "update",
        "reload",
        "touch",
        "rotate",
        "list",
        "destroy",
        "destroy-others",
        "destroy-all",
    ] {
        for method in ["GET", "POST"] {
            let path = format!("/session/{route}");
            let absent = Call::new(method, &*path).send(app.address);
            absent.error(401);
            assert_eq!(
                absent.header("www-authenticate"),
                Some(r#"Bearer realm="session""#)
            );
            let bad = Call::new(method, path).bearer("x.y.z").send(app.address);
            bad.error(401);
            let challenge = bad.header("www-authenticate").unwrap();
            assert!(challenge.starts_with("Bearer ") && challenge.contains("invalid_token"));
        }
    }
}

#[test]
fn app_refuses_bad_requests_with_json() {
    let app = App::in_memory();
    let token = log_in(&app, "jo");
    let update = |media, body: &str| {
        let call = Call::post("/session/update").bearer(&token);
        call.text(media, body).send(app.address)
    };
    for body in ["{", "[1]", "\"x\"", "\u{0}"] {
        update("application/json", body).error(400);
        Call::post("/session/create")
            .text("application/json", body)
            .send(app.address)
            .error(400);
    }
    update("text/plain", "a=1").error(415);
    let large = |bytes| json!({"large": "x".repeat(bytes)}).to_string();
    update("application/json", &large(1 << 20)).error(413);
    update("application/json", &large(2 << 20)).error(413);
    update("application/json; charset=utf-8", &large(100_000));
    Call::get("/session/nothing").send(app.address).error(404);
    let answer = Call::new("DELETE", "/session/destroy")
        .bearer(&token)
        .send(app.address);
    answer.error(405);
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[test]
fn app_has_a_page_with_a_strict_policy() {
    let app = App::in_memory();
    for (path, media) in [
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
    ] {
        for method in ["GET", "POST"] {
            let answer = Call::new(method, path).send(app.address);
            assert_eq!(answer.status, 200);
            assert!(answer.header("content-type").unwrap().starts_with(media));
            let policy = answer.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'"));
            assert!(!policy.contains("unsafe"));
        }
    }
}

#[test]
fn app_takes_its_settings_from_the_environment() {
    let secret = "0123456789".repeat(7);
    let redis = RedisServer::start();
    let settings = [
        ("REDIS_URL", &*redis.url()),
        ("JWT_SECRET", &secret),
        ("JWT_ALGORITHM", "HS512"),
        ("KEYSPACE", "mine:"),
        ("MAX_AGE", "100"),
        ("ABSOLUTE_LIFETIME", "50"),
    ];
    let (one, two) = (App::start(&settings), App::start(&settings));
    let token = log_in(&one, "jo");
    // {"alg":"HS512"
    assert!(token.starts_with("eyJhbGciOiJIUzUxMiI"), "{token}");
    let id = both(&two, "/session/read", &token)["id"].clone();
    let key = format!("mine:{}", id.as_str().unwrap());
    assert_eq!(redis.run(&["EXISTS", &key]), redis::Value::Int(1));
    let list = both(&two, "/session/list", &token)["sessions"][0].clone();
    let lives = list["expires"].as_i64().unwrap() - list["created"].as_i64().unwrap();
    assert!((45..=51).contains(&lives), "{lives}");
}

/// The number of commands that the server has run for clients, without those of this test.
fn commands(redis: &RedisServer) -> u64 {
    let stats = redis.run(&["INFO", "commandstats"]);
    let stats: String = redis::from_redis_value(stats).unwrap();
    let calls = stats.lines().filter_map(|line| {
        let (name, counts) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let calls = counts.split(',').next()?.parse::<u64>().ok()?;
        matches!(
            name,
            "get" | "pttl" | "set" | "pexpire" | "eval" | "evalsha"
        )
        .then_some(calls)
    });
    calls.sum()
}

#[test]
fn app_under_lazy_asks_redis_only_for_routes_that_use_the_session() {
    let redis = RedisServer::start();
    let app = App::start(&[("REDIS_URL", &*redis.url()), ("LAZY", "1")]);
    let token = log_in(&app, "jo");
    let before = commands(&redis);
    for path in ["/", "/page.css", "/health"] {
        let answer = Call::get(path).bearer(&token).send(app.address);
        assert_eq!(answer.status, 200, "{path}");
    }
    let missing = Call::get("/missing").bearer(&token).send(app.address);
    assert_eq!(missing.status, 404);
    let bad = Call::get("/session/read").bearer("bad").send(app.address);
    assert_eq!(bad.status, 401);
    assert_eq!(commands(&redis), before);
    // Routes that use the session are those of an eager app.
    let update = Call::post("/session/update").bearer(&token);
    update.json(json!({"color": "red"})).send(app.address).ok();
    let read = both(&app, "/session/read", &token);
    assert_eq!(read["session"]["color"], "red");
    assert!(commands(&redis) > before);
}

#[test]
fn app_refuses_wrong_settings_in_one_line() {
    for (name, value) in [
        ("LISTEN", "nowhere"),
        ("REDIS_URL", "http://x"),
        ("REDIS_URL", ""),
        ("JWT_SECRET", "abc123"),
        ("JWT_SECRET", ""),
        ("JWT_ALGORITHM", "none"),
        ("JWT_ALGORITHM", "RS256"),
        ("MAX_AGE", "0"),
        ("MAX_AGE", "a day"),
        ("MAX_AGE", "99999999999"),
        ("ABSOLUTE_LIFETIME", "-1"),
        ("LAZY", "yes"),
        ("RUST_LOG", "a=b=c"),
    ] {
        let (code, text) = refusal(name, value);
        assert_eq!(code, Some(2), "{name}={value}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.starts_with("error: ") && text.contains(name), "{text}");
    }
    let (_, text) = refusal("JWT_SECRET", "abc123");
    assert!(text.contains("openssl rand") && text.contains("allowing_weak_secret_for_npm"));
    assert!(!text.contains("abc123"));
}

#[test]
fn app_ends_on_sigterm_and_logs_no_secret() {
    let app = App::in_memory();
    let token = log_in(&app, "jo-the-owner");
    both(&app, "/session/read", &token);
    Call::get("/session/create?username=jo&password=hunter2")
        .send(app.address)
        .ok();
    // A client that says nothing must not hold it up for ever.
    let _silent = std::net::TcpStream::connect(app.address).unwrap();
    let (status, log) = app.terminate();
    assert!(status.success(), "{status}");
    assert!(log.contains("kept in memory") && log.contains("a random one is used"));
    assert!(
        log.contains("/session/create"),
        "requests are logged: {log}"
    );
    let claims = token.split('.').nth(1).unwrap();
    for secret in [claims, "p4ssw0rd", "hunter2", "jo-the-owner"] {
        assert!(!log.contains(secret), "{log}");
    }
}
