//! The search for a token in a request body.

use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method};

use super::token_lookup::{BodyLookup, first_found};
use super::token_sources::TokenSources;
use super::{form, json};

/// Finds the token in one field of a body.
type FindField = for<'a> fn(&'a [u8], &str) -> BodyLookup<'a>;

/// What to look for in a body, which the middleware reads.
pub(crate) struct BodySearch {
    /// It depends on the encoding of the body.
    find: FindField,
    fields: Arc<[Arc<str>]>,
    strict: bool,
}

impl<P> TokenSources<P> {
    /// Returns how to search the body of this request; `None` if it cannot hold a token.
    ///
    /// The body of a method that gives it no meaning is ignored (RFC 6750 section 2.2), and so is
    /// what follows an upgrade. A compressed body cannot be searched.
    pub(crate) fn body_search(&self, head: &Parts) -> Option<BodySearch> {
        let has_no_body = matches!(
            head.method,
            Method::GET | Method::HEAD | Method::OPTIONS | Method::CONNECT | Method::TRACE
        );
        let headers = &head.headers;
        if self.fields.is_empty()
            || has_no_body
            || headers.contains_key(UPGRADE)
            || headers.contains_key(CONTENT_ENCODING)
        {
            return None;
        }
        let media_type = media_type(headers)?;
        let find: FindField = if media_type.eq_ignore_ascii_case(b"application/json") {
            json::find
        } else if media_type.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            |body, field| Ok(form::find(body, field))
        } else {
            return None;
        };
        Some(BodySearch {
            find,
            fields: Arc::clone(&self.fields),
            strict: self.strict,
        })
    }
}

/// Returns the media type of a body without its parameters. A second `Content-Type` line makes it
/// unknown.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&[u8]> {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    // Parsed by hand, since the parameters do not matter. The crate `mime` rejects
    // `application/json ;charset=utf-8` and parameters without a value, which clients send.
    let mut parts = line.as_bytes().split(|&byte| byte == b';');
    Some(parts.next()?.trim_ascii())
}

impl BodySearch {
    /// Looks for a token in `body`, which is complete.
    pub(crate) fn find(&self, body: &[u8]) -> BodyLookup<'static> {
        if body.is_empty() {
            return Ok(Ok(None));
        }
        let lookups = self.fields.iter().map(|field| (self.find)(body, field));
        let lookups: Vec<_> = lookups.collect::<Result<_, _>>()?;
        let found = first_found(
            lookups.into_iter().map(|found| ("body", found)),
            self.strict,
        );
        Ok(found.map(|text| text.map(|text| text.into_owned().into())))
    }
}
