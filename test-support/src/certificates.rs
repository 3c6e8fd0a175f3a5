//! Certificates for tests of TLS.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::waiting::unique;

const MAKE: &str = "
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 \
        -subj /CN=test-ca -addext basicConstraints=critical,CA:TRUE &&
    openssl req -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=localhost &&
    echo subjectAltName=IP:127.0.0.1 > ext &&
    openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out s.pem \
        -days 2 -extfile ext";

/// A certificate for 127.0.0.1, its key and its authority, in files of PEM.
#[derive(Debug)]
pub struct Certificates(PathBuf);

impl Certificates {
    /// Makes new certificates by `openssl`.
    pub fn make() -> Self {
        let dir = std::env::temp_dir().join(unique("jrs-tls").replace(':', "-"));
        std::fs::create_dir_all(&dir).expect("create a directory for certificates");
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", MAKE]).current_dir(&dir);
        let status = shell.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "these tests need openssl; `./test --install` installs it"
        );
        Self(dir)
    }

    /// Returns the file of the authority.
    pub fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// Returns the file of the certificate.
    pub fn certificate(&self) -> PathBuf {
        self.0.join("s.pem")
    }

    /// Returns the file of its private key.
    pub fn key(&self) -> PathBuf {
        self.0.join("s.key")
    }

    /// Returns settings of a server, as names and values, that offers TLS on `{tls-port}`.
    pub fn server_settings(&self) -> Vec<(&'static str, String)> {
        let text = |path: &Path| path.display().to_string();
        vec![
            ("tls-port", "{tls-port}".to_owned()),
            ("tls-cert-file", text(&self.certificate())),
            ("tls-key-file", text(&self.key())),
            ("tls-ca-cert-file", text(&self.ca())),
        ]
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
