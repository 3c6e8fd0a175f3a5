//! Endpoints for operators: health, metrics and the OpenAPI document.

pub(crate) mod docs;
pub(crate) mod health;
mod metric_descriptions;
pub(crate) mod metrics;
pub(crate) mod openapi;
