//! Usernames of any UTF-8.

use serde_json::json;

use super::{destroy, encode, is_session_of, log_in};
use crate::service::Service;

on_every_store!(
    names_of_any_text_are_kept_apart,
    a_path_that_is_not_a_name_ends_nothing,
);

async fn names_of_any_text_are_kept_apart(service: Service) {
    let long = "x".repeat(512);
    let names = [
        "a", "a:b", "a:", "*", "a*", "?", "..", ".", "{a}", "a/b", "a%2Fb", "%2F", "%00", "a\r\nb",
        "a\nb", "\0", "a\0", " ", "+", "a b", "🦀", "é", "e\u{301}", "A", "<script>", "_jrs",
        &long,
    ];
    let mut tokens = Vec::new();
    for name in names {
        tokens.push(log_in(&service, name).await);
    }
    for (ended, name) in names.iter().enumerate() {
        for (at, token) in tokens.iter().enumerate() {
            let lives = is_session_of(&service, token, names[at]).await;
            assert_eq!(lives, at >= ended, "{:?} before {name:?} ends", names[at]);
        }
        let answer = destroy(&service, &tokens[ended], &encode(name)).await;
        assert_eq!(answer, (200, json!({ "username": name })), "{name:?}");
    }
}

async fn a_path_that_is_not_a_name_ends_nothing(service: Service) {
    let token = log_in(&service, "jo").await;
    for (path, status) in [
        ("%FF", 400),
        ("jo%FF", 400),
        ("", 404),
        ("jo/", 404),
        ("jo/jo", 404),
        ("../sessions/jo", 404),
        (&"j".repeat(513), 401),
        (&"j".repeat(10_000), 401),
    ] {
        assert_eq!(destroy(&service, &token, path).await.0, status, "{path}");
    }
    assert!(is_session_of(&service, &token, "jo").await);
}
