//! Request ids, access log and metrics of all routes.

mod layer;
mod request_log;

pub(crate) use layer::layer;
