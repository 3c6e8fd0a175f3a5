//! Token sources: the places in a request that may hold a token.
//!
//! This module only finds the text of a token. Whether that text is a valid token is checked in
//! `token`; a body is only searched here, the middleware reads it.

mod authorization;
mod body;
mod form;
mod head;
mod json;
mod query;
mod token_arg;
mod token_lookup;
mod token_source;
mod token_sources;
mod websocket;

#[cfg(test)]
mod tests;

pub use token_arg::InvalidTokenArg;
pub use token_source::TokenSource;
pub use token_sources::{Anywhere, InHead, TokenSources};

pub(crate) use body::{BodySearch, media_type};
pub(crate) use form::{decode_text as decode_form_text, find as find_in_form};
pub(crate) use token_lookup::{BodyLookup, FoundToken, HeadLookup};
