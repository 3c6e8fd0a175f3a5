//! Records as they are read and written.

use super::*;

fn parse(text: &str) -> Record {
    Record::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

#[test]
fn r30_what_is_not_an_object_is_corrupt() {
    let deep = format!("{{\"a\":{}}}", "[".repeat(100_000));
    for bad in [
        "[1,2]",
        "\"str\"",
        "5",
        "null",
        "{bad",
        "",
        "{}x",
        "{\"a\":}",
        "{\"_jrs\":5}",
        "{\"_jrs\":[\"jo\",1,2]}",
        "{\"_jrs\":{\"owner\":\"\"}}",
        "{\"_jrs\":{\"created\":\"x\"}}",
        deep.as_str(),
    ] {
        assert!(
            Record::parse(Bytes::copy_from_slice(bad.as_bytes())).is_err(),
            "{bad:.40}"
        );
    }
    assert!(Record::parse(Bytes::from_static(b"{\"a\":\"\xff\"}")).is_err());
}

#[test]
fn r34_what_node_leaves_behind_is_dropped() {
    let record = parse(r#"{"id":"x","jwt":"T","claims":{"jti":"x"},"foo":"bar"}"#);
    assert_eq!(record.fields().keys().collect::<Vec<_>>(), ["foo"]);
    assert!(record.field("jwt").is_none());
    assert_eq!(*record.meta(), Meta::default());
}

#[test]
fn values_are_kept_to_the_letter() {
    let text = r#"{"big":12345678901234567890123,"f":1.0,"empty":[],"u":"\u00e9\ud800"}"#;
    let record = parse(text);
    let fields = record.fields();
    let again = write(
        record.meta(),
        fields.iter().map(|(name, value)| (&**name, *value)),
    );
    assert_eq!(again, text);
}

#[test]
fn the_last_of_two_equal_names_counts_as_in_javascript() {
    let record = parse(r#"{"a":1,"b":2,"\u0061":3}"#);
    assert_eq!(record.field("a").unwrap().get(), "3");
    assert_eq!(record.fields()["a"].get(), "3");
    assert_eq!(record.fields().len(), 2);
}

#[test]
fn a_nonce_tells_records_apart_and_is_not_kept() {
    let plain = parse(r#"{"_jrs":{"owner":"jo","created":1},"a":1.0}"#);
    let marked = plain.with_nonce("n");
    let text = r#"{"_jrs":{"owner":"jo","created":1,"nonce":"n"},"a":1.0}"#;
    assert_eq!(marked.bytes(), text);
    assert_ne!(marked.bytes(), plain.with_nonce("m").bytes());
    let read = parse(text);
    assert_eq!((read.meta(), marked.meta()), (plain.meta(), plain.meta()));
    let fields = read.fields();
    let again = write(
        read.meta(),
        fields.iter().map(|(name, value)| (&**name, *value)),
    );
    assert_eq!(again, plain.bytes());
    parse(r#"{"_jrs":{"nonce":{"any":"type"}}}"#);
}

#[test]
fn what_is_ours_survives_writing() {
    let meta = Meta {
        owner: Owner::parse("jö\""),
        created: Some(1),
        expires: Some(2),
    };
    let bytes = write(&meta, std::iter::empty());
    assert_eq!(
        bytes,
        r#"{"_jrs":{"owner":"jö\"","created":1,"expires":2}}"#
    );
    assert_eq!(*Record::parse(bytes).unwrap().meta(), meta);
}
