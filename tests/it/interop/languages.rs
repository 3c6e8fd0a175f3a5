//! Sessions shared with Python and JavaScript, whose sources were written from FORMAT.md.

use std::time::Duration;

use futures_util::future::join_all;
use jwt_redis_session::{Session, SessionError, Sessions};
use serde_json::{Value, json};

use super::{Driver, rust};
use crate::support::redis_server::RedisServer;

/// How long an old token opens the new session.
const GRACE: Duration = Duration::from_secs(60);

/// How often each race is run.
const ROUNDS: usize = 50;

/// A participant: this crate, or a driver.
enum Language {
    Rust(Sessions),
    Other(Driver),
}

impl Language {
    async fn run(&mut self, command: &Value) -> Result<Value, String> {
        match self {
            Self::Rust(sessions) => in_rust(sessions, command).await.map_err(|e| e.to_string()),
            Self::Other(driver) => driver.try_run(command).await,
        }
    }
}

async fn all(redis: &RedisServer) -> Vec<Language> {
    vec![
        Language::Rust(rust(redis).await),
        Language::Other(Driver::python(redis)),
        Language::Other(Driver::javascript(redis)),
    ]
}

async fn listed(sessions: &Sessions, owner: &str) -> Result<Value, SessionError> {
    let entries = sessions.list(owner).await?;
    let mut ids: Vec<_> = entries.iter().map(|entry| entry.id().as_str()).collect();
    ids.sort_unstable();
    Ok(json!(ids))
}

async fn in_rust(sessions: &Sessions, command: &Value) -> Result<Value, SessionError> {
    let text = |name: &str| command[name].as_str().unwrap_or_default();
    let fields = |name: &str| command[name].as_object().cloned().unwrap_or_default();
    let open = async || sessions.open(text("token")).await;
    let named = |session: &Session, token: &str| {
        let id = session.id().expect("an id");
        json!({ "token": token, "id": id.as_str() })
    };
    Ok(match text("op") {
        "create" => {
            let session = sessions.new_session();
            session.merge(fields("data"))?;
            session.set_owner(text("owner"))?;
            let token = session.create().await?;
            named(&session, token.as_str())
        }
        "read" => open().await?.to_json(),
        "update" => {
            let session = open().await?;
            session.merge(fields("set"))?;
            session.update().await?;
            session.to_json()
        }
        "rotate" => {
            let session = open().await?;
            let token = session.rotate().await?;
            named(&session, token.as_str())
        }
        "rotate_with_grace" => {
            let session = open().await?;
            let token = session.rotate_with_grace(GRACE).await?;
            named(&session, token.as_str())
        }
        "destroy" => json!(open().await?.destroy().await?),
        "destroy_all" => json!(sessions.destroy_all(text("owner")).await?),
        "list" => listed(sessions, text("owner")).await?,
        other => panic!("no such operation: {other}"),
    })
}

/// Runs one command in each language at the same time.
async fn at_once(
    languages: &mut [Language],
    command: impl Fn(usize) -> Value,
) -> Vec<Result<Value, String>> {
    let run = languages.iter_mut().enumerate();
    join_all(run.map(|(number, language)| {
        let command = command(number);
        async move { language.run(&command).await }
    }))
    .await
}

/// Asserts that an operation of each language has this result for a token.
async fn assert_each(languages: &mut [Language], token: &Value, result: Option<&Value>) {
    for language in languages {
        let read = language.run(&json!({"op": "read", "token": token})).await;
        assert_eq!(read.ok().as_ref(), result);
    }
}

async fn assert_listed(languages: &mut [Language], owner: &str, ids: Value) {
    for language in languages {
        let list = language.run(&json!({"op": "list", "owner": owner})).await;
        assert_eq!(list, Ok(ids.clone()));
    }
}

/// The creator makes a session, all change it, the next one rotates it, the last one ends it.
async fn a_life(languages: &mut [Language], owner: &str, creator: usize) {
    let data = json!({"user": {"name": owner}, "n": 1.5});
    let create = json!({"op": "create", "owner": owner, "data": data});
    let created = languages[creator].run(&create).await.expect("created");
    let token = &created["token"];
    assert_each(languages, token, Some(&data)).await;
    assert_listed(languages, owner, json!([created["id"]])).await;
    for (number, language) in languages.iter_mut().enumerate() {
        let set = json!({ format!("by{number}"): number });
        let update = json!({"op": "update", "token": token, "set": set});
        language.run(&update).await.expect("updated");
    }
    let rotator = (creator + 1) % languages.len();
    let rotate = json!({"op": "rotate", "token": token});
    let rotated = languages[rotator].run(&rotate).await.expect("rotated");
    let kept = json!({"user": data["user"], "n": 1.5, "by0": 0, "by1": 1, "by2": 2});
    assert_each(languages, token, None).await;
    assert_each(languages, &rotated["token"], Some(&kept)).await;
    let end = match creator {
        0 => json!({"op": "destroy", "token": rotated["token"]}),
        _ => json!({"op": "destroy_all", "owner": owner}),
    };
    let last = (creator + 2) % languages.len();
    languages[last].run(&end).await.expect("ended");
    assert_each(languages, &rotated["token"], None).await;
    assert_listed(languages, owner, json!([])).await;
}

