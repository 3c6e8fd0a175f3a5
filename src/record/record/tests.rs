//! Records as they are read and written.

use super::*;

fn parse(text: &str) -> Record {
    Record::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn written_again(record: &Record) -> Bytes {
    Record::assemble(record.meta.clone(), &record.fields()).bytes
}

#[test]
fn bytes_that_are_not_a_record_are_corrupt() {
    let deep = format!(r#"{{"a":{}}}"#, "[".repeat(100_000));
    for corrupt in [
        r#"[1,2] "str" 5 null {bad {}x {"a":} {"_jrs":5} {"_jrs":["jo",1,2]}"#,
        r#"{"_jrs":{"owner":""}} {"_jrs":{"created":"x"}} {"_jrs":[1,"a",2}"#,
        &deep,
    ]
    .into_iter()
    .flat_map(|texts| texts.split(' '))
    .chain([""])
    {
        let bytes = Bytes::copy_from_slice(corrupt.as_bytes());
        assert!(Record::parse(bytes).is_err(), "{corrupt:.40}");
    }
    assert!(Record::parse(Bytes::from_static(b"{\"a\":\"\xff\"}")).is_err());
}

#[test]
fn reserved_fields_of_node_are_not_data() {
    let record = parse(r#"{"id":"x","jwt":"T","claims":{"jti":"x"},"foo":"bar"}"#);
    assert_eq!(record.fields().keys().collect::<Vec<_>>(), ["foo"]);
    assert_eq!(record.field_count, 1);
    assert!(record.field("jwt").is_none());
    assert_eq!(record.meta, Meta::default());
}

#[test]
fn values_keep_their_bytes_and_the_last_of_two_equal_names_wins() {
    let text = r#"{"big":12345678901234567890123,"f":1.0,"empty":[],"u":"\u00e9\ud800"}"#;
    assert_eq!(written_again(&parse(text)), text);
    for text in [
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"{"a":1,"b":2, "a" : 3 }"#,
        r#"{"\u0061":1,"b":2,"a":3}"#,
    ] {
        let record = parse(text);
        for record in [record.clone(), record] {
            assert_eq!(record.field("a").unwrap(), "3", "{text}");
            assert_eq!(record.fields()["a"].get(), "3", "{text}");
            assert_eq!(record.fields().len(), 2);
            assert!(record.field("c").is_none());
        }
    }
}

#[test]
fn a_nonce_makes_the_bytes_unique_and_is_not_kept() {
    let plain = parse(r#"{"_jrs":[1,"jö\"",2],"a":1.0}"#);
    let meta = Meta {
        owner: Owner::parse("jö\"").ok(),
        created: Some(1),
        expires: Some(2),
        ..Meta::default()
    };
    assert_eq!(plain.meta, meta);
    let unique = plain.with_nonce("n");
    let text = r#"{"_jrs":[1,"jö\"",2,"n"],"a":1.0}"#;
    assert_eq!(unique.bytes, text);
    assert_eq!((&unique.meta, &parse(text).meta), (&meta, &meta));
    assert_eq!(written_again(&parse(text)), plain.bytes);
}

#[test]
fn metadata_in_an_object_is_written_as_an_array() {
    let record = parse(r#"{"a":1.0,"_jrs":{"owner":"jo","created":1,"later":2}}"#);
    assert_eq!(written_again(&record), r#"{"_jrs":[1,"jo"],"a":1.0}"#);
}

#[test]
fn the_prefix_of_a_record_ends_with_its_metadata() {
    for (text, prefix) in [
        (r#"{"_jrs":[1,"j]\"o"],"a":1}"#, r#"{"_jrs":[1,"j]\"o"]"#),
        (r#"{"_jrs":[1],"_jrs":[2]}"#, r#"{"_jrs":[1]"#),
        (r#"{"_jrs":{"owner":"jo"}}"#, r#"{"_jrs":{"owner":"jo"}"#),
        (
            r#"{"_jrs":[1,null,null,null,60,2,[null,"x"]]}"#,
            r#"{"_jrs":[1,null,null,null,60,2,[null,"x"]]"#,
        ),
        // Without metadata: enough to differ from a record that has some.
        (r#"{"foo":"bar"}"#, r#"{"foo":""#),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        ("{}", "{}"),
        (r#" {"_jrs":[1]}"#, r#" {"_jrs""#),
        (r#"{"a":"ÄÖÜ"}"#, "{\"a\":\"Ä"),
    ] {
        let record = parse(text);
        assert_eq!(record.meta_prefix(), prefix.as_bytes(), "{text}");
        let mut meta = record.meta.clone();
        meta.max_age = std::num::NonZeroU32::new(7);
        let written = Record::assemble(meta, &record.fields());
        assert!(!written.bytes.starts_with(record.meta_prefix()), "{text}");
    }
}

#[test]
fn fields_are_copied_without_parsing_where_their_places_are_known() {
    let text = r#"{"_jrs":[1], "a" : 1.0,"id":"x","b":[ {"c":"}\""}],"":"\u00e9","d":0}"#;
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let mut changes = Changes::default();
    let record = parse(text);
    let copied = record.with_changes(Meta::default(), &changes).unwrap();
    let fields = r#"{"a":1.0,"b":[ {"c":"}\""}],"":"\u00e9","d":0}"#;
    assert_eq!(copied.bytes, fields);
    assert_eq!(
        (copied.field_count, copied.field("")),
        (4, Some(r#""\u00e9""#))
    );
    changes.set("b".to_owned(), None);
    changes.set("d".to_owned(), None);
    changes.set("a".to_owned(), Some(raw("2")));
    changes.set("new".to_owned(), Some(raw("3")));
    let changed = copied.with_changes(record.meta.clone(), &changes).unwrap();
    assert_eq!(changed.bytes, r#"{"_jrs":[1],"a":2,"":"\u00e9","new":3}"#);
    assert_eq!((changed.field_count, changed.fields().len()), (3, 3));
    changes.set("n\"".to_owned(), Some(raw("4")));
    let escaped = record.with_changes(Meta::default(), &changes).unwrap();
    assert_eq!(escaped.bytes, r#"{"a":2,"":"\u00e9","n\"":4,"new":3}"#);
    assert_eq!(escaped.field("n\""), Some("4"));
    for text in [r#"{"\u0061":1}"#, r#"{"a":1,"a":2}"#, escaped.text()] {
        let unknown = parse(text).with_changes(Meta::default(), &changes);
        assert!(unknown.is_none(), "{text}");
    }
}
