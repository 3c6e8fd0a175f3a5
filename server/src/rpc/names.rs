//! The names of fields that a client may choose freely and the core may not store.

use std::borrow::Cow;

/// The names that the core keeps for itself at the top of a record.
const RESERVED: [&str; 4] = ["_jrs", "id", "jwt", "claims"];

/// What is put before such a name.
const MARK: char = '~';

/// The name under which the client's field `name` is stored.
///
/// A reserved name gets a mark, and one that looks as if it had got marks gets one more; every
/// other name is stored as it is. So no two names are stored as one, and what an app beside this
/// service stores under a name of its own is found by that name here, too.
pub(crate) fn stored(name: Cow<'_, str>) -> Cow<'_, str> {
    if is_reserved(name.trim_start_matches(MARK)) {
        Cow::Owned(format!("{MARK}{name}"))
    } else {
        name
    }
}

/// The client's name for the stored field `name`.
pub(crate) fn visible(name: Cow<'_, str>) -> Cow<'_, str> {
    if !is_marked(&name) {
        return name;
    }
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[MARK.len_utf8()..]),
        Cow::Owned(mut name) => {
            name.remove(0);
            Cow::Owned(name)
        }
    }
}

/// Whether the text of a record may hold a name that is stored with a mark.
pub(crate) fn may_be_marked(record: &str) -> bool {
    record.contains("\"~")
}

fn is_marked(name: &str) -> bool {
    name.starts_with(MARK) && is_reserved(name.trim_start_matches(MARK))
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rand::Rng as _;
    use rand::seq::IndexedRandom as _;

    use super::*;

    fn there(name: &str) -> String {
        stored(Cow::Borrowed(name)).into_owned()
    }

    fn back(name: &str) -> String {
        let borrowed = visible(Cow::Borrowed(name)).into_owned();
        assert_eq!(borrowed, visible(Cow::Owned(name.to_owned())));
        borrowed
    }

    #[test]
    fn only_reserved_names_and_those_that_look_marked_are_changed() {
        for (name, expected) in [
            ("id", "~id"),
            ("_jrs", "~_jrs"),
            ("jwt", "~jwt"),
            ("claims", "~claims"),
            ("~id", "~~id"),
            ("~~~claims", "~~~~claims"),
            ("ID", "ID"),
            ("id2", "id2"),
            ("~", "~"),
            ("~~", "~~"),
            ("~other", "~other"),
            ("id~", "id~"),
            ("", ""),
            ("__proto__", "__proto__"),
            ("constructor", "constructor"),
        ] {
            assert_eq!(there(name), expected);
            assert_eq!(back(expected), name);
        }
    }

    #[test]
    fn every_name_comes_back_none_is_stored_as_reserved_and_no_two_as_one() {
        let parts = [
            "~", "~", "id", "_jrs", "jwt", "claims", "", "x", "é", "\0", "\"", "😀",
        ];
        let mut random = rand::rng();
        let mut seen = HashMap::new();
        for _ in 0..20_000 {
            let length = random.random_range(0..5);
            let name: String = (0..length)
                .filter_map(|_| parts.choose(&mut random))
                .copied()
                .collect();
            let kept = there(&name);
            assert!(!is_reserved(&kept), "{name:?}");
            assert_eq!(back(&kept), name);
            assert_eq!(*seen.entry(kept).or_insert_with(|| name.clone()), name);
        }
    }

    #[test]
    fn every_name_that_an_app_can_store_has_a_name_here() {
        for name in ["~other", "~", "~id", "~~id", "plain", ""] {
            assert_eq!(there(&back(name)), name);
        }
    }

    #[test]
    fn a_record_without_the_mark_needs_no_look_at_its_names() {
        assert!(may_be_marked(r#"{"~id":1}"#));
        assert!(!may_be_marked(r#"{"id~":"a~b"}"#));
    }
}
