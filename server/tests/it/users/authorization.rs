//! Requests without a valid session are rejected and change nothing.

use jwt_redis_session::token::TokenFormat;
use jwt_redis_session::{Keyring, OpaqueTokens};
use serde_json::json;

use super::{destroy, is_valid, log_in, show};
use crate::request::{self, send, status};
use crate::service::{MASTER_KEY, SECRET, Service, json as read};

on_every_store!(
    requests_without_a_session_are_rejected,
    sessions_of_other_users_are_not_ended,
    credentials_of_other_apis_are_rejected,
);

async fn requests_without_a_session_are_rejected(service: Service) {
    let jo = log_in(&service, "jo").await;
    let get = || service.get("/sessions");
    let delete = || service.delete("/sessions/jo");
    let in_url = service.get(&format!("/sessions?access_token={jo}"));
    let (missing, unknown) = (r#"Bearer realm="sessiond""#, "A".repeat(43));
    let invalid = &*format!(r#"{missing}, error="invalid_token""#);
    for (request, challenge) in [
        (get(), missing),
        (get().basic_auth("jo", Some("x")), missing),
        (in_url, missing),
        (get().bearer_auth(&unknown), invalid),
        (get().bearer_auth("a".repeat(8193)), invalid),
        (get().bearer_auth(&jo).bearer_auth(&jo), invalid),
        (delete(), missing),
        (delete().bearer_auth(&unknown), invalid),
        (delete().bearer_auth(jo.to_lowercase()), invalid),
    ] {
        let response = send(request).await;
        assert_eq!(response.headers()["www-authenticate"], challenge);
        let error = json!({ "error": "Session does not exist." });
        assert_eq!(read(response).await, (401, error));
    }
    assert!(is_valid(&service, &jo, "jo").await);
}

async fn sessions_of_other_users_are_not_ended(service: Service) {
    let (jo, al) = (log_in(&service, "jo").await, log_in(&service, "al").await);
    let invalid = (401, "Invalid session.");
    let long = "j".repeat(10_000);
    for (path, (status, error)) in [
        ("al", invalid),
        ("Jo", invalid),
        ("jo%20", invalid),
        ("jo%00", invalid),
        ("*", invalid),
        ("%6Ao%2F", invalid),
        (&long, invalid),
        ("jo%FF", (400, "the username in the path is not UTF-8")),
        ("", (404, "there is no such path")),
        ("jo/", (404, "there is no such path")),
        ("../sessions/jo", (404, "there is no such path")),
    ] {
        let answer = destroy(&service, &jo, path).await;
        assert_eq!(answer, (status, json!({ "error": error })), "{path:.60}");
    }
    assert!(is_valid(&service, &jo, "jo").await);
    assert!(is_valid(&service, &al, "al").await);
}

async fn credentials_of_other_apis_are_rejected(service: Service) {
    let jo = log_in(&service, "jo").await;
    let keyring = Keyring::hs256(SECRET).expect("a keyring");
    let mut foreign = vec![MASTER_KEY.to_owned()];
    for (keyspace, tokens) in [
        ("sessiond:rpc:v1:", TokenFormat::from(keyring)),
        ("sessiond:bucket:", OpaqueTokens::new().into()),
        ("sessiond:admin:", OpaqueTokens::new().into()),
    ] {
        let session = request::library(&service, keyspace, tokens).new_session();
        session.set_owner("jo").expect("an owner");
        foreign.push(session.create().await.expect("a token").into_string());
        foreign.push(session.id().expect("an id").as_str().to_owned());
    }
    for token in foreign {
        assert_eq!(status(show(&service, &token)).await, 401);
        assert_eq!(destroy(&service, &token, "jo").await.0, 401);
    }
    assert!(is_valid(&service, &jo, "jo").await);
}
