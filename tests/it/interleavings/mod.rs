//! Every order of the store steps of two or three operations, on the real code.
//!
//! Each process has its own `Sessions`, whose store steps an explorer runs in all orders, with
//! crashes, dropped callers and failing steps. At every end the promises are checked that hold
//! in any case, and, if nothing went wrong, that nothing is left over.
//!
//! The session `a` exists from the start. The processes are named `b`, `c` and `d`; the ids that
//! a process generates start with its name: `b0` is the first one of `b`.

mod actions;
mod end;
mod explore;
mod limit;
mod promises;
mod tests;
mod tickets;
