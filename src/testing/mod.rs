//! Test utilities: the conformance suite of stores, and stores that fail on demand.

pub mod conformance;
