//! Configuration of [`Sessions`](crate::Sessions).
//!
//! [`Sessions::builder`](crate::Sessions::builder) returns a [`SessionsBuilder`]. Its
//! [`build`](SessionsBuilder::build) checks every setting, so that a wrong one is an error at
//! startup and not in a request. Tests can replace the [`Clock`]:
//!
//! ```
//! use std::time::Duration;
//! use jwt_redis_session::config::ManualClock;
//! use jwt_redis_session::{Keyring, MemoryStore, Sessions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
//! let clock = ManualClock::at(1_700_000_000);
//! let store = MemoryStore::new().with_clock(clock.clone());
//! let sessions = Sessions::builder(store, keyring)
//!     .max_age(Duration::from_secs(60))
//!     .clock(clock.clone())
//!     .build()?;
//!
//! let token = sessions.new_session().create().await?;
//! clock.advance(Duration::from_secs(61));
//! assert!(sessions.open(token.as_str()).await.is_err());
//! # Ok(())
//! # }
//! ```

pub use crate::builder::SessionsBuilder;
pub use crate::clock::{Clock, ManualClock, SystemClock};
pub use crate::config_error::ConfigError;
pub use crate::lifecycle::Evict;
