//! The method `create`.

use jwt_redis_session::{SessionError, SessionId, Token, token::TokenError};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::error::ApiError;
use crate::rpc::arguments::Arguments;
use crate::rpc::fields;
use crate::rpc::reply::Reply;
use crate::rpc::state::{RpcState, SESSION_ID, SESSION_VERSION};

/// What `create` gives back.
#[derive(Serialize)]
struct Created {
    token: Token,
}

/// Stores a new session that belongs to the user.
pub(crate) async fn create(state: &RpcState, arguments: &Arguments<'_>) -> Result<Reply, ApiError> {
    let fields = arguments.session()?;
    let user = arguments.user_id()?;
    let session = state.sessions.new_session();
    fields::set(&session, fields)?;
    session.set_owner(&*user)?;
    let id = new_id();
    let claims = json!({
        SESSION_ID: state.session_id(&user, &id),
        SESSION_VERSION: state.version(),
    });
    match session.create().id(id).claims(claims).await {
        Ok(token) => Reply::new(&Created { token }),
        // Control characters take six bytes each, twice.
        Err(SessionError::Token(TokenError::TooLong)) => Err(ApiError::bad_request(
            "the userId makes the token too long; use fewer control characters",
        )),
        Err(error) => Err(error.into()),
    }
}

fn new_id() -> SessionId {
    SessionId::parse(Uuid::new_v4().to_string()).expect("a UUID is an id")
}
