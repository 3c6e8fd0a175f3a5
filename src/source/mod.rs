//! Where in a request may a token stand?
//!
//! Looking, and nothing else: whether what was found is a token of ours is asked in `token`, and
//! a body is only searched here once somebody else has read it.

mod arg;
mod body;
mod cookie;
mod find;
mod header;
mod json;
mod list;
mod media;
mod pairs;
mod place;
mod query;
mod value;

pub use arg::InvalidTokenArg;
pub use list::TokenSources;
pub use place::TokenSource;

pub(crate) use body::BodySearch;
pub(crate) use find::{Finding, Found};
pub(crate) use place::Outcome;
