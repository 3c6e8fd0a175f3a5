//! Finding the token of a request.

use std::sync::Arc;

use http::request::Parts;

use super::body::BodySearch;
use super::list::TokenSources;
use super::media::Media;
use super::place::{Hit, Outcome, TokenSource};
use super::{cookie, header, query};
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// What the head of a request says about its token.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) found: Found,
    /// Whether one of our parameters stands in the address, whichever source won.
    pub(crate) in_query: bool,
}

/// Where the search has come to.
#[derive(Debug)]
pub(crate) enum Found {
    /// The search is over.
    Settled(Outcome),
    /// A body source comes up, and the body may hold the token.
    NeedBody(BodySearch),
}

impl TokenSources {
    /// Finds the token in the head of a request and takes it out of the address.
    pub(crate) fn find(&self, request: &mut Parts) -> Finding {
        let found = self.found(request);
        let in_query = self.clear_query(request);
        Finding { found, in_query }
    }

    fn found(&self, request: &Parts) -> Found {
        let (outcome, end) = match self.head(request) {
            Ok(settled) => settled,
            Err(ambiguous) => return Found::Settled(Err(ambiguous)),
        };
        match self.body_media(request, end) {
            Some(media) => Found::NeedBody(BodySearch {
                media,
                sources: Arc::clone(&self.list),
                end,
                otherwise: outcome,
                strict: self.strict,
            }),
            None => Found::Settled(outcome),
        }
    }

    /// What the first source in the head holds, and the place of that source in the list.
    fn head(&self, request: &Parts) -> Result<(Outcome, usize), TokenRejection> {
        let mut first = None;
        for (place, source) in self.list.iter().enumerate() {
            match (look(source, request), &first) {
                (Ok(None), _) => {}
                (_, Some(_)) => return Err(TokenRejection::Ambiguous),
                (found, None) if self.strict => first = Some((found, place)),
                (found, None) => return Ok((found, place)),
            }
        }
        Ok(first.unwrap_or((Ok(None), self.list.len())))
    }

    /// How the body is written, if it may hold a token and comes before `end`.
    fn body_media(&self, request: &Parts, end: usize) -> Option<Media> {
        let mut before = self.list[..end].iter();
        let asked = before.any(|source| matches!(source, TokenSource::Body(_)));
        if asked { Media::of(request) } else { None }
    }

    /// Takes our parameters out of the address; says whether any stood there.
    fn clear_query(&self, request: &mut Parts) -> bool {
        let mut stood = false;
        for source in self.list.iter() {
            if let TokenSource::Query(name) = source
                && query::holds(&request.uri, name)
            {
                stood = true;
                if !self.keep_query {
                    query::remove(&mut request.uri, name);
                }
            }
        }
        stood
    }
}

fn look(source: &TokenSource, request: &Parts) -> Outcome {
    Ok(token(source, request)?.map(|token| Hit {
        token,
        source: source.clone(),
    }))
}

fn token(source: &TokenSource, request: &Parts) -> Result<Option<Token>, TokenRejection> {
    match source {
        TokenSource::Header(name) => header::plain(&request.headers, name),
        TokenSource::Bearer => header::bearer(&request.headers),
        TokenSource::Query(name) => query::find(&request.uri, name),
        TokenSource::Cookie(name) => cookie::find(&request.headers, name),
        TokenSource::Body(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
