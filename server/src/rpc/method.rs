//! What can be called.

use serde::Serialize;

use crate::error::ApiError;
use crate::http::Client;
use crate::rpc::arguments::Arguments;
use crate::rpc::reply::Reply;
use crate::rpc::state::RpcState;
use crate::rpc::{active, create, destroy, get, update};

/// A method, by its name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Create,
    Get,
    Update,
    Destroy,
    GetActiveSessions,
    DestroyAll,
    Methods,
}

/// Description of a method in the answer of `methods`.
#[derive(Serialize)]
struct Description {
    name: &'static str,
    docs: &'static str,
}

const ALL: [(Method, Description); 7] = [
    (
        Method::Create,
        Description {
            name: "create",
            docs: "create {session, userId}: stores a new session that belongs to the user \
                   and returns {token}",
        },
    ),
    (
        Method::Get,
        Description {
            name: "get",
            docs: "get {token, sessionVersion, keys}: returns the fields that keys asks for \
                   (\"*\": all of them; a list of names; absent: none), or null if the session \
                   has ended; prolongs it",
        },
    ),
    (
        Method::Update,
        Description {
            name: "update",
            docs: "update {token, sessionVersion, session}: sets the fields of session in the \
                   stored one, leaves the others as they are and returns \"OK\"; an error if the \
                   session has ended",
        },
    ),
    (
        Method::Destroy,
        Description {
            name: "destroy",
            docs: "destroy {token, sessionVersion}: ends the session and returns \"OK\"; an error \
                   if there is none",
        },
    ),
    (
        Method::GetActiveSessions,
        Description {
            name: "getActiveSessions",
            docs: "getActiveSessions {userId, sessionVersion}: returns a list of the user's \
                   sessions, each {sessionId, createdAt, expiresAt, session}, oldest first",
        },
    ),
    (
        Method::DestroyAll,
        Description {
            name: "destroyAll",
            docs: "destroyAll {userId, sessionVersion}: ends all sessions of the user and returns \
                   how many there were",
        },
    ),
    (
        Method::Methods,
        Description {
            name: "methods",
            docs: "list all available methods",
        },
    ),
];

impl Method {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = ALL.iter().find(|(_, description)| description.name == name);
        found.map(|(method, _)| *method)
    }

    pub(crate) async fn run(
        self,
        state: &RpcState,
        client: Client,
        arguments: &Arguments<'_>,
    ) -> Result<Reply, ApiError> {
        match self {
            Self::Create => create::create(state, arguments).await,
            Self::Get => get::get(state, client, arguments).await,
            Self::Update => update::update(state, client, arguments).await,
            Self::Destroy => destroy::destroy(state, client, arguments).await,
            Self::GetActiveSessions => active::list(state, arguments).await,
            Self::DestroyAll => active::destroy_all(state, arguments).await,
            Self::Methods => Reply::new(&ALL.each_ref().map(|(_, description)| description)),
        }
    }
}
