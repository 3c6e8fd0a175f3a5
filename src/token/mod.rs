//! Is the token ours, and in force?

pub(crate) mod text;

pub use text::Token;
