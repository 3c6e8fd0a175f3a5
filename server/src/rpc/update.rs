//! The method `update`.

use jwt_redis_session::SessionError;

use crate::error::ApiError;
use crate::http::Client;
use crate::optional::OptionalSession as _;
use crate::retry::retry_conflicts;
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
    let session = state
        .sessions
        .get_without_touch(&id)
        .await
        .optional()?
        .ok_or_else(gone)?;
    fields::set(&session, fields)?;
    let update = || async {
        session.update().await.map_err(|error| match error {
            SessionError::Gone => gone(),
            error => error.into(),
        })
    };
    retry_conflicts(update).await?;
    Reply::new(&"OK")
}

fn gone() -> ApiError {
    ApiError::bad_request("the session is gone: it was destroyed or has expired")
}
