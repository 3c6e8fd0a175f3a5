//! The method `update`.

use jwt_redis_session::{Session, SessionError};

use crate::error::ApiError;
use crate::http::Client;
use crate::lookup::found;
use crate::rounds::Rounds;
use crate::rpc::arguments::Arguments;
use crate::rpc::door::Door;
use crate::rpc::fields;
use crate::rpc::reply::Reply;

/// Merges fields into the stored session: in one atomic step, so that what others write at the
/// same time stays and what others end stays ended.
pub(crate) async fn update(
    door: &Door,
    client: Client,
    arguments: &Arguments<'_>,
) -> Result<Reply, ApiError> {
    let fields = arguments.session()?;
    let token = arguments.token()?;
    door.check_version(&arguments.session_version()?)?;
    let id = door.verify(client, &token)?;
    let session = found(door.sessions.get_without_touch(&id).await)?.ok_or_else(gone)?;
    fields::set(&session, fields)?;
    match store(&session).await {
        Ok(()) => Reply::new(&"OK"),
        Err(SessionError::Gone) => Err(gone()),
        Err(error) => Err(error.into()),
    }
}

async fn store(session: &Session) -> Result<(), SessionError> {
    let mut rounds = Rounds::new();
    loop {
        match session.update().await {
            Err(SessionError::Conflict) if rounds.another() => {}
            done => return done,
        }
    }
}

fn gone() -> ApiError {
    ApiError::bad_request("the session is gone: it was destroyed or has expired")
}
