//! Records of every form, as another writer may have left them: none panics, what loads is an
//! object, and a write leaves the other fields as they were, to the letter.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use jwt_redis_session::store::Store as _;
use jwt_redis_session::{Session, SessionError, TokenRejection};
use jwt_redis_session_fuzz::{World, id, key};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
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
    /// Members of an object beside what is ours.
    Members(&'a str),
    /// What is ours.
    Meta(&'a str),
}

type Fields = BTreeMap<String, Box<RawValue>>;

thread_local! {
    static WORLD: World = World::new();
}

fuzz_target!(|input: Input<'_>| WORLD.with(|world| check(world, &input)));

fn check(world: &World, input: &Input<'_>) {
    let record = match input.record {
        Record::Bytes(bytes) => bytes.to_vec(),
        Record::Members(text) => format!(r#"{{"_jrs":{{"owner":"jo"}},{text}}}"#).into_bytes(),
        Record::Meta(text) => format!(r#"{{"_jrs":{text},"a":1.0}}"#).into_bytes(),
    };
    world.put(&record);
    let session = match world.run(world.sessions.get(&id())) {
        Ok(session) => session,
        Err(SessionError::Rejected(TokenRejection::Corrupt | TokenRejection::Expired)) => return,
        Err(error) => panic!("{error}"),
    };
    let before = fields(&record);
    look(&session, &before);
    match world.run(write(&session, input)) {
        Ok(()) => compare(world, &session, input, before),
        // The one field that is not the user's, and the one too many for the limit.
        Err(SessionError::ReservedField(name)) => assert!(RESERVED.contains(&&*name)),
        Err(SessionError::InvalidOwner) => {
            assert!(!(1..=512).contains(&input.value.len()));
        }
        Err(error) => panic!("{error}"),
    }
}

/// As another reader sees a record.
fn fields(record: &[u8]) -> Fields {
    let mut fields: Fields = serde_json::from_slice(record).expect("what loads is an object");
    for name in RESERVED {
        fields.remove(name);
    }
    fields
}

fn look(session: &Session, fields: &Fields) {
    let mut keys = session.keys();
    keys.sort_unstable();
    assert_eq!(keys, fields.keys().cloned().collect::<Vec<_>>());
    for (name, value) in fields {
        let ours = session.get::<Box<RawValue>>(name).unwrap().unwrap();
        assert_eq!(ours.get(), value.get());
        let _ = session.get::<Value>(name);
    }
    let _ = (session.to_json(), session.data::<Value>());
    let all: Fields = serde_json::from_str(session.to_raw_json().get()).unwrap();
    assert_eq!(texts(&all), texts(fields));
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

fn compare(world: &World, session: &Session, input: &Input<'_>, mut expected: Fields) {
    let key = match session.id() {
        Some(id) => format!("sess:{}", id.as_str()),
        None => key(),
    };
    let stored = world.run(world.store.load(&key)).unwrap();
    let stored = stored.expect("the record is not gone");
    let mut after = fields(&stored.value);
    match input.write {
        Write::Insert | Write::UpdateWith => {
            let value = after.remove(input.name).expect("what was set is stored");
            assert_eq!(
                serde_json::from_str::<String>(value.get()).unwrap(),
                input.value
            );
            expected.remove(input.name);
        }
        Write::Remove => drop(expected.remove(input.name)),
        Write::Owner => assert_eq!(session.owner().as_deref(), Some(input.value)),
        Write::Rotate => assert_ne!(key, jwt_redis_session_fuzz::key()),
    }
    assert_eq!(texts(&after), texts(&expected));
}

fn texts(fields: &Fields) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|(name, value)| (&**name, value.get()))
        .collect()
}
