//! The method `get`.

use crate::error::ApiError;
use crate::http::Client;
use crate::optional::OptionalSession as _;
use crate::rpc::arguments::Arguments;
use crate::rpc::fields::Fields;
use crate::rpc::reply::Reply;
use crate::rpc::state::RpcState;

/// Reads the fields that the caller names; `null` if the session has ended.
pub(crate) async fn get(
    state: &RpcState,
    client: Client,
    arguments: &Arguments<'_>,
) -> Result<Reply, ApiError> {
    let token = arguments.token()?;
    state.check_version(&arguments.session_version()?)?;
    let keys = arguments.keys()?;
    let id = state.verify(client, &token)?;
    match state.sessions.get(&id).await.optional()? {
        Some(session) => Reply::new(&Fields {
            stored: &session.to_raw_json(),
            keys: &keys,
        }),
        None => Reply::new(&()),
    }
}
