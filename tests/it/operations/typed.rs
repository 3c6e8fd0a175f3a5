//! Structs as sessions.

use serde::{Deserialize, Serialize};

use super::*;
use jwt_redis_session::SessionData;
use jwt_redis_session::error::{JsonError, JsonErrorKind};

on_every_store!(
    a_merged_struct_does_not_undo_the_write_of_another_request,
    numbers_that_are_not_finite_are_refused_everywhere,
);

/// As in the README.
#[derive(Serialize, Deserialize)]
struct Profile {
    user: String,
    visits: u64,
}

async fn a_merged_struct_does_not_undo_the_write_of_another_request(store: impl Store + Clone) {
    let sessions = sessions(store);
    let session = sessions.new_session();
    let user = "jo".to_owned();
    session.merge(Profile { user, visits: 0 }).unwrap();
    let token = session.create().await.unwrap();

    let visit = open(&sessions, &token).await.unwrap();
    let profile: Profile = visit.data().unwrap();
    let rename = open(&sessions, &token).await.unwrap();
    rename.insert("user", "joanna").unwrap();
    rename.update().await.unwrap();
    visit
        .merge(Profile {
            visits: profile.visits + 1,
            ..profile
        })
        .unwrap();
    visit.update().await.unwrap();

    let stored: Profile = open(&sessions, &token).await.unwrap().data().unwrap();
    assert_eq!((stored.user.as_str(), stored.visits), ("joanna", 1));
}

async fn numbers_that_are_not_finite_are_refused_everywhere(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let session = sessions.new_session();
    let bad = json!({"a": 1});
    let bad = (bad, f64::NAN);
    let object = std::collections::BTreeMap::from([("score", f32::INFINITY)]);
    let kind = |error: SessionError| match error {
        SessionError::Encode { source, .. } => source.kind(),
        other => panic!("{other:?}"),
    };
    let refused = JsonErrorKind::NotFinite;
    assert_eq!(kind(session.insert("score", bad).unwrap_err()), refused);
    assert_eq!(kind(session.merge(&object).unwrap_err()), refused);
    assert_eq!(kind(session.replace(&object).await.unwrap_err()), refused);
    let created = session.create().claims(&object).await;
    assert_eq!(kind(created.unwrap_err()), refused);
    assert_eq!(store.calls(), 0);
    assert!(!session.is_modified());
}

fn loaded(data: &Value) -> SessionData {
    let mut loaded = SessionData::default();
    loaded.merge(data).unwrap();
    loaded
}

#[test]
fn decode_errors_name_the_field_or_the_whole() {
    use std::error::Error as _;
    let data = loaded(&json!({"user": "jo", "visits": "hunter2"}));
    let in_field = data.data::<Profile>().err().unwrap();
    assert_eq!(
        in_field.to_string(),
        "the session field `visits` does not have the requested type"
    );
    let cause: &JsonError = in_field.source().unwrap().downcast_ref().unwrap();
    assert_eq!((cause.kind(), cause.line()), (JsonErrorKind::Type, 1));
    assert!(cause.column() > 0);
    let missing = loaded(&json!({"user": "jo"})).data::<Profile>().err();
    let missing = missing.unwrap();
    assert_eq!(
        missing.to_string(),
        "the session data as a whole does not have the requested type"
    );
    for error in [in_field, missing] {
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