#[tokio::test]
#[ignore = "needs npm and PyPI packages: scripts/interop"]
async fn each_language_reads_writes_and_ends_the_sessions_of_the_others() {
    let redis = RedisServer::start();
    let mut languages = all(&redis).await;
    for owner in ["jo", "jö: *"] {
        for creator in 0..languages.len() {
            a_life(&mut languages, owner, creator).await;
        }
    }
    let left = redis.run(&["DBSIZE"]);
    assert_eq!(left, redis::Value::Int(0), "nothing is left");
}

#[tokio::test]
#[ignore = "needs npm and PyPI packages: scripts/interop"]
async fn a_token_opens_the_new_session_during_a_grace() {
    let redis = RedisServer::start();
    let mut languages = all(&redis).await;
    for last in 0..languages.len() {
        let create = json!({"op": "create", "owner": "jo", "data": {}});
        let old = languages[last].run(&create).await.expect("created")["token"].take();
        let rotate = json!({"op": "rotate_with_grace", "token": old});
        let rotated = languages[0].run(&rotate).await.expect("rotated");
        for (number, language) in languages.iter_mut().enumerate() {
            let set = json!({ format!("by{number}"): number });
            let update = json!({"op": "update", "token": old, "set": set});
            language.run(&update).await.expect("updated");
        }
        let fields = json!({"by0": 0, "by1": 1, "by2": 2});
        assert_each(&mut languages, &rotated["token"], Some(&fields)).await;
        assert_listed(&mut languages, "jo", json!([rotated["id"]])).await;
        let destroy = json!({"op": "destroy", "token": old});
        languages[last].run(&destroy).await.expect("destroyed");
        assert_each(&mut languages, &old, None).await;
        assert_each(&mut languages, &rotated["token"], None).await;
        assert_listed(&mut languages, "jo", json!([])).await;
    }
}

#[tokio::test]
#[ignore = "needs npm and PyPI packages: scripts/interop"]
async fn concurrent_updates_are_all_kept() {
    let redis = RedisServer::start();
    let mut languages = all(&redis).await;
    let create = json!({"op": "create", "owner": "jo", "data": {}});
    let token = languages[0].run(&create).await.expect("created")["token"].take();
    for round in 0..ROUNDS {
        let updates = at_once(&mut languages, |number| {
            let set = json!({ format!("{round}/{number}"): number });
            json!({"op": "update", "token": token, "set": set})
        });
        assert!(updates.await.iter().all(Result::is_ok));
    }
    let read = json!({"op": "read", "token": token});
    let fields = languages[0].run(&read).await.expect("found");
    assert_eq!(fields.as_object().expect("an object").len(), 3 * ROUNDS);
}

#[tokio::test]
#[ignore = "needs npm and PyPI packages: scripts/interop"]
async fn one_rotation_wins() {
    let redis = RedisServer::start();
    let mut languages = all(&redis).await;
    for round in 0..ROUNDS {
        let create = json!({"op": "create", "owner": "jo", "data": {"round": round}});
        let token = languages[round % 3].run(&create).await.expect("created")["token"].take();
        let rotate = json!({"op": "rotate", "token": token});
        let rotations = at_once(&mut languages, |_| rotate.clone()).await;
        let mut winners = rotations.into_iter().filter_map(Result::ok);
        let won = winners.next().expect("a winner");
        assert!(winners.next().is_none(), "one winner");
        let list = json!({"op": "list", "owner": "jo"});
        assert_eq!(languages[0].run(&list).await, Ok(json!([won["id"]])));
        let destroy = json!({"op": "destroy", "token": won["token"]});
        languages[1]
            .run(&destroy)
            .await
            .expect("the winner's token works");
    }
}

#[tokio::test]
#[ignore = "needs npm and PyPI packages: scripts/interop"]
async fn log_out_everywhere_misses_no_session() {
    let redis = RedisServer::start();
    let mut languages = all(&redis).await;
    let create = json!({"op": "create", "owner": "jo", "data": {}});
    for round in 0..ROUNDS {
        let before = languages[round % 3].run(&create).await.expect("created");
        let who = (round + 1) % 3;
        let during = at_once(&mut languages, |number| {
            if number == who {
                return json!({"op": "destroy_all", "owner": "jo"});
            }
            create.clone()
        });
        let during = during.await;
        let read = json!({"op": "read", "token": before["token"]});
        let list = languages[who]
            .run(&json!({"op": "list", "owner": "jo"}))
            .await;
        let listed = list.expect("a list");
        let listed = listed.as_array().expect("an array");
        for language in &mut languages {
            assert!(language.run(&read).await.is_err(), "logged out");
            for created in during.iter().flatten().filter(|answer| answer.is_object()) {
                let read = json!({"op": "read", "token": created["token"]});
                let is_alive = language.run(&read).await.is_ok();
                assert_eq!(is_alive, listed.contains(&created["id"]), "alive or listed");
            }
        }
    }
}
