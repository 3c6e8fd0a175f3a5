//! Records of every form, as another writer may have left them: none panics, what loads is an
//! object, and a write leaves the other fields as they were, to the letter.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use jwt_redis_session::store::Store as _;
use jwt_redis_session::{Session, SessionError, TokenRejection};
use jwt_redis_session_fuzz::{Fixture, KEY, id, with_fixture};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

const RESERVED: [&str; 4] = ["_jrs", "id", "jwt", "claims"];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    name: &'a str,
    value: &'a str,
    write: Write,
    record: Record<'a>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Write {
    Insert,
    Remove,
    UpdateWith,
    Owner,
    Rotate,
}

#[derive(Arbitrary, Debug)]
enum Record<'a> {
    Bytes(&'a [u8]),
    /// Members beside the metadata.
    Members(&'a str),
    Metadata(&'a str),
}

fuzz_target!(|input: Input<'_>| with_fixture(|fixture| check(fixture, &input)));

fn check(fixture: &Fixture, input: &Input<'_>) {
    let record = match input.record {
        Record::Bytes(bytes) => bytes.to_vec(),
        Record::Members(text) => format!(r#"{{"_jrs":[1,"jo"],{text}}}"#).into_bytes(),
        Record::Metadata(text) => format!(r#"{{"_jrs":{text},"a":1.0}}"#).into_bytes(),
    };
    fixture.put(&record);
    let session = match fixture.run(fixture.sessions.get(&id())) {
        Ok(session) => session,
        Err(SessionError::Rejected(TokenRejection::Corrupt | TokenRejection::Expired)) => return,
        Err(error) => panic!("{error}"),
    };
    let before = fields(&record);
    assert_eq!(fields(session.to_text().as_bytes()), before);
    for (name, value) in &before {
        let field = session.get::<Box<RawValue>>(name).unwrap().unwrap();
        assert_eq!(field.get(), value);
    }
    match fixture.run(write(&session, input)) {
        Ok(()) => compare(fixture, &session, input, before),
        Err(SessionError::ReservedField(name)) => assert!(RESERVED.contains(&&*name)),
        Err(SessionError::InvalidOwner) => assert!(!(1..=512).contains(&input.value.len())),
        Err(error) => panic!("{error}"),
    }
}

type Fields = BTreeMap<String, String>;

/// Returns the fields of the application, as another reader sees a record.
fn fields(record: &[u8]) -> Fields {
    let mut fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(record).expect("an object");
    fields.retain(|name, _| !RESERVED.contains(&&**name));
    let text = |(name, value): (String, Box<RawValue>)| (name, value.get().to_owned());
    fields.into_iter().map(text).collect()
}

async fn write(session: &Session, input: &Input<'_>) -> Result<(), SessionError> {
    match input.write {
        Write::Insert => session.insert(input.name, input.value)?,
        Write::Remove => drop(session.remove(input.name)),
        Write::Owner => session.set_owner(input.value)?,
        Write::Rotate => return session.rotate().await.map(drop),
        Write::UpdateWith => {
            let set = session.update_with(|data| data.insert(input.name, input.value));
            return set.await;
        }
    }
    session.update().await
}

fn compare(fixture: &Fixture, session: &Session, input: &Input<'_>, mut expected: Fields) {
    let key = format!("sess:{}", session.id().expect("active").as_str());
    let stored = fixture.run(fixture.store.load(&key)).unwrap();
    let mut after = fields(&stored.expect("the record is not gone").value);
    match input.write {
        Write::Insert | Write::UpdateWith => {
            let value = after.remove(input.name).expect("the field is stored");
            assert_eq!(serde_json::from_str::<String>(&value).unwrap(), input.value);
            expected.remove(input.name);
        }
        Write::Remove => drop(expected.remove(input.name)),
        Write::Owner => assert_eq!(session.owner().as_deref(), Some(input.value)),
        Write::Rotate => assert_ne!(key, KEY),
    }
    assert_eq!(after, expected);
}
