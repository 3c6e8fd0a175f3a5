//! Settings of the service.

mod error;
mod load;
mod sections;
mod validate;

pub use error::SettingsError;
pub(crate) use load::PREFIX;
pub use load::Sources;
pub use sections::{
    AdminSettings, BucketOverrides, BucketSettings, HttpSettings, LimitSettings, LogFormat,
    LogSettings, RpcSettings, Settings, StoreSettings, TokenAlgorithm, TokenSettings, UserSettings,
};
