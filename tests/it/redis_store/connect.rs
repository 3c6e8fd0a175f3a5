//! The ways to a server.

use super::*;

#[tokio::test]
async fn the_url_chooses_user_password_and_database() {
    let server = RedisServer::start();
    server.run(&["ACL", "SETUSER", "app", "on", ">p@ss/word", "~*", "+@all"]);
    let url = format!("redis://app:p%40ss%2Fword@127.0.0.1:{}/3", server.port());
    let store = RedisStore::connect(&url).await.expect("connect");
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    let size = admin(&format!("{}3", server.url()), &["DBSIZE"]);
    assert_eq!(size, Ok(redis::Value::Int(1)));
    let debug = format!("{store:?} {:?}", RedisConfig::new(url));
    assert!(!debug.contains("p@") && !debug.contains("word"), "{debug}");

    let beyond = format!("{}999", server.url());
    let error = RedisStore::connect(&beyond).await.expect_err("absent");
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
}

#[tokio::test]
async fn a_unix_socket_works_too() {
    let server = RedisServer::start_with(&["--unixsocket", "{dir}/redis.sock"]);
    for scheme in ["unix", "redis+unix"] {
        let url = format!("{scheme}://{}/redis.sock?db=2", server.dir().display());
        let store = RedisStore::connect(&url).await.expect("connect");
        conformance::check(store).await;
    }
    let missing = format!("unix://{}/none.sock", server.dir().display());
    let error = RedisStore::connect(&missing).await.expect_err("no socket");
    assert_eq!(error.kind(), StoreErrorKind::Connection);
}

#[cfg(feature = "pool")]
#[tokio::test]
async fn one_connection_is_taken_out_of_a_pool() {
    let server = RedisServer::start();
    let pool = crate::faults_store::pool(&server);
    let store = RedisStore::from_pool(pool.clone());
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    assert_eq!(pool.status().size, 0);
    server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert!(load(&store, "k").await.is_some());
    conformance::check(store).await;
}

#[cfg(feature = "tls")]
mod tls {
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;

    const MAKE_CERTIFICATES: &str = "
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 \
            -subj /CN=test-ca -addext basicConstraints=critical,CA:TRUE &&
        openssl req -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=localhost &&
        echo subjectAltName=IP:127.0.0.1 > ext &&
        openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out s.pem \
            -days 2 -extfile ext";

    fn make_certificates(dir: &Path) -> bool {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", MAKE_CERTIFICATES]).current_dir(dir);
        let status = shell.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Starts a server with the certificates in `dir`, and returns it with its port for TLS.
    fn tls_server(dir: &Path) -> (RedisServer, u16) {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("a port").port();
        drop(free);
        let arguments = format!(
            "--tls-port {port} --tls-auth-clients optional --tls-cert-file {dir}/s.pem \
             --tls-key-file {dir}/s.key --tls-ca-cert-file {dir}/ca.pem",
            dir = dir.display(),
        );
        let arguments: Vec<_> = arguments.split(' ').collect();
        (RedisServer::start_with(&arguments), port)
    }

    #[tokio::test]
    async fn rediss_verifies_the_certificate_and_works() {
        let dir = std::env::temp_dir().join(crate::support::unique("jrs-tls").replace(':', "-"));
        std::fs::create_dir_all(&dir).expect("a directory");
        if !make_certificates(&dir) {
            eprintln!("skipped: no openssl to make certificates with");
            return;
        }
        let (_server, port) = tls_server(&dir);
        let file = |name: &str| std::fs::read(dir.join(name)).expect("a file of PEM");
        let ca = file("ca.pem");
        let url = format!("rediss://127.0.0.1:{port}/");
        // Handshakes in a debug build on a busy machine take their time.
        let trusting = patient(&url).root_certificate(ca.clone());
        conformance::check(trusting.clone().connect().await.expect("connect")).await;
        let with_key = trusting.client_certificate(file("s.pem"), file("s.key"));
        with_key.connect().await.expect("connect");

        let other_name = RedisConfig::new(format!("rediss://localhost:{port}/"));
        for untrusted in [RedisConfig::new(&url), other_name.root_certificate(ca)] {
            let error = untrusted.connect().await.expect_err("not trusted");
            assert_eq!(error.kind(), StoreErrorKind::Connection, "{error}");
            let text = error.to_string();
            assert!(text.contains("tls handshake failed"), "{text}");
        }
        let plain = RedisConfig::new(url.replace("rediss", "redis")).root_certificate(*b"any");
        let error = plain.lazy().expect_err("certificates without tls");
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        let _ = std::fs::remove_dir_all(&dir);
    }
}
