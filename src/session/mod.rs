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
mod ends;
mod entry;
mod everything;
mod inner;
mod lifetime_change;
mod list;
mod page;
mod snapshot;
mod stream;

// In the order in which rustdoc shows the methods of `Session`: that of their use.
mod owner;

mod create;

mod fields;

mod operations;

mod rotate;

mod owned;

mod handle;

mod authentication;

mod lifetime;

mod device;

mod ticket;

mod ended;

// In the order in which docs.rs lists them.
pub use handle::Session;

pub use inner::SessionState;

pub use crate::record::SessionData;

pub use create::CreateSession;

pub use list::ListSessions;

pub use entry::SessionEntry;

pub use crate::record::Device;

pub use page::{ListCursor, SessionPage};

pub use stream::SessionStream;

pub use ended::Ended;

pub use ends::SessionEnds;

pub use crate::lifecycle::SessionEnd;

pub use everything::DestroyEverything;

pub use crate::id::InvalidSessionId;

pub use page::InvalidCursor;

pub(crate) use access::Access;
#[cfg(feature = "cookie")]
pub(crate) use access::TokenChange;
