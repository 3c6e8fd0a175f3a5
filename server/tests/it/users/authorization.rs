//! Requests without a valid session are rejected and change nothing.

use serde_json::json;

use super::{destroy, is_valid, log_in};
use crate::request::send;
use crate::service::{Service, json as read};

on_every_store!(
    requests_without_a_session_are_rejected,
    sessions_of_other_users_are_not_ended,
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
        (in_url, missing),
        (get().bearer_auth(&unknown), invalid),
        (get().bearer_auth("a".repeat(8193)), invalid),
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
        (
            "jo%FF",
            (
                400,
                "the username in the path is not UTF-8; percent-encode UTF-8",
            ),
        ),
        ("", (404, "there is no such path; /docs lists all")),
        ("jo/", (404, "there is no such path; /docs lists all")),
        (
            "../sessions/jo",
            (404, "there is no such path; /docs lists all"),
        ),
    ] {
        let answer = destroy(&service, &jo, path).await;
        assert_eq!(answer, (status, json!({ "error": error })), "{path:.60}");
    }
    assert!(is_valid(&service, &jo, "jo").await);
    assert!(is_valid(&service, &al, "al").await);
}
