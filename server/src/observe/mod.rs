//! Request ids, access log and metrics of all routes.

mod future;
mod layer;
mod request_log;

pub(crate) use layer::layer;
pub(crate) use request_log::ACCESS_TARGET;
