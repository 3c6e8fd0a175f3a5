//! An application that is shut down while requests are in flight.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::application::{Application, request};
use super::{connect, sessions};
use crate::http_client::call;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_shutdown_loses_no_acknowledged_write() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let sessions = sessions(connect(&proxy.url()).await);
    for patience in [5, 20, 40] {
        proxy.delay(Duration::from_millis(10));
        let (end, ended) = oneshot::channel::<()>();
        let ended = async move { drop(ended.await) };
        let mut app = Application::until(sessions.clone(), ended).await;
        let address = app.address;
        let clients = (0..100).map(async |number| {
            let login = request(&format!("/login/o{number}"), "");
            call(address, &login).await
        });
        let shutdown = async {
            tokio::time::sleep(Duration::from_millis(patience)).await;
            end.send(()).expect("it listens");
            let ended = tokio::time::timeout(Duration::from_secs(5), app.ended());
            ended.await.expect("it ends");
        };
        let (answers, ()) = tokio::join!(join_all(clients), shutdown);
        proxy.delay(Duration::ZERO);
        // The others were cut off before their request was read.
        for answer in answers.into_iter().flatten() {
            assert_eq!(answer.status(), 200);
            let session = sessions.open(answer.body()).await.expect("acknowledged");
            assert_eq!(session.get("a"), Ok(Some(1)));
        }
    }
}
