//! Keys that are replaced while sessions are in use.

use jwt_redis_session::Algorithm;
use jwt_redis_session::token::{Key, KeyringBuilder};

use super::*;

on_every_store!(
    sessions_outlive_the_key_that_signed_their_token,
    no_request_fails_while_keys_are_replaced,
);

fn old() -> Key {
    Key::secret("the secret of last year, 32 bytes or more").kid("old")
}

fn new() -> Key {
    Key::secret("the secret of this year, 32 bytes or more").kid("new")
}

fn signing(key: Key) -> KeyringBuilder {
    Keyring::builder(Algorithm::Hs256).signing(key)
}

fn reload(keyring: &Keyring, next: KeyringBuilder) {
    keyring.reload(&next.build().unwrap()).unwrap();
}

fn with_keys(store: impl Into<SharedStore>) -> (Keyring, Sessions) {
    let keyring = signing(old()).build().unwrap();
    let sessions = Sessions::builder(store, keyring.clone()).build().unwrap();
    (keyring, sessions)
}

async fn sessions_outlive_the_key_that_signed_their_token(store: impl Store + Clone) {
    let (keyring, sessions) = with_keys(store);
    let (_, kept) = created(&sessions, Some("jo")).await;
    let (_, left) = created(&sessions, Some("jo")).await;
    let handle = open(&sessions, &kept).await.unwrap();

    reload(&keyring, signing(old()).previous(new()));
    reload(&keyring, signing(new()).previous(old()));
    for token in [&kept, &left] {
        assert_eq!(open(&sessions, token).await.unwrap().get("a"), Ok(Some(1)));
    }
    // A handle from before signs with the new key, too.
    let moved = handle.rotate().await.unwrap();

    reload(&keyring, signing(new()));
    assert_eq!(open(&sessions, &moved).await.unwrap().get("a"), Ok(Some(1)));
    let rejected = SessionError::Rejected(TokenRejection::HeaderParam);
    assert_eq!(open(&sessions, &left).await.err(), Some(rejected));
    // The session is still there, and can be ended by its owner.
    assert_eq!(sessions.destroy_all("jo").await, Ok(2));
}

async fn no_request_fails_while_keys_are_replaced(store: impl Store + Clone) {
    let (keyring, sessions) = with_keys(store);
    reload(&keyring, signing(old()).previous(new()));
    let swap = async {
        for _ in 0..200 {
            reload(&keyring, signing(new()).previous(old()));
            tokio::task::yield_now().await;
            reload(&keyring, signing(old()).previous(new()));
            tokio::task::yield_now().await;
        }
    };
    let request = async || {
        for _ in 0..40 {
            let (_, token) = created(&sessions, None).await;
            let session = open(&sessions, &token).await.unwrap();
            let token = session.rotate().await.unwrap();
            open(&sessions, &token)
                .await
                .unwrap()
                .destroy()
                .await
                .unwrap();
        }
    };
    tokio::join!(swap, request(), request(), request());
}
