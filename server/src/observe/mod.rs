//! What is seen of each request.

mod access;
mod layer;
mod meters;
mod request_id;

pub(crate) use layer::layer;
