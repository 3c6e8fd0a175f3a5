//! The method `destroy`.

use crate::error::ApiError;
use crate::http::Client;
use crate::rpc::arguments::Arguments;
use crate::rpc::door::Door;
use crate::rpc::reply::Reply;

/// Ends the session.
pub(crate) async fn destroy(
    door: &Door,
    client: Client,
    arguments: &Arguments<'_>,
) -> Result<Reply, ApiError> {
    let token = arguments.token()?;
    door.check_version(&arguments.session_version()?)?;
    let id = door.verify(client, &token)?;
    if door.sessions.destroy(&id).await? {
        Reply::new(&"OK")
    } else {
        Err(ApiError::bad_request(
            "there was an issue destroying the session: there is none",
        ))
    }
}
