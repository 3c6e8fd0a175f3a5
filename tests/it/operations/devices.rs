//! The device of a session, and what a list shows of each session.

use std::time::SystemTime;

use jwt_redis_session::SessionEntry;
use jwt_redis_session::config::Clock as _;
use jwt_redis_session::session::Device;

use super::lifetimes::{Clocked, IDLE};
use super::*;
use crate::support::seconds;

on_every_store!(
    the_device_is_stored_with_the_next_operation,
    the_device_stays_with_the_session,
    a_list_shows_devices_and_the_current_session,
);

fn device(name: &str) -> Device {
    Device {
        name: Some(name.to_owned()),
        user_agent: Some("curl/8.5.0".to_owned()),
        ip: "192.0.2.1".parse().ok(),
    }
}

async fn the_device_is_stored_with_the_next_operation(store: impl Store + Clone) {
    let sessions = sessions(store);
    let session = prepared(&sessions, Some("jo"));
    assert_eq!(session.device(), None);
    session.set_device(device("phone"));
    assert!(session.is_modified());
    assert_eq!(session.device(), Some(device("phone")));
    let token = session.create().await.unwrap();
    assert!(!session.is_modified());
    let stored = || async { open(&sessions, &token).await.unwrap().device() };
    assert_eq!(stored().await, Some(device("phone")));

    session.set_device(device("laptop"));
    for operation in ["replace", "update_with"] {
        run(operation, &session).await.unwrap();
        assert_eq!(stored().await, Some(device("phone")), "{operation}");
        assert_eq!(session.device(), Some(device("laptop")), "still pending");
    }
    session.update().await.unwrap();
    assert_eq!(stored().await, Some(device("laptop")));

    session.set_device(Device::default());
    assert_eq!(session.device(), None);
    session.reload().await.unwrap();
    assert_eq!(session.device(), Some(device("laptop")), "dropped");
    session.set_device(Device::default());
    session.update().await.unwrap();
    assert_eq!(stored().await, None);
    let long = "x".repeat(1000);
    session.set_device(device(&long));
    session.update().await.unwrap();
    assert_eq!(stored().await, Some(device(&long[..128])));
}

async fn the_device_stays_with_the_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let guest = sessions.new_session();
    guest.set_device(device("phone"));
    guest.create().await.unwrap();
    guest.login("jo").await.unwrap();
    guest.rotate().await.unwrap();
    assert_eq!(guest.device(), Some(device("phone")));
    guest.set_device(device("tablet"));
    guest.rotate().await.unwrap();
    guest.reload().await.unwrap();
    assert_eq!(guest.device(), Some(device("tablet")));
    // Another owner has another session, whose device is not that of the one before.
    guest.login("al").await.unwrap();
    assert_eq!(guest.device(), None);
    guest.set_device(device("laptop"));
    guest.login("jo").await.unwrap();
    assert_eq!(guest.device(), Some(device("laptop")));
    assert_eq!(sessions.count("al").await, Ok(0));
}

async fn a_list_shows_devices_and_the_current_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (first, _) = created(&sessions, Some("jo")).await;
    let second = prepared(&sessions, Some("jo"));
    second.set_device(device("phone"));
    second.create().await.unwrap();
    let shown = |entries: &[SessionEntry]| {
        let shown = entries.iter().map(|entry| {
            let name = entry.device().and_then(|device| device.name.clone());
            (entry.id().clone(), (entry.is_current(), name))
        });
        shown.collect::<std::collections::BTreeMap<_, _>>()
    };
    let expected = |current| {
        let phone = (id(&second), (current, Some("phone".to_owned())));
        [(id(&first), (false, None)), phone].into()
    };
    assert_eq!(shown(&second.list().await.unwrap()), expected(true));
    let page = second.list().newest_first().page(None, 9).await.unwrap();
    assert_eq!(shown(&page.entries), expected(true));
    assert_eq!(shown(&sessions.list("jo").await.unwrap()), expected(false));
    second.rotate().await.unwrap();
    assert_eq!(shown(&second.list().await.unwrap()), expected(true));
}

/// The only session of `jo`.
async fn entry(test: &Clocked) -> SessionEntry {
    test.sessions.list("jo").await.unwrap().remove(0)
}

#[tokio::test]
async fn the_last_use_is_known_to_the_interval_of_touches() {
    let test = Clocked::new(|builder| builder);
    let (session, token) = created(&test.sessions, Some("jo")).await;
    let start = 1_700_000_000;
    let last_used = async || seconds(entry(&test).await.last_used_at());
    assert_eq!(last_used().await, Some(start));
    let interval = IDLE.as_secs() / 16;
    test.open_after(interval - 1, &token).await.unwrap();
    assert_eq!(last_used().await, Some(start), "too early for a touch");
    test.open_after(2, &token).await.unwrap();
    let used = start + i64::try_from(interval).unwrap() + 1;
    assert_eq!(last_used().await, Some(used));
    test.advance(100);
    assert_eq!(last_used().await, Some(used), "a list is no use");
    session.touch_for(Duration::from_secs(60)).await.unwrap();
    assert_eq!(last_used().await, Some(start), "not before the creation");
    session.touch_for(2 * IDLE).await.unwrap();
    assert_eq!(last_used().await, None);
}

#[tokio::test]
async fn the_last_use_is_unknown_without_an_idle_time() {
    let absolute = 5 * IDLE;
    let test = Clocked::new(|builder| builder.lifetime(Lifetime::Absolute(absolute)));
    created(&test.sessions, Some("jo")).await;
    assert_eq!(entry(&test).await.last_used_at(), None);

    let both = Lifetime::Both {
        idle: IDLE,
        absolute,
    };
    let test = Clocked::new(|builder| builder.lifetime(both).touch(Touch::EveryRead));
    let (_, token) = created(&test.sessions, Some("jo")).await;
    for _ in 0..3 {
        test.open_after(IDLE.as_secs() - 1, &token).await.unwrap();
    }
    let now = test.clock.now();
    assert_eq!(entry(&test).await.last_used_at(), Some(now));
    // The time to live ends with the absolute lifetime.
    test.open_after(IDLE.as_secs() - 1, &token).await.unwrap();
    let entry = entry(&test).await;
    assert_eq!(entry.last_used_at(), None);
    assert!(entry.absolute_expiry() > Some(SystemTime::UNIX_EPOCH));
}
