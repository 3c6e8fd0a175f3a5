//! Handle of a request to its session, with the data and the state of the session.
//!
//! Every request has a [`Session`] handle, even if it has no session. [`SessionState`]
//! distinguishes the cases. Reading and changing data uses only the copy in the handle.
//! Operations, such as [`create`](Session::create) and [`update`](Session::update), contact the
//! store.
//!
//! ```
//! use jwt_redis_session::session::SessionState;
//! use jwt_redis_session::{Keyring, MemoryStore, Sessions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
//! let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
//!
//! let session = sessions.new_session();
//! assert!(matches!(session.state(), SessionState::Absent { .. }));
//! session.insert("cart", ["apple"])?;
//! session.create().await?;
//! assert_eq!(session.state(), SessionState::Active);
//!
//! session.insert("cart", ["apple", "pear"])?;
//! assert!(session.is_modified());
//! session.update().await?;
//!
//! session.destroy().await?;
//! assert_eq!(session.state(), SessionState::Gone);
//! # Ok(())
//! # }
//! ```

mod access;
mod authentication;
mod create;
mod device;
mod ended;
mod ends;
mod entry;
mod everything;
mod handle;
mod inner;
mod lifetime;
mod lifetime_change;
mod list;
mod operations;
mod owner;
mod page;
mod rotate;
mod snapshot;
mod stream;
mod ticket;

pub use crate::id::InvalidSessionId;
pub use crate::lifecycle::SessionEnd;
pub use crate::record::{Device, SessionData};
pub use create::CreateSession;
pub use ended::Ended;
pub use ends::SessionEnds;
pub use entry::SessionEntry;
pub use everything::DestroyEverything;
pub use handle::Session;
pub use inner::SessionState;
pub use list::ListSessions;
pub use page::{InvalidCursor, ListCursor, SessionPage};
pub use stream::SessionStream;

pub(crate) use access::Access;
#[cfg(feature = "cookie")]
pub(crate) use access::TokenChange;
