//! The fault scenarios over HTTP, at every door: Redis that is away, lags or refuses, clients
//! that hang up, a service that is told to stop.

mod disconnects;
mod door;
mod outages;
mod refusals;
mod shutdown;
