//! Translation of Redis errors.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerError};

use crate::store::error::{StoreError, StoreErrorKind};

/// Translates an answer that is an error, keeping its code word and nothing else: the text that
/// follows may repeat arguments, and those are session data.
pub(super) fn rejected(error: &ServerError) -> StoreError {
    let text = error.details().unwrap_or_default();
    let code = inner_code(error.code(), text);
    if code == "ERR" && text.starts_with("max number of clients") {
        return StoreError::new(StoreErrorKind::Connection).with_detail("too many clients");
    }
    let rejection = StoreError::new(kind_of(code));
    if is_code(code) {
        rejection.with_detail(code)
    } else {
        rejection
    }
}

/// Translates a failure to talk to the server at all.
pub(super) fn broken(error: &RedisError, address: &str) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::Io if error.is_timeout() => StoreErrorKind::Timeout,
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => StoreErrorKind::Protocol,
        ErrorKind::AuthenticationFailed => StoreErrorKind::Auth,
        ErrorKind::InvalidClientConfig | ErrorKind::RESP3NotSupported => {
            StoreErrorKind::Configuration
        }
        ErrorKind::Server(_) | ErrorKind::Extension => kind_of(error.code().unwrap_or_default()),
        _ => StoreErrorKind::Connection,
    };
    match io_kind(error) {
        // Only the kind: the text of other errors may come from the server.
        Some(cause) => at(address, kind, cause).with_source(io::Error::from(cause)),
        None => StoreError::new(kind).with_detail(address),
    }
}

/// Translates a failure to open a stream to the server.
pub(super) fn no_stream(error: io::Error, address: &str) -> StoreError {
    let kind = match error.kind() {
        io::ErrorKind::TimedOut => StoreErrorKind::Timeout,
        io::ErrorKind::Unsupported => StoreErrorKind::Configuration,
        _ => StoreErrorKind::Connection,
    };
    let described = match error.kind() {
        // Only the handshake has a limit of time here. A server without TLS waits for a command.
        io::ErrorKind::TimedOut => StoreError::new(kind).with_detail(format!(
            "{address}: no answer to the tls handshake; check that this port has tls"
        )),
        cause => at(address, kind, cause),
    };
    described.with_source(error)
}

fn at(address: &str, kind: StoreErrorKind, cause: io::ErrorKind) -> StoreError {
    let reason = match cause {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::InvalidData => "tls handshake failed",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::NotFound => "no such socket or host",
        _ => return StoreError::new(kind).with_detail(address),
    };
    StoreError::new(kind).with_detail(format!("{address}: {reason}"))
}

fn io_kind(error: &RedisError) -> Option<io::ErrorKind> {
    // redis-rs returns its inner Arc as the source, so the error in it is two steps down.
    let kept = error
        .source()?
        .downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    Some(kept.downcast_ref::<io::Error>()?.kind())
}

/// Redis before 7 wraps the error of a command in a script:
/// `ERR Error running script (…): @user_script:1: WRONGTYPE …`, or
/// `…: @user_script:1: @user_script: 1: -OOM …`.
fn inner_code<'a>(code: &'a str, text: &'a str) -> &'a str {
    if code != "ERR" || !text.starts_with("Error running script") {
        return code;
    }
    let is_place = |word: &str| word.starts_with("@user_script");
    let is_line = |word: &str| word.bytes().all(|byte| b"0123456789:".contains(&byte));
    let words = text.split_ascii_whitespace();
    let mut words = words.skip_while(|word| !is_place(word));
    words
        .find(|word| !is_place(word) && !is_line(word))
        .map(|word| word.strip_prefix('-').unwrap_or(word))
        .filter(|word| is_code(word))
        .unwrap_or(code)
}

fn is_code(word: &str) -> bool {
    (2..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn kind_of(code: &str) -> StoreErrorKind {
    match code {
        "WRONGTYPE" => StoreErrorKind::WrongType,
        "NOAUTH" | "WRONGPASS" => StoreErrorKind::Auth,
        "NOPERM" => StoreErrorKind::Permission,
        "READONLY" => StoreErrorKind::ReadOnly,
        "OOM" => StoreErrorKind::Full,
        "LOADING" | "MASTERDOWN" | "TRYAGAIN" => StoreErrorKind::Loading,
        "BUSY" => StoreErrorKind::Busy,
        "MISCONF" | "NOREPLICAS" => StoreErrorKind::Refused,
        "MOVED" | "ASK" | "CROSSSLOT" | "CLUSTERDOWN" => StoreErrorKind::Cluster,
        _ => StoreErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use redis::{Value, parse_redis_value};

    use super::rejected;

    fn kind(line: &str) -> &'static str {
        match parse_redis_value(format!("-{line}\r\n").as_bytes()) {
            Ok(Value::ServerError(error)) => {
                let rejection = rejected(&error);
                assert!(!format!("{rejection} {rejection:?}").contains("secret"));
                rejection.kind().as_str()
            }
            other => panic!("not an error: {other:?}"),
        }
    }

    #[test]
    fn every_code_has_its_kind() {
        for (line, expected) in [
            ("NOAUTH Authentication required.", "auth"),
            ("WRONGPASS invalid secret", "auth"),
            ("WRONGTYPE Operation against a key", "wrong_type"),
            ("NOPERM this user", "permission"),
            ("READONLY You can't write", "read_only"),
            ("OOM command not allowed", "full"),
            ("LOADING Redis is loading", "loading"),
            ("MASTERDOWN Link", "loading"),
            ("TRYAGAIN Multiple keys", "loading"),
            ("BUSY Redis is busy", "busy"),
            ("MISCONF Errors writing", "refused"),
            ("NOREPLICAS Not enough", "refused"),
            ("MOVED 3999 secret:6381", "cluster"),
            ("ASK 3999 secret:6381", "cluster"),
            ("CROSSSLOT Keys", "cluster"),
            ("CLUSTERDOWN Hash slot", "cluster"),
            ("ERR max number of clients reached", "connection"),
            ("ERR unknown command 'secret', with args: -OOM x", "other"),
            (
                "ERR Error running script (call to f_0): @user_script:1: -OOM no secret",
                "full",
            ),
            (
                "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -OOM no",
                "full",
            ),
            (
                "ERR Error running script (call to f_0): @user_script:1: WRONGTYPE no secret",
                "wrong_type",
            ),
            (
                "ERR Error running script (call to f_0): @user_script:1: a secret -OOM",
                "other",
            ),
            ("SECRET-secret x", "other"),
        ] {
            assert_eq!(kind(line), expected, "{line}");
        }
    }
}
