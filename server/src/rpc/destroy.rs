//! The method `destroy`.

use crate::error::ApiError;
use crate::http::Client;
use crate::rpc::arguments::Arguments;
use crate::rpc::reply::Reply;
use crate::rpc::state::RpcState;

/// Ends the session.
pub(crate) async fn destroy(
    state: &RpcState,
    client: Client,
    arguments: &Arguments<'_>,
) -> Result<Reply, ApiError> {
    let token = arguments.token()?;
    state.check_version(&arguments.session_version()?)?;
    let id = state.verify(client, &token)?;
    if state.sessions.destroy(&id).await? {
        Reply::new(&"OK")
    } else {
        Err(ApiError::bad_request(
            "there was an issue destroying the session: there is none",
        ))
    }
}
