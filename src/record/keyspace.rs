//! Names of records and owner indexes in a store.

use crate::encoding;
use crate::id::SessionId;
use crate::record::Owner;

/// The prefix of every name that one [`Sessions`](crate::Sessions) writes.
///
/// The key of a record is `keyspace + id`, as in the npm package `jwt-redis-session`. An owner's
/// index has the key `keyspace + ":" + owner + ":"` if the owner consists of characters that an id
/// may contain, and otherwise `keyspace + ":" + base64url(owner) + "=:"`. Neither an id nor
/// base64url contains `:`, `=` or `>`. So no record of any keyspace has the name of an index, and two
/// owners or two keyspaces never share an index. A ticket has the key
/// `keyspace + ":" + hash + ">"`, whose last character ends no other name.
#[derive(Clone, Debug)]
pub(crate) struct Keyspace(String);

impl Keyspace {
    pub(crate) fn new(prefix: impl Into<String>) -> Self {
        Self(prefix.into())
    }

    /// Returns whether the prefix ends with a character that no session id contains. Otherwise two
    /// different pairs of keyspace and id can form the same key.
    pub(crate) fn ends_with_delimiter(&self) -> bool {
        let last = self.0.chars().next_back();
        last.is_some_and(|last| !SessionId::is_legal(last))
    }

    /// Returns the key of a session's record.
    pub(crate) fn record(&self, id: &SessionId) -> String {
        [&self.0, id.as_str()].concat()
    }

    /// Returns the key of an owner's index.
    pub(crate) fn index(&self, owner: &Owner) -> String {
        let owner = owner.as_str();
        // Every byte counts: the name is stored once for each owner.
        if owner.chars().all(SessionId::is_legal) {
            return [&self.0, ":", owner, ":"].concat();
        }
        // One allocation: the owner in base64 takes four characters for three bytes.
        let encoded = owner.len().div_ceil(3) * 4;
        let mut index = String::with_capacity(self.0.len() + encoded + 3);
        index.push_str(&self.0);
        index.push(':');
        encoding::push_base64url(owner, &mut index);
        index.push_str("=:");
        index
    }

    /// Returns the key of the ticket whose hash, in base64url, is `hash`.
    pub(crate) fn ticket(&self, hash: &str) -> String {
        [&self.0, ":", hash, ">"].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_and_keyspaces_never_share_an_index() {
        let owners = "*,a|b,a:b,\0,a,YQ,YQ=,YTpi,b:c,:,=,\u{e9},e\u{301},owner:, ";
        let keyspaces = ",:,::,sess,sess:,sess::,sess::a:,sess::YQ:,a,a:,:a:b:,:YQ=:";
        let mut seen = std::collections::HashSet::new();
        for keyspace in keyspaces.split(',') {
            for owner in owners.split(',') {
                let name = Keyspace::new(keyspace).index(&Owner::parse(owner).unwrap());
                assert!(name.ends_with(':'), "a record's name ends with an id");
                assert!(seen.insert(name), "{keyspace:?} {owner:?}");
            }
        }
    }
}
