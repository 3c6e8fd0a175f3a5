//! The search in a body that somebody else reads.

use std::sync::Arc;

use super::media::Media;
use super::place::{Hit, Outcome, TokenSource};
use super::{json, pairs};
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// What to look for in a body, and what holds if it is not there.
#[derive(Clone, Debug)]
pub(crate) struct BodySearch {
    pub(super) media: Media,
    /// The sources in question; all but [`TokenSource::Body`] are passed over.
    pub(super) sources: Arc<[TokenSource]>,
    /// Sources from here on come after that of `otherwise`.
    pub(super) end: usize,
    /// What sources that come after the body hold.
    pub(super) otherwise: Outcome,
    pub(super) strict: bool,
}

impl BodySearch {
    /// Looks for the token in the whole body.
    pub(crate) fn find(self, body: &[u8]) -> Outcome {
        if body.is_empty() {
            return self.otherwise;
        }
        let mut first = Ok(None);
        for source in &self.sources[..self.end] {
            let found = self.look(source, body);
            match (&first, found) {
                (_, Err(TokenRejection::BodyMalformed)) => {
                    return Err(TokenRejection::BodyMalformed);
                }
                (_, Ok(None)) => {}
                (Ok(None), found) => first = found,
                (_, _) if self.strict => return Err(TokenRejection::Ambiguous),
                (_, _) => {}
            }
        }
        match (first, self.otherwise) {
            (Ok(None), otherwise) => otherwise,
            (_, Ok(Some(_)) | Err(_)) if self.strict => Err(TokenRejection::Ambiguous),
            (first, _) => first,
        }
    }

    fn look(&self, source: &TokenSource, body: &[u8]) -> Outcome {
        let TokenSource::Body(name) = source else {
            return Ok(None);
        };
        let token = self.token(name, body)?;
        Ok(token.map(|token| Hit {
            token,
            source: source.clone(),
        }))
    }

    fn token(&self, name: &str, body: &[u8]) -> Result<Option<Token>, TokenRejection> {
        match self.media {
            Media::Json => json::find(body, name),
            Media::Form => pairs::find(body, name),
        }
    }
}
