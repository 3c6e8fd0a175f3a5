//! What operators need: health, metrics, the document of the API.

pub(crate) mod docs;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod openapi;
mod routes;

pub(crate) use routes::router;
