//! Request ids, access log and metrics around every route.

mod layer;
mod request_id;
mod request_log;
mod request_metrics;

pub(crate) use layer::layer;
