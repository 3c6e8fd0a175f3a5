//! Guides, from the first session to operation.
//!
//! Each guide has one complete example.

#[doc = include_str!("../docs/guide/from_tower_sessions.md")]
pub mod from_tower_sessions {}
#[doc = include_str!("../docs/guide/from_axum_login.md")]
pub mod from_axum_login {}
#[doc = include_str!("../docs/guide/from_npm.md")]
pub mod from_npm {}
#[doc = include_str!("../docs/guide/from_express.md")]
pub mod from_express {}
#[doc = include_str!("../docs/guide/browsers.md")]
pub mod browsers {}
#[doc = include_str!("../docs/guide/guests_and_login.md")]
pub mod guests_and_login {}
#[doc = include_str!("../docs/guide/typed_sessions.md")]
pub mod typed_sessions {}
#[doc = include_str!("../docs/guide/devices.md")]
pub mod devices {}
#[doc = include_str!("../docs/guide/step_up.md")]
pub mod step_up {}
#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}
#[doc = include_str!("../docs/guide/operating.md")]
pub mod operating {}
#[doc = include_str!("../docs/guide/scaling.md")]
pub mod scaling {}
#[doc = include_str!("../docs/guide/running_redis.md")]
pub mod running_redis {}
#[doc = include_str!("../docs/guide/failover.md")]
pub mod failover {}
#[doc = include_str!("../docs/guide/sizing.md")]
pub mod sizing {}
#[doc = include_str!("../docs/guide/writing_a_store.md")]
pub mod writing_a_store {}
#[doc = include_str!("../docs/guide/threat_model.md")]
pub mod threat_model {}
