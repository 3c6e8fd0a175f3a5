//! Settings of the service.

mod error;
mod listen;
mod load;
mod sections;
mod validate;

pub use error::SettingsError;
pub use listen::ListenAddress;
pub(crate) use load::PREFIX;
pub use load::Sources;
pub use sections::{
    AdminSettings, BucketOverrides, BucketSettings, HttpSettings, LimitSettings, LogFormat,
    LogSettings, OperatorSettings, ProxyHeader, RpcSettings, Settings, SocketMode, StoreSettings,
    TokenAlgorithm, TokenSettings, UserSettings,
};
