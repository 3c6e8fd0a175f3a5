//! The search for a token in the head of a request.

use http::Uri;
use http::request::Parts;

use super::token_lookup::TokenLookup;
use super::token_source::TokenSource;
use super::token_sources::TokenSources;
use super::{cookie, form, header, query};
use crate::token_rejection::TokenRejection;

impl<P> TokenSources<P> {
    /// Looks for a token in headers, cookies and query.
    pub(crate) fn find<'a>(&self, head: &'a Parts) -> TokenLookup<'a> {
        let mut first = None;
        for source in self.list.iter() {
            let text = match source {
                TokenSource::Header(name) => header::plain(&head.headers, name),
                TokenSource::Bearer => header::bearer(&head.headers),
                TokenSource::Cookie(name) => cookie::find(&head.headers, name),
                TokenSource::Query(name) => {
                    form::find(head.uri.query().unwrap_or_default().as_bytes(), name)
                }
            };
            let Some(text) = text.transpose() else {
                continue;
            };
            let found = text.map(Some);
            tracing::trace!(source = source.as_str(), "token found");
            // A bad token ends the search too: a fallback would let an attacker who can add a
            // source choose the session.
            if !self.strict {
                return found;
            }
            if first.replace(found).is_some() {
                return Err(TokenRejection::Ambiguous);
            }
        }
        first.unwrap_or(Ok(None))
    }

    /// Removes the query parameters of the list from `uri`, and returns whether it had any.
    pub(crate) fn take_from_query(&self, uri: &mut Uri) -> bool {
        let mut had_any = false;
        for source in self.list.iter() {
            if let TokenSource::Query(name) = source
                && query::contains(uri, name)
            {
                had_any = true;
                if !self.keep_query {
                    query::remove(uri, name);
                }
            }
        }
        had_any
    }
}
