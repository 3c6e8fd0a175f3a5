//! Records, redirects, and the sessions that write them.

use super::*;

/// Returns sessions with the configuration in the input of a vector.
fn sessions_of(given: &Value, store: &MemoryStore, clock: &ManualClock) -> Sessions {
    let idle = duration(&given["max_age"]).unwrap();
    let lifetime = match duration(&given["absolute_lifetime"]) {
        Some(absolute) => Lifetime::Both { idle, absolute },
        None => Lifetime::Idle(idle),
    };
    let id = id(text(&given["id"]));
    let keyring = Keyring::hs256(text(&given["secret"])).unwrap();
    let builder = Sessions::builder(store.clone(), keyring)
        .keyspace(text(&given["keyspace"]))
        .lifetime(lifetime)
        .clock(clock.clone())
        .id_generator(move || id.clone());
    let builder = match given["auth_time_claim"] == true {
        true => builder.auth_time_claim(),
        false => builder,
    };
    builder.build().unwrap()
}

/// Returns the device of a vector; an empty one, which is not stored, if there is none.
fn device(given: &Value) -> Device {
    let text = |member| given[member].as_str().map(str::to_owned);
    Device {
        name: text("name"),
        user_agent: text("user_agent"),
        ip: text("ip").map(|ip| ip.parse().unwrap()),
    }
}

#[tokio::test]
async fn created_sessions_equal_the_vectors() {
    for (name, vector) in vectors("created") {
        let given = &vector["given"];
        let clock = ManualClock::at(given["now"].as_i64().unwrap());
        let store = MemoryStore::new().with_clock(clock.clone());
        let session = sessions_of(given, &store, &clock).new_session();
        session.merge(&given["fields"]).unwrap();
        if let Some(max_age) = duration(&given["session_max_age"]) {
            session.set_max_age(max_age).unwrap();
        }
        session.set_device(device(&given["device"]));
        let token = match given["owner"].as_str() {
            Some(owner) if given["login"] == true => session.login(owner).await,
            owner => {
                owner.map_or(Ok(()), |it| session.set_owner(it)).unwrap();
                session.create().await
            }
        };
        let token = token.unwrap();

        assert_eq!(token.as_str(), vector["token"], "{name}");
        assert_eq!(part(token.as_str(), 1), vector["claims"], "{name}");
        let stored = stored(&store, text(&vector["key"])).await;
        assert_eq!(stored.value, text(&vector["record"]), "{name}");
        assert_eq!(stored.ttl, duration(&vector["ttl"]), "{name}");
        let Some(index) = vector["index"].as_str() else {
            assert!(given["owner"].is_null(), "{name}");
            continue;
        };
        let check_after = vector["score"].as_i64().unwrap();
        let state = EntryState::Active { check_after };
        let entry = (text(&given["id"]).to_owned(), state);
        let ttl = duration(&vector["index_ttl"]).unwrap();
        clock.advance(ttl - Duration::from_millis(1));
        assert_eq!(entries(&store, index).await, [entry], "{name}");
        clock.advance(Duration::from_millis(1));
        assert_eq!(entries(&store, index).await, [], "{name}");
    }
}

#[tokio::test]
async fn records_of_other_writers_are_read() {
    for (name, vector) in vectors("read") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, KEY, text(&vector["record"])).await;
        let session = sessions.get(&id(ID)).await.unwrap();
        let mut read = json!({
            "record": vector["record"],
            "fields": session.to_json(),
            "owner": session.owner(),
            "created": seconds(session.created_at()),
            "expires": seconds(session.absolute_expiry()),
        });
        // Absent from a vector: `null`.
        for (member, value) in [
            ("max_age", json!(session.max_age().map(|it| it.as_secs()))),
            ("authenticated", json!(seconds(session.authenticated_at()))),
        ] {
            if vector.get(member).is_some() || !value.is_null() {
                read[member] = value;
            }
        }
        assert_eq!(read, vector, "{name}");
    }
}

#[tokio::test]
async fn corrupt_records_are_left_unchanged() {
    for (name, record) in vectors("corrupt") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, KEY, text(&record)).await;
        let error = sessions.get(&id(ID)).await.unwrap_err();
        assert_eq!(reason(&error), "corrupt", "{name}");
        assert_eq!(stored(&store, KEY).await.value, text(&record), "{name}");
    }
}

#[tokio::test]
async fn redirects_are_written_and_followed() {
    const TO: &str = "Zm9ybWF0Lm1kIHZlY3Rvcg";

    for (name, vector) in vectors("redirects") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, KEY, text(&vector["value"])).await;
        put(&store, &format!("sess:{TO}"), "{}").await;
        let result = match sessions.get(&id(ID)).await {
            Ok(session) => {
                assert_eq!(vector["to"], session.id().unwrap().as_str(), "{name}");
                "active"
            }
            Err(error) => reason(&error),
        };
        assert_eq!(result, vector["result"], "{name}");
        assert_eq!(
            stored(&store, KEY).await.value,
            text(&vector["value"]),
            "{name}"
        );
    }
    let clock = ManualClock::at(NOW);
    let store = MemoryStore::new().with_clock(clock.clone());
    put(&store, KEY, "{}").await;
    let sessions = Sessions::builder(store.clone(), keyring()).clock(clock);
    let sessions = sessions.id_generator(|| id(TO)).build().unwrap();
    let session = sessions.get(&id(ID)).await.unwrap();
    let grace = Duration::from_secs(30);
    session.rotate_with_grace(grace).await.unwrap();
    let redirect = StoredRecord::new(
        text(&vectors("redirects")["followed"]["value"]).to_owned(),
        Some(grace),
    );
    assert_eq!(stored(&store, KEY).await, redirect);
}

#[tokio::test]
async fn updates_change_only_what_they_name() {
    for (name, vector) in vectors("updated") {
        let (sessions, store) = sessions(keyring(), "sess:");
        put(&store, KEY, text(&vector["before"])).await;
        let session = sessions.get(&id(ID)).await.unwrap();
        session.merge(&vector["set"]).unwrap();
        for field in vector["remove"].as_array().unwrap() {
            assert!(session.remove(text(field)), "{name}");
        }
        session.update().await.unwrap();
        let after = stored(&store, KEY).await;
        assert_eq!(after.value, text(&vector["after"]), "{name}");
    }
}
