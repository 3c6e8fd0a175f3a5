//! The device that a session was created on.

use std::fmt;
use std::net::IpAddr;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::array::{Elements, next};

/// Device of a session, as a list of devices shows it to the user.
///
/// Written as `[name, user_agent, ip]` without the `null`s at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// A name for the user, for example "Jo's phone".
    pub name: Option<String>,
    /// The `User-Agent` of the request.
    pub user_agent: Option<String>,
    /// The address of the client.
    pub ip: Option<IpAddr>,
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
