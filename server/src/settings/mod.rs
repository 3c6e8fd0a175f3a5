//! Settings of the service.

mod error;
mod listen;
mod load;
mod secret_files;
mod secrets;
mod sections;
mod tree;
mod validate;
mod variables;
mod warnings;

pub use error::{SettingsError, SettingsErrors};
pub use listen::ListenAddress;
pub use load::Sources;
pub(crate) use secret_files::{read_file, without_newline};
pub use sections::{
    AdminSettings, BucketOverrides, BucketSettings, HttpSettings, IntrospectionSettings,
    LimitSettings, LogFormat, LogSettings, OperatorSettings, ProxyHeader, RpcSettings, Settings,
    SocketMode, StoreSettings, TokenAlgorithm, TokenSettings, UserSettings,
};
pub(crate) use variables::is_ours;
