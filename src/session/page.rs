//! Pages of a list.

use std::fmt;
use std::str::FromStr;

use crate::encoding;
use crate::session::entry::SessionEntry;
use crate::store::{EntryState, IndexEntry};

/// The longest text of a cursor: a number and an id of 128 bytes, in base64url.
const MAX_TEXT: usize = 200;

/// Page of an owner's sessions, returned by [`ListSessions::page`](super::ListSessions::page).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionPage {
    /// The sessions: at most the limit, and sometimes fewer even if more pages follow.
    pub entries: Vec<SessionEntry>,
    /// Cursor of the next page; `None` after the last one.
    pub next: Option<ListCursor>,
}

/// Position in a list of sessions at which a page ends and the next one begins.
///
/// Displayed and parsed as text of `A-Z a-z 0-9 _ -`, for example for a URL. The text contains a
/// session id, but grants no access. It remains valid when that session ends.
///
/// ```
/// use jwt_redis_session::session::ListCursor;
///
/// let text = "MTcwMDA4NjQ2MDpabTl5YldGMExtMWtJSFpsWTNSdmNn";
/// let cursor: ListCursor = text.parse().unwrap();
/// assert_eq!(cursor.to_string(), text);
/// assert!("page 2".parse::<ListCursor>().is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ListCursor(IndexEntry);

impl ListCursor {
    pub(super) const fn new(last: IndexEntry) -> Self {
        Self(last)
    }

    pub(super) const fn entry(&self) -> &IndexEntry {
        &self.0
    }
}

impl fmt::Display for ListCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IndexEntry { member, state, .. } = &self.0;
        let text = format!("{}:{member}", state.score());
        f.write_str(&encoding::base64url(text))
    }
}

impl FromStr for ListCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parse = || {
            let text = Some(text).filter(|text| text.len() <= MAX_TEXT)?;
            let text = encoding::decode_base64url_text(text)?;
            let (score, member) = text.split_once(':')?;
            let state = EntryState::from_score(score.parse().ok()?);
            Some(Self(IndexEntry::new(member, state)))
        };
        parse().ok_or(InvalidCursor(()))
    }
}

/// Without the session id.
impl fmt::Debug for ListCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListCursor(..)")
    }
}

/// Error returned when text that is not a cursor is parsed as a [`ListCursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a cursor; pass the cursor of the previous page, or none for the first page")]
pub struct InvalidCursor(());
