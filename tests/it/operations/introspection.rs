//! Token introspection: what it reports, and that it is not a use of the session.

use std::time::UNIX_EPOCH;

use jwt_redis_session::endpoints::{ClientSecrets, Introspection};

use super::lifetimes::{Clocked, IDLE, both};
use super::*;

on_every_store!(
    every_end_of_a_session_makes_its_token_inactive,
    opaque_tokens_and_jwts_are_looked_for_in_each_of_several_sessions,
);

fn introspection(sessions: &Sessions) -> Introspection {
    of([sessions.clone()])
}

fn of(sessions: impl IntoIterator<Item = Sessions>) -> Introspection {
    let secrets = ClientSecrets::new(["a client secret of 32 random bytes"]);
    Introspection::new(sessions, secrets.unwrap())
}

async fn info(introspection: &Introspection, token: &str) -> Value {
    let info = introspection.introspect(token).await.unwrap();
    let json = serde_json::to_value(&info).unwrap();
    assert_eq!(json["active"], info.is_active());
    json
}

fn inactive() -> Value {
    json!({ "active": false })
}

/// Ends `session`, whose owner is `jo`. Returns the token of the session that follows, if any.
async fn end(how: &str, sessions: &Sessions, session: &Session) -> Option<Token> {
    match how {
        "logout" => session.logout().await.map(drop).unwrap(),
        "destroy by id" => assert_eq!(sessions.destroy(&id(session)).await, Ok(true)),
        "destroy_others" => {
            let (another, token) = created(sessions, Some("jo")).await;
            another.destroy_others().await.unwrap();
            return Some(token);
        }
        "rotate" => return Some(session.rotate().await.unwrap()),
        how => run(how, session).await.unwrap(),
    }
    None
}

async fn every_end_of_a_session_makes_its_token_inactive(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let introspection = introspection(&sessions);
    let ends = [
        "logout",
        "destroy by id",
        "destroy",
        "destroy_all",
        "destroy_others",
        "rotate",
    ];
    for how in ends {
        let (session, token) = created(&sessions, Some("jo")).await;
        let found = info(&introspection, token.as_str()).await;
        assert_eq!(
            (&found["active"], &found["sub"]),
            (&json!(true), &json!("jo"))
        );
        assert_eq!(found["jti"], id(&session).as_str());
        let next = end(how, &sessions, &session).await;
        assert_eq!(
            info(&introspection, token.as_str()).await,
            inactive(),
            "{how}"
        );
        if let Some(next) = next {
            assert_eq!(info(&introspection, next.as_str()).await["active"], true);
        }
    }
    let (session, token) = created(&sessions, None).await;
    spoil(&store, &session, true).await;
    assert_eq!(info(&introspection, token.as_str()).await, inactive());
    for token in ["", "a", "a.b.c", &"x".repeat(9000)] {
        assert_eq!(info(&introspection, token).await, inactive());
    }
}

async fn opaque_tokens_and_jwts_are_looked_for_in_each_of_several_sessions(
    store: impl Store + Clone,
) {
    let jwts = sessions(store.clone());
    let opaque = Sessions::builder(store, OpaqueTokens::new()).keyspace("user:");
    let opaque = opaque.build().unwrap();
    let both = of([jwts.clone(), opaque.clone()]);
    let (_, jwt) = created(&jwts, Some("jo")).await;
    let (session, text) = created(&opaque, Some("al")).await;
    assert_eq!(info(&both, jwt.as_str()).await["sub"], "jo");
    let found = info(&both, text.as_str()).await;
    let created = session.created_at().unwrap().duration_since(UNIX_EPOCH);
    assert_eq!(
        (&found["sub"], &found["iat"]),
        (&json!("al"), &json!(created.unwrap().as_secs()))
    );
    assert_eq!(info(&introspection(&jwts), text.as_str()).await, inactive());
    session.destroy().await.unwrap();
    assert_eq!(info(&both, text.as_str()).await, inactive());
    assert!(both.introspect(jwt.as_str()).await.unwrap().is_active());
}

