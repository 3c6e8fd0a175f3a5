//! The device that a session was created on.

use std::fmt;
use std::net::IpAddr;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::array::{Elements, next};

/// The longest name, in characters.
const MAX_NAME: usize = 128;

/// The longest user agent, in bytes.
const MAX_USER_AGENT: usize = 512;

/// Device of a session, as a list of devices shows it to the user.
///
/// [`Session::set_device`](crate::Session::set_device) cuts what is too long. With the feature
/// `axum` it is an extractor, which never fails: it fills `user_agent` from the header
/// `User-Agent`, and `ip` as configured by [`ClientIp`](crate::middleware::ClientIp).
// Written as `[name, user_agent, ip]` without the `null`s at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// A name for the user, for example "Jo's phone"; at most 128 characters.
    pub name: Option<String>,
    /// The `User-Agent` of the request; at most 512 bytes.
    pub user_agent: Option<String>,
    /// The address of the client.
    pub ip: Option<IpAddr>,
}

impl Device {
    /// Returns the device as it is stored.
    ///
    /// A client chooses its user agent. One that is too long is cut, because it must not keep its
    /// user from logging in.
    pub(crate) fn bounded(self) -> Self {
        let name = |text: String| shown(&text).take(MAX_NAME).collect();
        let user_agent = |text: String| {
            let mut size = 0;
            let fits = |c: &char| {
                size += c.len_utf8();
                size <= MAX_USER_AGENT
            };
            shown(&text).take_while(fits).collect()
        };
        Self {
            name: self.name.map(name).filter(|name: &String| !name.is_empty()),
            user_agent: self
                .user_agent
                .map(user_agent)
                .filter(|it: &String| !it.is_empty()),
            // Of an IPv4 client of an IPv6 socket.
            ip: self.ip.map(|ip| ip.to_canonical()),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Returns the characters without control characters, line separators and those that change the
/// direction of text: they would let a client imitate what a page shows.
fn shown(text: &str) -> impl Iterator<Item = char> {
    let is_hidden =
        |c: &char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.trim().chars().filter(move |c| !is_hidden(c))
}

impl Serialize for Device {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut elements = Elements::new(serializer)?;
        elements.push(self.name.as_ref())?;
        elements.push(self.user_agent.as_ref())?;
        elements.push(self.ip.as_ref())?;
        elements.end()
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Fields)
    }
}

/// Reads an array.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Device;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Device, A::Error> {
        let device = Device {
            name: next(&mut elements)?,
            user_agent: next(&mut elements)?,
            ip: next(&mut elements)?,
        };
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_cut_at_characters_and_shows_no_control_characters() {
        let device = Device {
            name: Some("\u{1f4f1}".repeat(200)),
            user_agent: Some("\u{e9}x".repeat(200)),
            ip: "::ffff:192.0.2.1".parse().ok(),
        };
        let Device {
            name,
            user_agent,
            ip,
        } = device.bounded();
        assert_eq!(name, Some("\u{1f4f1}".repeat(128)));
        // 170 times three bytes; the next character of two bytes fits, and the one behind it not.
        assert_eq!(user_agent, Some(format!("{}\u{e9}", "\u{e9}x".repeat(170))));
        assert_eq!(ip, "192.0.2.1".parse().ok());

        let device = Device {
            name: Some(" Jo\u{202e}'s\r\n\u{0}\u{2028}phone ".to_owned()),
            user_agent: Some("\t\u{85} ".to_owned()),
            ip: None,
        };
        let expected = Device {
            name: Some("Jo'sphone".to_owned()),
            ..Device::default()
        };
        assert_eq!(device.bounded(), expected);
        assert!(Device::default().bounded().is_empty());
    }
}
