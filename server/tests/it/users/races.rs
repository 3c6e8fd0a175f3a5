//! Logins while all sessions are being ended.

use std::sync::Arc;

use tokio::sync::{Mutex, RwLock};

use super::{destroy, is_session_of, log_in};
use crate::service::Service;

on_every_store!(no_session_from_before_the_answer_survives_it);

/// How many times all sessions are ended.
const ROUNDS: usize = 15;

/// Logins go on in the background; whichever was acknowledged before the request to end all was
/// sent must be dead after its answer.
async fn no_session_from_before_the_answer_survives_it(service: Service) {
    let service = Arc::new(service);
    let acknowledged: Arc<Mutex<Vec<String>>> = Arc::default();
    // Shut while the dead are counted, or there would be ever more of them.
    let gate = Arc::new(RwLock::new(()));
    let clients = (0..6).map(|_| {
        let (service, acknowledged) = (Arc::clone(&service), Arc::clone(&acknowledged));
        let gate = Arc::clone(&gate);
        tokio::spawn(async move {
            loop {
                let _open = gate.read().await;
                let token = log_in(&service, "jo").await;
                acknowledged.lock().await.push(token);
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut ended = 0;
    for _ in 0..ROUNDS {
        let bearer = log_in(&service, "jo").await;
        let before = std::mem::take(&mut *acknowledged.lock().await);
        assert_eq!(destroy(&service, &bearer, "jo").await.0, 200);
        let _shut = gate.write().await;
        for token in before.iter().chain([&bearer]) {
            assert!(!is_session_of(&service, token, "jo").await);
        }
        ended += before.len();
    }
    for client in clients {
        assert!(!client.is_finished(), "a login was not answered 200");
        client.abort();
    }
    assert!(ended > 0, "nobody logged in meanwhile");
}
