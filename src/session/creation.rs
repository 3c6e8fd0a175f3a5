//! How a handle comes to a session of its own.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::to_its_end;
use crate::session::handle::Session;
use crate::token::Token;

impl Session {
    /// Creates a session with a fresh id from what was set on this handle, and returns its token.
    ///
    /// The token exists only if the store has acknowledged the record. A session that the
    /// request already had is neither carried over nor ended: what was loaded stays behind, so
    /// that one user's data never ends up in another's session. To keep the data use
    /// [`rotate`](Self::rotate). What was set counts as stored then: a second `create` on the same
    /// handle starts from nothing.
    ///
    /// Redis: `SET NX`. Runs to its end even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`], [`SessionError::TooLarge`],
    /// [`SessionError::InvalidOwner`], [`SessionError::Token`], and [`SessionError::Conflict`]
    /// if each of five tries met a `destroy_all` of its owner.
    pub async fn create(&self) -> Result<Token, SessionError> {
        self.create_with(Map::new()).await
    }

    /// As [`create`](Self::create), with claims of your own in the JWT: an object, whose names
    /// must not be those of the claims that are set here (`jti`, `iat`, `sub`, `exp`; `iss` and
    /// `aud` if the key ring sets them).
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); [`SessionError::Token`] for claims that are not yours to
    /// set; [`SessionError::Encode`] if `claims` is not an object.
    pub async fn create_with_claims(&self, claims: impl Serialize) -> Result<Token, SessionError> {
        self.create_with(object(claims)?).await
    }

    async fn create_with(&self, claims: Map<String, Value>) -> Result<Token, SessionError> {
        let shared = Arc::clone(&self.0);
        to_its_end(async move {
            let _turn = shared.turn.lock().await;
            shared
                .create(claims)
                .await
                .map_err(|error| shared.failed("create", error))
        })
        .await
    }

    /// As [`create_with_claims`](Self::create_with_claims), but under an id of your own choice;
    /// of several creations under one id, at once or later, exactly one succeeds while its session
    /// lives.
    ///
    /// Whoever can guess an id knows nothing yet: the token is what lets in. But **use an id
    /// once**: every JWT that was ever issued for it opens whichever session has it, and an
    /// operation that is still under way on an earlier session of this id (its destruction, a
    /// touch that finds it gone, one of two `destroy_all` at once) may take the new one off its
    /// owner's list, where it stands again only when its time to live is next pushed back.
    ///
    /// A `destroy_all` of the owner that takes the new session with it is waited out: at most
    /// five tries under the same id, with pauses of some 15 ms in all.
    ///
    /// Redis: `GET` if there is an owner, then as [`create`](Self::create). Runs to its end even
    /// if the caller is dropped. The record carries a nonce, drawn as an id is (see
    /// [`SessionsBuilder::id_generator`](crate::SessionsBuilder::id_generator)).
    ///
    /// ```
    /// # use jwt_redis_session::{Keyring, MemoryStore, SessionError, SessionId, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let id = SessionId::parse("order-2024-000017")?;
    /// let claims = serde_json::json!({ "version": 1 });
    /// let token = sessions.new_session().create_as(id.clone(), &claims).await?;
    /// assert_eq!(sessions.open(token.as_str()).await?.id(), Some(id.clone()));
    ///
    /// let again = sessions.new_session().create_as(id, &claims).await;
    /// assert_eq!(again.unwrap_err(), SessionError::Taken);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Taken`] if something stands under this id already: it was left alone, and
    /// so was its owner's list. [`SessionError::Conflict`] if each of the tries met a
    /// `destroy_all`. [`SessionError::Token`] with opaque tokens, whose ids are hashes.
    ///
    /// [`SessionError::Unavailable`] leaves open whether the session came into being. It is taken
    /// back in the background if the store answers again at once, and only if it is the very one
    /// that this call wrote, unchanged: never one that another call created, however alike. If
    /// the store stays away, or carries the write out only later, a session that nobody has a
    /// token of may hold the id for the max age. So a repetition that says `Taken` does not tell
    /// whose session it is; [`Sessions::get_without_touch`](crate::Sessions::get_without_touch) shows what stands there, and
    /// [`Sessions::destroy`](crate::Sessions::destroy) frees the id.
    ///
    /// Otherwise as [`create_with_claims`](Self::create_with_claims).
    pub async fn create_as(
        &self,
        id: SessionId,
        claims: impl Serialize,
    ) -> Result<Token, SessionError> {
        let claims = object(claims)?;
        let shared = Arc::clone(&self.0);
        to_its_end(async move {
            let _turn = shared.turn.lock().await;
            shared
                .create_as(id, claims)
                .await
                .map_err(|error| shared.failed("create_as", error))
        })
        .await
    }
}

fn object(claims: impl Serialize) -> Result<Map<String, Value>, SessionError> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(claims)) => Ok(claims),
        _ => Err(SessionError::encode("claims")),
    }
}
