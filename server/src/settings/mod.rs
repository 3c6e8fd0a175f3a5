//! Every setting of the service; one file a section.

mod admin;
mod buckets;
mod http;
mod limits;
mod load;
mod log;
mod problem;
mod rpc;
mod sections;
mod store;
mod tokens;
mod users;
mod validate;

pub use admin::AdminSettings;
pub use buckets::BucketSettings;
pub use http::HttpSettings;
pub use limits::LimitSettings;
pub(crate) use load::PREFIX;
pub use load::Sources;
pub use log::{LogFormat, LogSettings};
pub use problem::SettingsError;
pub use rpc::RpcSettings;
pub use sections::Settings;
pub use store::StoreSettings;
pub use tokens::{TokenAlgorithm, TokenSettings};
pub use users::UserSettings;
