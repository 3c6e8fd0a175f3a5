//! Sessions without HTTP, for a job queue, a game server or another protocol.
//!
//! Shows all operations on the sessions of an app and an owner, with opaque tokens.
//!
//! `cargo run --example without_http`

use std::time::Duration;

use jwt_redis_session::{
    MemoryStore, OpaqueTokens, SessionError, Sessions, TokenRejection, token::Encoding,
};

/// The sessions of one app: a separate keyspace, 128-byte tokens in hexadecimal, and at most a
/// week without use.
fn sessions_of(app: &str, store: MemoryStore) -> Result<Sessions, Box<dyn std::error::Error>> {
    let tokens = OpaqueTokens::new().size(128)?.encoding(Encoding::Hex);
    Ok(Sessions::builder(store, tokens)
        .keyspace(format!("{app}:"))
        .max_age(Duration::from_secs(7 * 86_400))
        .build()?)
}

async fn create(sessions: &Sessions, owner: &str) -> Result<String, SessionError> {
    let session = sessions.new_session();
    session.insert("logins", 1)?;
    Ok(session.login(owner).await?.into_string())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = MemoryStore::new();
    let shop = sessions_of("shop", store.clone())?;
    let blog = sessions_of("blog", store)?;

    let phone = create(&shop, "jo").await?;
    let laptop = create(&shop, "jo").await?;
    let length = phone.len();
    println!("two sessions of jo in the shop, tokens of {length} characters");

    // Another app cannot open them, even in the same store.
    let foreign = blog.open(&phone).await.unwrap_err();
    assert_eq!(foreign, SessionError::Rejected(TokenRejection::Unknown));

    // The time to live starts again.
    let session = shop.open(&phone).await?;
    session.touch().await?;

    // Update: what other handles write to other fields stays.
    session.insert("theme", "dark")?;
    session.update().await?;
    let data = shop.open(&phone).await?.to_json();
    println!("the phone's session: {data}");

    // Kill one, then all that are left.
    assert!(session.destroy().await?);
    assert!(shop.open(&phone).await.is_err());
    let left = shop.list("jo").await?.len();
    println!("killed the phone's session, {left} left");
    println!("killed {} more", shop.destroy_all("jo").await?);
    assert!(shop.open(&laptop).await.is_err());
    Ok(())
}
