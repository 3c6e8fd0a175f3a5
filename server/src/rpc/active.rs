//! The methods that concern all sessions of a user.

use jwt_redis_session::SessionEntry;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::rpc::arguments::Arguments;
use crate::rpc::fields::{Fields, Keys};
use crate::rpc::reply::Reply;
use crate::rpc::state::RpcState;
use crate::unix_time;

/// Session in the answer of `getActiveSessions`; times in Unix seconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Active {
    session_id: String,
    created_at: Option<u64>,
    expires_at: Option<u64>,
    session: Whole,
}

/// All fields of a session, as the client named them.
struct Whole(Box<RawValue>);

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (stored, keys) = (&*self.0, &Keys::All);
        Fields { stored, keys }.serialize(serializer)
    }
}

/// Lists the user's sessions, oldest first.
pub(crate) async fn list(state: &RpcState, arguments: &Arguments<'_>) -> Result<Reply, ApiError> {
    let user = arguments.user_id()?;
    state.check_version(&arguments.session_version()?)?;
    let entries = state.sessions.list(&user).await?;
    let describe = |entry: &SessionEntry| Active {
        session_id: state.session_id(&user, entry.id()),
        created_at: entry.created_at().and_then(unix_time::seconds),
        expires_at: entry.expires_at().and_then(unix_time::seconds),
        session: Whole(entry.data().to_raw_json()),
    };
    let active: Vec<_> = entries.iter().map(describe).collect();
    Reply::new(&active)
}

/// Ends the user's sessions.
pub(crate) async fn destroy_all(
    state: &RpcState,
    arguments: &Arguments<'_>,
) -> Result<Reply, ApiError> {
    let user = arguments.user_id()?;
    state.check_version(&arguments.session_version()?)?;
    Reply::new(&state.sessions.destroy_all(&user).await?)
}
