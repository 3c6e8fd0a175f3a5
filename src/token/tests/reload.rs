//! Keys that are replaced while they are in use.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::forge::*;
use crate::token::{Key, KeyringBuilder, KeyringError};
use crate::{Algorithm, Keyring};

fn of(secret: &[u8], kid: &str) -> Key {
    Key::secret(secret).kid(kid)
}

fn old() -> Key {
    of(SECRET, "old")
}

fn new() -> Key {
    of(OTHER, "new")
}

fn signing(key: Key) -> KeyringBuilder {
    Keyring::builder(Algorithm::Hs256).signing(key)
}

fn ring(keys: KeyringBuilder) -> Keyring {
    keys.build().unwrap()
}

fn check(ring: &Keyring, token: &str) -> &'static str {
    outcome(ring.verify(token, at(NOW)))
}

#[test]
fn three_steps_rotate_the_key_in_all_clones() {
    let keyring = ring(signing(old()));
    let [signer, verifier] = [keyring.clone(), keyring.clone()];
    let first = sign(&signer);
    assert_eq!(check(&verifier, &first), "ok");

    keyring
        .reload(&ring(signing(old()).previous(new())))
        .unwrap();
    let elsewhere = sign(&ring(signing(new())));
    assert_eq!(check(&verifier, &elsewhere), "ok");
    assert_eq!(sign(&signer), first, "the new key signs nothing yet");

    keyring
        .reload(&ring(signing(new()).previous(old())))
        .unwrap();
    assert_eq!(sign(&signer), elsewhere);
    assert_eq!(check(&verifier, &first), "ok");

    keyring.reload(&ring(signing(new()))).unwrap();
    // It was verified before, by this key ring.
    assert_eq!(check(&verifier, &first), "header_param");
    assert_eq!(check(&verifier, &elsewhere), "ok");
}

#[test]
fn what_would_end_sessions_is_refused() {
    let keyring = ring(signing(old())).issuer("https://id").audience("shop");
    let token = sign(&keyring);
    let same = |keys: KeyringBuilder| ring(keys).issuer("https://id").audience("shop");
    let pair = Keyring::builder(Algorithm::EdDsa).signing(Key::pem(pem("ed25519")));
    let leeway = Duration::from_secs(1);
    for (next, expected) in [
        (same(signing(new())), KeyringError::EndsSessions),
        (same(pair), KeyringError::EndsSessions),
        // The same secret under another name, which no longer names the tokens of the first one.
        (
            same(signing(of(SECRET, "2027"))),
            KeyringError::EndsSessions,
        ),
        (
            same(Keyring::builder(Algorithm::Hs256).previous(old())),
            KeyringError::NoSigningKey,
        ),
        (ring(signing(old())), KeyringError::OtherRules),
        (
            same(signing(old())).issuer("https://other"),
            KeyringError::OtherRules,
        ),
        (
            same(signing(old())).audience("other"),
            KeyringError::OtherRules,
        ),
        (
            same(signing(old())).leeway(leeway).unwrap(),
            KeyringError::OtherRules,
        ),
    ] {
        assert_eq!(keyring.reload(&next), Err(expected));
        assert_eq!(sign(&keyring), token, "nothing has changed");
        assert_eq!(check(&keyring, &token), "ok");
    }
    keyring.reload(&keyring.clone()).unwrap();
    assert_eq!(check(&keyring, &token), "ok");
}

#[test]
fn a_key_ring_that_only_verifies_takes_any_keys() {
    let verifying = |key| ring(Keyring::builder(Algorithm::Hs256).previous(key));
    let keyring = verifying(old());
    keyring.reload(&verifying(new())).unwrap();
    assert_eq!(check(&keyring, &sign(&ring(signing(new())))), "ok");
    let of_old = sign(&ring(signing(old())));
    assert_eq!(check(&keyring, &of_old), "header_param");
}

#[test]
fn replace_ends_sessions_at_once() {
    let keyring = ring(signing(old()));
    let clone = keyring.clone();
    let token = sign(&keyring);
    assert_eq!(check(&clone, &token), "ok");
    let pair = Keyring::builder(Algorithm::EdDsa).signing(Key::pem(pem("ed25519")));
    keyring.replace(&ring(pair).audience("shop"));
    assert_eq!(check(&clone, &token), "algorithm");
    assert_eq!(check(&clone, &sign(&keyring)), "ok");
}

#[test]
fn what_the_next_key_ring_does_later_does_not_matter() {
    let keyring = ring(signing(old()));
    let other_rules = keyring.clone().audience("shop");
    let next = ring(signing(new()).previous(old()));
    keyring.reload(&next).unwrap();
    next.replace(&ring(signing(of(
        b"yet another secret of 32 bytes or more",
        "later",
    ))));
    assert_eq!(sign(&keyring), sign(&ring(signing(new()))));
    // A key ring with other rules has its own keys.
    assert_eq!(
        sign(&other_rules),
        sign(&ring(signing(old())).audience("shop"))
    );
}

#[test]
fn a_published_set_follows_the_keys() {
    let pair = |name| Key::pem(pem(name));
    let keyring = ring(Keyring::builder(Algorithm::EdDsa).signing(pair("ed25519")));
    let published = keyring.clone();
    let next = Keyring::builder(Algorithm::EdDsa).signing(pair("ed25519.other"));
    let next = ring(next.previous(pair("ed25519.pub")));
    assert_ne!(published.jwks(), next.jwks());
    keyring.reload(&next).unwrap();
    assert_eq!(published.jwks(), next.jwks());
}

/// Every token is accepted while its key is in the ring, whichever key signs at the moment.
#[test]
fn no_request_fails_while_keys_are_replaced() {
    let first = || ring(signing(old()).previous(new()));
    let second = ring(signing(new()).previous(old()));
    let (keyring, done) = (first(), AtomicBool::new(false));
    let signed_by = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let both_have_signed = || {
        signed_by
            .iter()
            .all(|count| count.load(Ordering::Relaxed) > 0)
    };
    let of_old = sign(&first());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let token = sign(&keyring);
                    assert_eq!(check(&keyring, &token), "ok");
                    signed_by[usize::from(token == of_old)].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..100_000 {
            keyring.reload(&second).unwrap();
            keyring.reload(&first()).unwrap();
            if round > 500 && both_have_signed() {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(both_have_signed());
}

/// One reload makes the new key sign, and one drops it: the second is refused if it comes later.
#[test]
fn concurrent_reloads_never_drop_the_key_that_signs() {
    let next = ring(signing(new()).previous(old()));
    let without_new = ring(signing(old()));
    for _ in 0..500 {
        let keyring = ring(signing(old()).previous(new()));
        std::thread::scope(|scope| {
            scope.spawn(|| keyring.reload(&next).unwrap());
            scope.spawn(|| keyring.reload(&without_new));
        });
        assert_eq!(sign(&keyring), sign(&next));
    }
}
