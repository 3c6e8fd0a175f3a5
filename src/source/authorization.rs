//! Tokens in the header `Authorization`.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::token_lookup::{TokenLookup, token_text};
use crate::token_rejection::TokenRejection;

/// Finds the token after `scheme`, whose case does not matter.
///
/// Equal tokens count as one, since a proxy may repeat the header or join two lines to a list.
/// Different ones are ambiguous. Only one set of credentials is legal, so beside a token a line
/// with another scheme is ambiguous, too. Without a token the header is ignored.
pub(super) fn find<'a>(headers: &'a HeaderMap, scheme: &str) -> TokenLookup<'a> {
    let (mut found, mut has_others) = (None, false);
    for line in headers
        .get_all(AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes)
    {
        if after_scheme(line, scheme).is_none() {
            has_others = true;
            continue;
        }
        // A list may have empty elements (RFC 9110 section 5.6.1). No token has a comma.
        let elements = line.split(|&byte| byte == b',');
        for element in elements.filter(|element| !element.trim_ascii().is_empty()) {
            let token = after_scheme(element, scheme).unwrap_or_default();
            if token.is_empty() {
                return Err(TokenRejection::Malformed);
            }
            let token = token_text(token)?;
            if found.is_some_and(|other| other != token) {
                return Err(TokenRejection::Ambiguous);
            }
            found = Some(token);
        }
    }
    if found.is_some() && has_others {
        return Err(TokenRejection::Ambiguous);
    }
    Ok(found.map(Into::into))
}

/// Returns what follows the scheme, if `credentials` are of this scheme.
fn after_scheme<'a>(credentials: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let credentials = credentials.trim_ascii();
    let (found, rest) = credentials.split_at_checked(scheme.len())?;
    let is_scheme = found.eq_ignore_ascii_case(scheme.as_bytes());
    // A longer word is another scheme. RFC 9110 allows only spaces here, so a tab remains in
    // front of the token and makes it malformed.
    let is_whole = matches!(rest.first(), None | Some(b' ' | b'\t' | b','));
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    (is_scheme && is_whole).then(|| &rest[spaces..])
}
