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

/// What a key names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Record(SessionId),
    Index(Owner),
}

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

    /// Classifies a key of this keyspace; `None` for a key of another one.
    pub(crate) fn parse(&self, key: &str) -> Option<Name> {
        let name = key.strip_prefix(&self.0)?;
        let owner = name.strip_prefix(':').and_then(|it| it.strip_suffix(':'));
        let Some(owner) = owner else {
            return SessionId::parse(name).ok().map(Name::Record);
        };
        let owner = match owner.strip_suffix('=') {
            Some(encoded) => Owner::parse(&encoding::decode_base64url_text(encoded)?),
            None => Owner::parse(owner),
        };
        let owner = owner.ok().filter(|owner| self.index(owner) == key)?;
        Some(Name::Index(owner))
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.0
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
                let owner = Owner::parse(owner).unwrap();
                let name = Keyspace::new(keyspace).index(&owner);
                let parsed = Keyspace::new(keyspace).parse(&name);
                assert_eq!(parsed, Some(Name::Index(owner.clone())));
                assert!(name.ends_with(':'), "a record's name ends with an id");
                assert!(seen.insert(name), "{keyspace:?} {owner:?}");
            }
        }
    }

    #[test]
    fn keys_of_other_keyspaces_are_not_parsed() {
        let id = SessionId::random();
        let keyspace = Keyspace::new("a:");
        assert_eq!(
            keyspace.parse(&keyspace.record(&id)),
            Some(Name::Record(id.clone()))
        );
        for other in ["", "a", "a::", "a:b:", "b:", "a::b"] {
            let other = Keyspace::new(other);
            let index = other.index(&Owner::parse("jo").unwrap());
            for key in [other.record(&id), index] {
                assert_eq!(keyspace.parse(&key), None, "{key}");
            }
        }
        // Not as it is written: `YQ` is the base64 of a text that needs none, and padded.
        for key in [
            "a::YQ=:", "a::YQ==:", "a:::", "a::=:", "a:::b:", "a:short", "b:",
        ] {
            assert_eq!(keyspace.parse(key), None, "{key}");
        }
    }
}
