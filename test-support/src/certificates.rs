//! Certificates for tests of TLS.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const MAKE: &str = "
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 \
        -subj /CN=test-ca -addext basicConstraints=critical,CA:TRUE &&
    openssl req -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=localhost &&
    echo subjectAltName=IP:127.0.0.1 > ext &&
    openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out s.pem \
        -days 2 -extfile ext";

/// A certificate for 127.0.0.1, its key and its authority, in files of PEM.
#[derive(Debug)]
pub struct Certificates(TempDir);

impl Certificates {
    /// Makes new certificates by `openssl`.
    pub fn make() -> Self {
        let dir = tempfile::tempdir().expect("create a directory for certificates");
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", MAKE]).current_dir(dir.path());
        let status = shell.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "these tests need openssl; `./test --install` installs it"
        );
        Self(dir)
    }

    /// Returns the file of the authority.
    pub fn ca(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// Returns the file of the certificate.
    pub fn certificate(&self) -> PathBuf {
        self.0.path().join("s.pem")
    }

    /// Returns the file of its private key.
    pub fn key(&self) -> PathBuf {
        self.0.path().join("s.key")
    }

    /// Returns the arguments of a server that offers TLS on `{tls-port}`.
    pub fn server_arguments(&self) -> Vec<String> {
        let settings = self.server_settings().into_iter();
        settings
            .flat_map(|(name, value)| [format!("--{name}"), value])
            .collect()
    }

    /// Returns the same as names and values of a configuration file.
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
