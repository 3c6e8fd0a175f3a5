//! Sizes of the futures of operations. The future of a handler contains those that it awaits, and
//! a framework moves and allocates it for each request.

use super::*;

#[tokio::test]
async fn futures_of_operations_are_small() {
    let sessions = sessions(MemoryStore::new());
    let session = sessions.new_session();
    let in_a_task = [
        size_of_val(&session.login("jo")),
        size_of_val(&session.rotate()),
        size_of_val(&session.rotate_with_grace(Duration::from_secs(1))),
        size_of_val(&session.reauthenticated()),
        size_of_val(&session.destroy()),
        size_of_val(&session.destroy_all()),
        size_of_val(&session.destroy_others()),
        size_of_val(&session.keep_alive()),
    ];
    assert!(in_a_task.iter().all(|&size| size < 512), "{in_a_task:?}");
    let in_place = [
        size_of_val(&session.update()),
        size_of_val(&session.update_with(|_| Ok::<_, SessionError>(()))),
        size_of_val(&session.replace(json!({}))),
        size_of_val(&session.reload()),
        size_of_val(&session.touch()),
    ];
    assert!(in_place.iter().all(|&size| size < 3_072), "{in_place:?}");
}
