//! Request ids, access log and metrics of all routes.

mod layer;
mod request_log;
mod request_metrics;

pub(crate) use layer::layer;
