//! Secrets in settings: where they come from, and that errors do not show them.

use std::path::Path;

use jwt_redis_session_server::settings::Sources;
use jwt_redis_session_server::{App, Settings};

use crate::settings::{A, B, file, load_file, variable};

/// All settings that are secrets of at least 32 bytes.
pub(crate) const SECRETS: [&str; 6] = [
    "tokens.secret",
    "tokens.previous_secrets",
    "buckets.master_keys",
    "rpc.secret",
    "users.secret",
    "introspection.secrets",
];

/// The settings that are secrets, and whether each is a list.
const WITH_FILE: [(&str, bool); 8] = [
    ("store.redis", false),
    ("store.sentinel_password", false),
    ("tokens.secret", false),
    ("tokens.previous_secrets", true),
    ("buckets.master_keys", true),
    ("rpc.secret", false),
    ("users.secret", false),
    ("introspection.secrets", true),
];

/// Returns the values of a secret setting.
fn values(settings: &Settings, setting: &str) -> Vec<String> {
    let (tokens, store) = (&settings.tokens, &settings.store);
    let secrets = match setting {
        "store.redis" => store.redis.as_slice(),
        "store.sentinel_password" => store.sentinel_password.as_slice(),
        "tokens.secret" => tokens.secret.as_slice(),
        "tokens.previous_secrets" => &tokens.previous_secrets,
        "buckets.master_keys" => &settings.buckets.master_keys,
        "introspection.secrets" => &settings.introspection.secrets,
        "rpc.secret" => settings.rpc.secret.as_slice(),
        _ => settings.users.secret.as_slice(),
    };
    secrets
        .iter()
        .map(|secret| secret.expose().to_owned())
        .collect()
}

/// Returns sources in which a secret is in `file`, and that are valid otherwise.
fn with_file(setting: &str, file: &Path) -> Sources {
    let sources = variable(&format!("{setting}_file"), file.to_str().expect("UTF-8"));
    let signing = A.to_uppercase();
    match setting {
        "tokens.secret" => sources,
        "store.redis" => sources.flag("tokens.secret", &signing),
        _ => sources
            .flag("store.redis", "redis://a")
            .flag("tokens.secret", &signing),
    }
}

#[test]
fn every_secret_can_be_in_a_file_whose_last_newline_does_not_count() {
    for (setting, is_list) in WITH_FILE {
        let text = format!("{A}\r\n\n{B}\n");
        let (text, expected) = match is_list {
            true => (&*text, &[A, B][..]),
            false => (text.split_inclusive('\n').next().expect("a line"), &[A][..]),
        };
        let secret = file(text);
        let settings = Settings::load(&with_file(setting, secret.path())).expect(setting);
        assert_eq!(values(&settings, setting), expected, "{setting}");

        let both = with_file(setting, secret.path()).flag(setting, B);
        for (sources, problem) in [
            (both, format!("cannot be set together with `{setting}`")),
            (
                with_file(setting, Path::new("/h1dd3n")),
                "cannot be read: No such file".to_owned(),
            ),
            (
                with_file(setting, Path::new("/dev/null")),
                "is an empty file".to_owned(),
            ),
        ] {
            let error = Settings::load(&sources).expect_err(setting).to_string();
            let line = format!("{setting}_file: {problem}");
            assert!(error.contains(&line) && !error.contains(HIDDEN), "{error}");
        }
    }
    // Besides the files of certificates and keys, and the password that is read again.
    let files = include_str!("../../config.yml")
        .matches("_file: null")
        .count();
    assert_eq!(files - 5, WITH_FILE.len());
}

#[test]
fn a_newline_at_the_end_of_a_secret_does_not_count() {
    for setting in SECRETS {
        let (section, key) = setting.split_once('.').expect("a section");
        let list = [
            "tokens.previous_secrets",
            "buckets.master_keys",
            "introspection.secrets",
        ];
        let item = if list.contains(&setting) { "\n  -" } else { "" };
        let block = format!("{section}:\n  {key}:{item} |\n    {A}\n");
        for loaded in [
            Settings::load(&variable(setting, &format!("{A}\n"))).expect(setting),
            load_file(&block).expect(setting),
        ] {
            assert_eq!(values(&loaded, setting), [A], "{setting}");
        }
    }
}

const HIDDEN: &str = "h1dd3n";

/// Returns the error of wrong settings, which may be found when the service is built.
fn error(loaded: Result<Settings, String>) -> String {
    match loaded {
        Ok(settings) => App::build(settings).expect_err("wrong").to_string(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn values_of_secrets_are_never_shown() {
    const OTHERS: [&str; 4] = [
        "store.redis",
        "store.password",
        "store.sentinel_password",
        "users.verify_url",
    ];

    let values = "H | {H: 1} | [{a: H}] | [[H]] | 'redis://:H@[' | 'H | *H".replace('H', HIDDEN);
    for setting in SECRETS.into_iter().chain(OTHERS) {
        let (section, key) = setting.split_once('.').expect("a section");
        for value in values.split(" | ") {
            let sources = variable(setting, value);
            let loaded = Settings::load(&sources).map_err(|error| error.to_string());
            for error in [
                error(load_file(&format!("{section}: {{{key}: {value}}}"))),
                error(load_file(&format!("{section}: '{HIDDEN}'"))),
                error(loaded),
                format!("{sources:?}"),
            ] {
                assert!(!error.contains(HIDDEN), "{setting}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn wrong_urls_are_not_shown() {
    for url in ["redis://:h1dd3n@[", "http://:h1dd3n@localhost"] {
        let sources = Sources::default().flag("store.redis", url);
        let loaded = Settings::load(&sources.flag("tokens.secret", A));
        let error = error(loaded.map_err(|error| error.to_string()));
        assert!(error.starts_with("store.redis: "), "{error}");
        assert!(!error.contains(HIDDEN), "{error}");
    }
}
