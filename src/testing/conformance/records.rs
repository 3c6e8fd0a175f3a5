//! Promises about records.

use super::bench::{Bench, LONG};
use crate::store::legacy::{Command, Compared, Reply};

pub(super) async fn absent_is_not_an_error(bench: Bench) {
    let key = bench.name("never-written");
    bench.must(
        bench.load(&key).await.is_none(),
        "a record never written must be absent",
    );
    must_refuse_absent(&bench, &key).await;
}

pub(super) async fn insert_writes_once(bench: Bench) {
    let key = bench.name("record");
    bench.must(
        bench.insert(&key, b"first", LONG).await,
        "an insert must be applied where there is no record",
    );
    bench.must(
        !bench.insert(&key, b"second", LONG).await,
        "an insert must not be applied where a record stands",
    );
    must_be(
        &bench,
        &key,
        b"first",
        "a refused insert must leave the record untouched",
    )
    .await;
}

pub(super) async fn replace_overwrites(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"a longer first value", LONG).await;
    bench.must(
        bench.replace(&key, b"second", LONG).await,
        "a replace must be applied where a record stands",
    );
    must_be(
        &bench,
        &key,
        b"second",
        "a replace must overwrite the whole value",
    )
    .await;
}

pub(super) async fn delete_says_whether_it_did(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"value", LONG).await;
    bench.must(
        bench.delete(&key).await,
        "a delete must say that the record stood",
    );
    bench.must(
        bench.load(&key).await.is_none(),
        "a deleted record must be absent",
    );
    bench.must(
        !bench.delete(&key).await,
        "a second delete must say that the record was gone",
    );
}

pub(super) async fn gone_stays_gone(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"value", LONG).await;
    bench.delete(&key).await;
    must_refuse_absent(&bench, &key).await;
    bench.must(
        bench.insert(&key, b"anew", LONG).await,
        "an insert must be applied where a record was deleted",
    );
    must_be(&bench, &key, b"anew", "an insert after a delete must write").await;
}

pub(super) async fn compare_and_set_compares(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"one", LONG).await;
    bench.must(
        bench.set_if(&key, b"one", b"two", LONG).await == Compared::Equal,
        "a compare-and-set must be Equal if the record holds the expected bytes",
    );
    must_be(
        &bench,
        &key,
        b"two",
        "a compare-and-set that is Equal must write",
    )
    .await;
    for expected in [&b"one"[..], b"", b"tw", b"two ", b"TWO"] {
        bench.must(
            bench.set_if(&key, expected, b"three", LONG).await
                == Compared::Different(b"two"[..].into()),
            "a compare-and-set must be Different, with the bytes that the record holds",
        );
    }
    must_be(
        &bench,
        &key,
        b"two",
        "a compare-and-set that is Different must not write",
    )
    .await;
    bench.must(
        bench.set_if(&key, b"two", b"two", LONG).await == Compared::Equal,
        "a compare-and-set must be Equal even if it changes nothing",
    );
}

pub(super) async fn compare_and_delete_compares(bench: Bench) {
    let key = bench.name("record");
    bench.insert(&key, b"one", LONG).await;
    for expected in [&b""[..], b"on", b"one ", b"two"] {
        bench.must(
            bench.delete_if(&key, expected).await == Compared::Different(b"one"[..].into()),
            "a compare-and-delete must be Different, with the bytes that the record holds",
        );
    }
    must_be(
        &bench,
        &key,
        b"one",
        "a compare-and-delete that is Different must not delete",
    )
    .await;
    bench.must(
        bench.delete_if(&key, b"one").await == Compared::Equal,
        "a compare-and-delete must be Equal if the record holds the expected bytes",
    );
    bench.must(
        bench.load(&key).await.is_none(),
        "a compare-and-delete that is Equal must delete",
    );
}

pub(super) async fn values_are_bytes(bench: Bench) {
    let megabyte: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let values: [&[u8]; 6] = [
        b"",
        b"\0",
        b"a\0b\r\n",
        &[0xff, 0xfe, 0x80],
        b"%s {} \"'\\",
        &megabyte,
    ];
    for (at, value) in values.into_iter().enumerate() {
        let key = bench.name(&format!("record-{at}"));
        bench.insert(&key, value, LONG).await;
        must_be(&bench, &key, value, "an insert must keep any bytes").await;
        bench.must(
            bench.set_if(&key, value, b"other", LONG).await == Compared::Equal,
            "a compare-and-set must compare any bytes",
        );
        bench.replace(&key, value, LONG).await;
        must_be(&bench, &key, value, "a replace must keep any bytes").await;
        bench.must(
            bench.set_if(&key, b"no", b"", LONG).await
                == Compared::Different(value.to_vec().into()),
            "a compare-and-set must return any bytes",
        );
        bench.must(
            bench.delete_if(&key, value).await == Compared::Equal,
            "a compare-and-delete must compare any bytes",
        );
    }
}

pub(super) async fn names_are_exact(bench: Bench) {
    let names = ["a", "ab", "a:b", "a*", "a?", "A"].map(|name| bench.name(name));
    for name in &names {
        bench.must(
            bench.insert(name, name.as_bytes(), LONG).await,
            "an insert must not be refused because of another name",
        );
    }
    bench.replace(&names[0], b"changed", LONG).await;
    bench.delete(&names[3]).await;
    for (at, name) in names.iter().enumerate() {
        let expected = match at {
            0 => Some(b"changed".to_vec()),
            3 => None,
            _ => Some(name.clone().into_bytes()),
        };
        bench.must(
            bench.value(name).await == expected,
            "a write must touch the record of its own name only",
        );
    }
}

pub(super) async fn an_index_is_no_record(bench: Bench) {
    let name = bench.name("index");
    bench.put_all(&name, &[("member", 7)]).await;
    let (key, expected, value, ttl) = (&*name, &b""[..], &b"value"[..], LONG);
    for command in [
        Command::Load { key },
        Command::CompareAndSet {
            key,
            expected,
            value,
            ttl,
        },
        Command::CompareAndDelete { key, expected },
    ] {
        let reply = bench.run(&[command]).await;
        let absent = [
            Reply::Record(None),
            Reply::Compared(Compared::Gone),
            Reply::Foreign,
        ];
        bench.must(
            absent.contains(&reply[0]),
            "an index must be absent or Foreign to commands on records",
        );
    }
    bench.must_hold(
        &bench.entries(&name).await,
        &[("member", Some(7))],
        "commands on records must leave an index under that name alone",
    );
}

/// No command but an insert may be applied to a record that is absent.
pub(super) async fn must_refuse_absent(bench: &Bench, key: &str) {
    bench.must(
        !bench.replace(key, b"value", LONG).await,
        "a replace must not be applied where there is no record",
    );
    bench.must(
        !bench.expire(key, LONG).await,
        "an expire must not be applied where there is no record",
    );
    for expected in [&b""[..], b"value"] {
        bench.must(
            bench.set_if(key, expected, b"value", LONG).await == Compared::Gone,
            "a compare-and-set must be Gone where there is no record",
        );
        bench.must(
            bench.delete_if(key, expected).await == Compared::Gone,
            "a compare-and-delete must be Gone where there is no record",
        );
    }
    bench.must(
        bench.load(key).await.is_none(),
        "only an insert may bring a record into being",
    );
    bench.must(
        !bench.delete(key).await,
        "a delete must say that there was no record",
    );
}

async fn must_be(bench: &Bench, key: &str, value: &[u8], sentence: &str) {
    bench.must(bench.value(key).await.as_deref() == Some(value), sentence);
}
