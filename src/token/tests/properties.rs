//! Property tests of verification with arbitrary text, headers, payloads and claims.

use std::sync::LazyLock;
use std::time::SystemTime;

use proptest::prelude::*;

use super::forge::*;
use crate::token::{Encoding, TokenFormat};
use crate::{Keyring, OpaqueTokens};

static KEYRING: LazyLock<Keyring> = LazyLock::new(keyring);
static GOOD: LazyLock<String> = LazyLock::new(|| forge(HEADER, CLAIMS));

proptest! {
    #[test]
    fn no_text_makes_verification_panic(text in ".*", size in 16_usize..1024) {
        prop_assert!(KEYRING.verify(&text, at(NOW)).is_err());
        for encoding in [Encoding::Base64Url, Encoding::Base64, Encoding::Hex] {
            let tokens = OpaqueTokens::new().size(size).unwrap().encoding(encoding);
            let _ = TokenFormat::from(tokens).identify(&text, at(NOW), true);
        }
    }

    #[test]
    fn no_signed_content_makes_verification_panic(
        header in ".{0,60}",
        payload in ".{0,200}",
        name in "(jti|iat|sub|exp|nbf|iss|aud)",
        value in r#"(-?[0-9]{0,25}(\.[0-9]{0,5})?([eE][+-]?[0-9]{1,4})?|"[^"]{0,8}"?|\[.{0,5}\])"#,
        now: SystemTime,
    ) {
        let claims = with_claims(&format!(r#""{name}":{value}"#));
        for token in [forge(HEADER, payload), forge(header, CLAIMS), forge(HEADER, claims)] {
            let _ = KEYRING.verify(&token, now);
            let _ = KEYRING.clone().issuer("i").audience("a").verify(&token, now);
        }
    }
}

/// Covers the last character of each part, of which base64url ignores some bits unless the decoder
/// insists on the canonical form (RFC 4648 section 3.5).
#[test]
fn replacing_any_character_invalidates_the_token() {
    assert!(KEYRING.verify(&GOOD, at(NOW)).is_ok());
    for index in 0..GOOD.len() {
        for other in (0..128_u8).filter(|&other| other != GOOD.as_bytes()[index]) {
            let mut bytes = GOOD.clone().into_bytes();
            bytes[index] = other;
            let text = String::from_utf8(bytes).unwrap();
            assert!(KEYRING.verify(&text, at(NOW)).is_err(), "{index} {other}");
        }
    }
}
