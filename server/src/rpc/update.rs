//! The method `update`.

use jwt_redis_session::{Session, SessionError};

use crate::error::ApiError;
use crate::http::Client;
use crate::lookup::found;
use crate::retry_limit::RetryLimit;
use crate::rpc::arguments::Arguments;
use crate::rpc::fields;
use crate::rpc::reply::Reply;
use crate::rpc::state::RpcState;

/// Merges fields into the stored session: in one atomic step, so that what others write at the
/// same time stays and what others end stays ended.
pub(crate) async fn update(
    state: &RpcState,
    client: Client,
    arguments: &Arguments<'_>,
) -> Result<Reply, ApiError> {
    let fields = arguments.session()?;
    let token = arguments.token()?;
    state.check_version(&arguments.session_version()?)?;
    let id = state.verify(client, &token)?;
    let session = found(state.sessions.get_without_touch(&id).await)?.ok_or_else(gone)?;
    fields::set(&session, fields)?;
    match store(&session).await {
        Ok(()) => Reply::new(&"OK"),
        Err(SessionError::Gone) => Err(gone()),
        Err(error) => Err(error.into()),
    }
}

async fn store(session: &Session) -> Result<(), SessionError> {
    let mut retries = RetryLimit::new();
    loop {
        match session.update().await {
            Err(SessionError::Conflict) if retries.another() => {}
            done => return done,
        }
    }
}

fn gone() -> ApiError {
    ApiError::bad_request("the session is gone: it was destroyed or has expired")
}
