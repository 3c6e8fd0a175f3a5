//! The search for a token in a request body.

use std::sync::Arc;

use http::request::Parts;

use super::content_type::BodyFormat;
use super::token_sources::TokenSources;
use super::{form, json};
use crate::token::Token;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// What to look for in a body, which the middleware reads.
#[derive(Clone, Debug)]
pub(crate) struct BodySearch {
    format: BodyFormat,
    fields: Arc<[Arc<str>]>,
    strict: bool,
}

/// Result of a search in a body: the token, `None` if there is none.
pub(crate) type BodyLookup = Result<Option<Token>, BodySearchError>;

/// Error returned by a search in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodySearchError {
    /// The body holds a token, which is invalid.
    Rejected(TokenRejection),
    /// The body could not be searched, so the request counts as one without a token.
    Unsearched(UnsearchedBody),
}

impl From<TokenRejection> for BodySearchError {
    fn from(reason: TokenRejection) -> Self {
        Self::Rejected(reason)
    }
}

impl From<UnsearchedBody> for BodySearchError {
    fn from(reason: UnsearchedBody) -> Self {
        Self::Unsearched(reason)
    }
}

impl TokenSources {
    /// Returns how to search the body of this request; `None` if it cannot hold a token.
    pub(crate) fn body_search(&self, head: &Parts) -> Option<BodySearch> {
        if self.fields.is_empty() {
            return None;
        }
        Some(BodySearch {
            format: BodyFormat::of(head)?,
            fields: Arc::clone(&self.fields),
            strict: self.strict,
        })
    }
}

impl BodySearch {
    /// Looks for a token in `body`, which is complete.
    pub(crate) fn find(&self, body: &[u8]) -> BodyLookup {
        let mut first = None;
        for field in self.fields.iter().filter(|_| !body.is_empty()) {
            let found = match self.format {
                BodyFormat::Json => json::find(body, field)?,
                BodyFormat::Form => form::find(body, field),
            };
            if let Ok(None) = found {
                continue;
            }
            tracing::trace!(source = "body", "token found");
            // The other fields are searched too, since a second token may be ambiguous.
            if first.is_some() && self.strict {
                return Err(TokenRejection::Ambiguous.into());
            }
            first.get_or_insert(found);
        }
        let text = first.unwrap_or(Ok(None))?;
        Ok(text.map(|text| Token::new(text.into_owned())))
    }
}
