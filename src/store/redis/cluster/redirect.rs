//! Answers of a node that does not serve a key now.

use redis::Value;

use super::slots::Node;
use crate::store::redis::address::host_and_port;

/// Where a command must be sent instead. A command that is redirected was not executed.
#[derive(Debug, PartialEq)]
pub(super) enum Redirect {
    /// To the node that serves the slot (`MOVED`).
    Moved(Node),
    /// This once to a node that is taking over the slot, behind `ASKING` (`ASK`).
    Ask(Node),
    /// To the same slot: no node serves it at the moment.
    Later,
}

impl Redirect {
    /// Whether `answer` is a redirection.
    pub(super) fn is(answer: &Value) -> bool {
        Self::of(answer, "").is_some()
    }

    /// Reads the answer of the node at `host`. `None` if the node has executed the command, or has
    /// rejected it for another reason.
    pub(super) fn of(answer: &Value, host: &str) -> Option<Self> {
        let Value::ServerError(error) = answer else {
            return None;
        };
        let node = || {
            let (_slot, address) = error.details()?.split_once(' ')?;
            // Without a host, it is the same one.
            match address.strip_prefix(':').and_then(|port| port.parse().ok()) {
                Some(port) => Some((host.to_owned(), port)),
                None => host_and_port(address, 0),
            }
        };
        match error.code() {
            "MOVED" => Some(node().map_or(Self::Later, Self::Moved)),
            "ASK" => Some(node().map_or(Self::Later, Self::Ask)),
            // A replica answers MOVED before it could answer READONLY or MASTERDOWN.
            "TRYAGAIN" | "CLUSTERDOWN" | "LOADING" => Some(Self::Later),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::Redirect;

    #[test]
    fn every_redirection_is_read() {
        let node = |host: &str| (host.to_owned(), 6381);
        for (line, expected) in [
            (
                "-MOVED 3999 10.0.0.2:6381",
                Some(Redirect::Moved(node("10.0.0.2"))),
            ),
            ("-MOVED 3999 ::1:6381", Some(Redirect::Moved(node("::1")))),
            ("-MOVED 3999 :6381", Some(Redirect::Moved(node("asked")))),
            ("-MOVED 3999", Some(Redirect::Later)),
            ("-ASK 3999 b:6381", Some(Redirect::Ask(node("b")))),
            ("-TRYAGAIN Multiple keys", Some(Redirect::Later)),
            ("-CLUSTERDOWN Hash slot not served", Some(Redirect::Later)),
            ("-LOADING Redis is loading", Some(Redirect::Later)),
            ("-OOM command not allowed", None),
            ("+OK", None),
        ] {
            let answer = parse_redis_value(format!("{line}\r\n").as_bytes()).unwrap();
            assert_eq!(Redirect::of(&answer, "asked"), expected, "{line}");
        }
    }
}