#[tokio::test]
async fn the_answer_has_the_end_of_the_session_and_does_not_move_it() {
    const START: i64 = 1_700_000_000;
    for touch in [Touch::After(Duration::ZERO), Touch::EveryRead] {
        let absolute = Duration::from_secs(3000);
        let test = Clocked::new(|builder| builder.lifetime(both(absolute)).touch(touch));
        let introspection = introspection(&test.sessions);
        let (session, token) = created(&test.sessions, None).await;
        for (seconds, end) in [(0, 1600), (600, 1600), (900, 1600)] {
            test.clock.set(START + seconds);
            let expected = json!({ "active": true, "exp": START + end, "iat": START,
                "jti": id(&session).as_str(), "token_type": "Bearer" });
            assert_eq!(info(&introspection, token.as_str()).await, expected);
            settle().await;
        }
        assert_eq!(test.left(&session).await, 700);
        // A use moves the end, up to the absolute one.
        for (seconds, end) in [(1000, 2600), (2000, 3000)] {
            test.clock.set(START + seconds);
            open(&test.sessions, &token).await.unwrap();
            settle().await;
            let found = info(&introspection, token.as_str()).await;
            assert_eq!(found["exp"], START + end, "{seconds}");
        }
        test.clock.set(START + 3000);
        assert_eq!(info(&introspection, token.as_str()).await, inactive());
    }
}

/// A caller that keeps the answer until `exp` rejects the old token in time.
#[tokio::test]
async fn an_old_token_is_active_until_the_grace_ends() {
    let test = Clocked::new(|builder| builder);
    let introspection = introspection(&test.sessions);
    let (session, first) = created(&test.sessions, Some("jo")).await;
    let second = session.rotate_with_grace(Duration::from_secs(60)).await;
    test.advance(20);
    let third = session.rotate_with_grace(Duration::from_secs(30)).await;
    let jti = id(&session);
    let idle = i64::try_from(IDLE.as_secs()).unwrap();
    let tokens = [first, second.unwrap(), third.unwrap()];
    for (token, exp) in tokens.iter().zip([50, 50, 20 + idle]) {
        let info = info(&introspection, token.as_str()).await;
        assert_eq!(info["jti"], jti.as_str());
        assert_eq!(info["exp"], 1_700_000_000 + exp);
    }
    test.advance(30);
    for (token, active) in tokens.iter().zip([false, false, true]) {
        assert_eq!(info(&introspection, token.as_str()).await["active"], active);
    }
}

#[tokio::test]
async fn an_outage_is_an_error_and_never_inactive() {
    let test = Clocked::new(|builder| builder);
    let introspection = introspection(&test.sessions);
    let (_, token) = created(&test.sessions, None).await;
    for kind in [StoreErrorKind::Connection, StoreErrorKind::Timeout] {
        test.faults.fail_with(kind);
        assert_unavailable(introspection.introspect(token.as_str()).await, kind);
        // Without asking the store.
        assert_eq!(info(&introspection, "a.b.c").await, inactive());
        test.faults.heal();
    }
    assert!(
        introspection
            .introspect(token.as_str())
            .await
            .unwrap()
            .is_active()
    );
}

#[tokio::test]
async fn nothing_is_printed() {
    let test = Clocked::new(|builder| builder);
    let introspection = introspection(&test.sessions);
    let (_, token) = created(&test.sessions, Some("hush")).await;
    let info = introspection.introspect(token.as_str()).await.unwrap();
    let printed = format!("{info:?} {introspection:?}");
    assert!(
        !printed.contains("hush") && !printed.contains("client secret"),
        "{printed}"
    );
    assert!(
        printed.starts_with("TokenInfo { active: true, .. }"),
        "{printed}"
    );
}
