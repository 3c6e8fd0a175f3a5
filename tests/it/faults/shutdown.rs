//! F27: an application that is shut down while requests are in flight.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::http::{Site, app, try_ask};
use super::{connect, records, sessions};
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_a_graceful_shutdown_loses_no_acknowledged_write() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let sessions = sessions(connect(&proxy).await);
    for patience in [5, 20, 40] {
        proxy.delay(Duration::from_millis(10));
        let (end, ended) = oneshot::channel::<()>();
        let ended = async move { drop(ended.await) };
        let mut site = Site::until(app(sessions.clone()), ended).await;
        let address = site.address;
        let clients = (0..100).map(|number| {
            let path = format!("/login/o{number}");
            async move { try_ask(address, &path, None).await }
        });
        let shutdown = async {
            tokio::time::sleep(Duration::from_millis(patience)).await;
            end.send(()).expect("it listens");
            tokio::time::timeout(Duration::from_secs(5), site.ended())
                .await
                .expect("it ends");
        };
        let (answers, ()) = tokio::join!(join_all(clients), shutdown);
        proxy.delay(Duration::ZERO);
        let mut answered = 0;
        // The others were cut off before they were heard.
        for answer in answers.into_iter().flatten() {
            let token = answer.fine();
            let session = sessions.open(&token).await.expect("acknowledged");
            assert_eq!(session.get("a"), Ok(Some(1)));
            answered += 1;
        }
        eprintln!("f27: {answered} of 100 answered");
        let kept = records(&server, "sess:").len();
        assert!(kept >= answered);
        server.run(&["FLUSHALL"]);
    }
}
