//! Addresses to listen on.

use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ListenAddress {
    /// An IP address and a port: `127.0.0.1:8385` or `[::1]:8385`.
    Ip(SocketAddr),
    /// All addresses of a host name: `localhost:8385`.
    Host(String, u16),
    /// All interfaces: `:8385`.
    AllInterfaces(u16),
    /// A Unix socket: `unix:/run/sessiond.sock`.
    Unix(PathBuf),
    /// The sockets that systemd passes to the process: `systemd`.
    Systemd,
}

const SYSTEMD: &str = "systemd";

impl ListenAddress {
    /// Returns whether only processes on this machine can connect. `false` for sockets of systemd:
    /// their addresses are unknown until the service starts.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Ip(address) => address.ip().to_canonical().is_loopback(),
            Self::Host(host, _) => host.eq_ignore_ascii_case("localhost"),
            Self::Unix(_) => true,
            Self::AllInterfaces(_) | Self::Systemd => false,
        }
    }
}

impl FromStr for ListenAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str = "must be `host:port`, `:port` for all interfaces, `unix:/path` or \
                             `systemd`";
        if text == SYSTEMD {
            return Ok(Self::Systemd);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            let problem = "must be `unix:` and an absolute path";
            let is_absolute = path.starts_with('/') && !path.contains('\0');
            return is_absolute.then(|| Self::Unix(path.into())).ok_or(problem);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or(FORMS)?;
        let port = port.parse().map_err(|_| FORMS)?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        match host {
            "" => Ok(Self::AllInterfaces(port)),
            _ if host.bytes().all(is_name) => Ok(Self::Host(host.to_owned(), port)),
            _ => Err(FORMS),
        }
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Display for ListenAddress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
            Self::AllInterfaces(port) => write!(f, ":{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd => f.write_str(SYSTEMD),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_parsed_and_says_whether_it_is_local() {
        for (text, is_local) in [
            ("127.0.0.1:8385", true),
            ("127.1.2.3:0", true),
            ("[::1]:8385", true),
            ("[::ffff:127.0.0.1]:8385", true),
            ("localhost:8385", true),
            ("LocalHost:8385", true),
            ("unix:/run/sessiond.sock", true),
            ("0.0.0.0:8385", false),
            ("[::]:8385", false),
            ("192.0.2.1:8385", false),
            ("localhost.example:8385", false),
            ("sessions.example:8385", false),
            (":8385", false),
            ("systemd", false),
        ] {
            let address: ListenAddress = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
            assert_eq!(address.is_local(), is_local, "{text}");
        }
    }

    #[test]
    fn other_forms_are_rejected() {
        for text in [
            "",
            ":",
            "8385",
            "localhost",
            "localhost:",
            "localhost:x",
            "localhost:65536",
            "::1:8385",
            "[::1]",
            "a b:1",
            "http://a:1",
            "unix:",
            "unix:sessiond.sock",
            "Systemd",
        ] {
            let error = text.parse::<ListenAddress>().expect_err(text);
            assert!(error.starts_with("must be `"), "{text}: {error}");
        }
    }
}
