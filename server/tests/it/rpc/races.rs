//! Many at once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::caller::{active, call, create, destroy, get_all, handled, update};
use crate::service::Service;

on_every_store!(
    fifty_updates_of_different_fields_at_once_all_survive,
    an_update_that_races_a_destroy_revives_nothing,
    of_many_destroys_at_once_one_finds_the_session,
    sessions_that_are_created_while_all_are_destroyed_are_listed_or_dead,
);

async fn fifty_updates_of_different_fields_at_once_all_survive(service: Service) {
    let token = create(&service, "jo", json!({ "first": true })).await;
    let updates = (0..50).map(|n| update(&service, &token, json!({ format!("k{n}"): n })));
    for answer in join_all(updates).await {
        assert_eq!(answer, (200, json!({ "result": "OK" })));
    }
    let mut expected = json!({ "first": true });
    for n in 0..50 {
        expected[format!("k{n}")] = json!(n);
    }
    assert_eq!(get_all(&service, &token).await, expected);
}

async fn an_update_that_races_a_destroy_revives_nothing(service: Service) {
    let gone = handled(400, "the session is gone: it was destroyed or has expired");
    for round in 0..30 {
        let token = create(&service, "jo", json!({ "a": 1 })).await;
        let updates = join_all((0..6).map(|n| update(&service, &token, json!({ "n": n }))));
        let (updated, destroyed) = tokio::join!(updates, destroy(&service, &token));
        assert_eq!(destroyed.0, 200, "round {round}: {destroyed:?}");
        for answer in updated {
            assert!(
                answer.0 == 200 || answer == gone,
                "round {round}: {answer:?}"
            );
        }
        assert_eq!(get_all(&service, &token).await, Value::Null);
        assert_eq!(update(&service, &token, json!({})).await, gone);
    }
    assert!(active(&service, "jo").await.is_empty());
}

async fn of_many_destroys_at_once_one_finds_the_session(service: Service) {
    let token = create(&service, "jo", json!({})).await;
    let answers = join_all((0..20).map(|_| destroy(&service, &token))).await;
    let found = answers.iter().filter(|answer| answer.0 == 200).count();
    assert_eq!(found, 1, "{answers:?}");
}

async fn sessions_that_are_created_while_all_are_destroyed_are_listed_or_dead(service: Service) {
    for _ in 0..10 {
        let creates = join_all((0..10).map(|_| create(&service, "jo", json!({}))));
        let all = call(
            &service,
            "destroyAll",
            json!({ "userId": "jo", "sessionVersion": "v1" }),
        );
        let (tokens, (status, _)) = tokio::join!(creates, all);
        assert_eq!(status, 200);
        let sessions = join_all(tokens.iter().map(|token| get_all(&service, token))).await;
        let alive = sessions.iter().filter(|session| !session.is_null()).count();
        assert_eq!(active(&service, "jo").await.len(), alive);
        call(
            &service,
            "destroyAll",
            json!({ "userId": "jo", "sessionVersion": "v1" }),
        )
        .await;
    }
}
