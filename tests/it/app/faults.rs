//! The app while Redis is away, and races.

use std::sync::Barrier;

use serde_json::json;

use super::client::{Answer, Call};
use super::process::App;
use crate::support::eventually;
use crate::support::redis_server::RedisServer;

fn log_in(app: &App) -> Answer {
    Call::get("/session/create?username=jo&password=p").send(app.address)
}

fn token(app: &App) -> String {
    log_in(app).ok()["token"].as_str().unwrap().to_owned()
}

fn assert_unavailable(answer: &Answer) {
    answer.error(503);
    assert_eq!(answer.header("retry-after"), Some("1"));
}

fn assert_healthy(app: &App) {
    for method in ["GET", "POST"] {
        let health = Call::new(method, "/health").send(app.address);
        assert_eq!((health.status, health.body.as_str()), (200, "ok"));
    }
}

#[tokio::test]
async fn app_answers_503_while_redis_is_down_and_recovers() {
    let mut redis = RedisServer::start();
    let app = App::with_redis(&redis.url());
    let kept = token(&app);
    redis.kill();
    for method in ["GET", "POST"] {
        assert_unavailable(
            &Call::new(method, "/session/read")
                .bearer(&kept)
                .send(app.address),
        );
        assert_unavailable(
            &Call::new(method, "/session/destroy")
                .bearer(&kept)
                .send(app.address),
        );
    }
    assert_unavailable(&log_in(&app));
    // Without a good token nothing has to be asked.
    Call::get("/session/read").send(app.address).error(401);
    Call::get("/session/read")
        .bearer("x.y.z")
        .send(app.address)
        .error(401);
    assert_healthy(&app);
    redis.restart();
    eventually("logins work again", async || {
        (log_in(&app).status == 200).then_some(())
    })
    .await;
    assert!(app.terminate().0.success());
}

#[tokio::test]
async fn app_starts_without_redis() {
    let mut redis = RedisServer::start();
    redis.kill();
    let app = App::with_redis(&redis.url());
    assert_healthy(&app);
    assert_unavailable(&log_in(&app));
    redis.restart();
    eventually("logins work", async || {
        (log_in(&app).status == 200).then_some(())
    })
    .await;
    let (_, log) = app.terminate();
    assert!(log.contains("Redis is not there yet"), "{log}");
}

/// `/health` does not wait even for a Redis that accepts and says nothing.
#[test]
fn app_is_healthy_while_redis_hangs() {
    let redis = RedisServer::start();
    let app = App::with_redis(&redis.url());
    let kept = token(&app);
    redis.pause();
    std::thread::scope(|scope| {
        let read = scope.spawn(|| Call::get("/session/read").bearer(&kept).send(app.address));
        assert_healthy(&app);
        assert!(!read.is_finished(), "that one waits for Redis");
        assert_unavailable(&read.join().unwrap());
    });
    redis.resume();
}

#[test]
fn app_keeps_the_fields_of_all_concurrent_updates() {
    const WRITERS: usize = 8;
    let redis = RedisServer::start();
    let app = App::with_redis(&redis.url());
    let token = token(&app);
    let start = Barrier::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (app, token, start) = (&app, &token, &start);
            scope.spawn(move || {
                start.wait();
                let call = Call::post("/session/update").bearer(token);
                call.json(json!({format!("w{writer}"): writer}))
                    .send(app.address)
                    .ok();
            });
        }
    });
    let session = Call::get("/session/read")
        .bearer(&token)
        .send(app.address)
        .ok();
    assert_eq!(session["session"].as_object().unwrap().len(), WRITERS + 1);
}

/// Sessions made by Node have no owner: nobody's list can hold them.
#[test]
fn app_says_that_a_session_without_owner_has_none() {
    let redis = RedisServer::start();
    let app = App::with_redis(&redis.url());
    let token = token(&app);
    let read = Call::get("/session/read")
        .bearer(&token)
        .send(app.address)
        .ok();
    let key = format!("sess:{}", read["id"].as_str().unwrap());
    redis.run(&["SET", &key, r#"{"made":"by Node"}"#]);
    for route in ["list", "destroy-others", "destroy-all"] {
        let call = Call::get(format!("/session/{route}")).bearer(&token);
        assert!(call.send(app.address).error(409).contains("owner"));
    }
    let read = Call::get("/session/read")
        .bearer(&token)
        .send(app.address)
        .ok();
    assert_eq!(read["session"], json!({"made": "by Node"}));
    assert_eq!(
        Call::post("/session/destroy")
            .bearer(&token)
            .send(app.address)
            .status,
        200
    );
}
