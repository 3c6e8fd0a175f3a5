//! Request id and trace of the current request.

mod context;
mod request_id;
mod trace_parent;

pub(crate) use context::RequestContext;
