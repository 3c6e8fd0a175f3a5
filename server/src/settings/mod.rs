//! Settings of the service.

mod error;
mod load;
mod sections;
mod validate;

pub use error::SettingsError;
pub(crate) use load::PREFIX;
pub use load::Sources;
pub use sections::{
    AdminSettings, BucketSettings, HttpSettings, LimitSettings, LogFormat, LogSettings,
    ProxyHeader, RpcSettings, Settings, StoreSettings, TokenAlgorithm, TokenSettings, UserSettings,
};
