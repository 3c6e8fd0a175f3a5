//! What the settings are, and what is said of wrong ones.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jwt_redis_session_server::Settings;
use jwt_redis_session_server::settings::Sources;

use crate::program::{Program, run, sessiond};
use crate::support::redis_server::RedisServer;

/// Must never be seen.
const HIDDEN: &str = "h1dd3n";

fn config_yml() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config.yml")
}

/// A file with these settings, until it is dropped.
fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".yml").tempfile();
    let file = file.expect("a temporary file");
    std::fs::write(file.path(), text).expect("write");
    file
}

/// What the program says of the settings in a file: its exit code and its complaint.
fn check(text: &str) -> (i32, String) {
    let file = file(text);
    let path = file.path().to_str().expect("UTF-8");
    let (code, _, complaint) = run(&mut sessiond(&["check-config", "--config", path]));
    (code, complaint)
}

#[test]
fn config_yml_holds_the_defaults() {
    let settings = Settings::load(&Sources::new().file(config_yml())).expect("good settings");
    assert_eq!(settings, Settings::default());
}

/// Every name that stands in `Settings`, read off its `Debug`.
#[test]
fn config_yml_holds_every_setting_and_explains_it() {
    let names: BTreeSet<_> = format!("{:#?}", Settings::default())
        .lines()
        .filter_map(|line| {
            line.trim()
                .split_once(": ")
                .map(|(name, _)| name.to_owned())
        })
        .collect();
    assert!(names.contains("failed_authentications_per_minute"));
    let text = std::fs::read_to_string(config_yml()).expect("config.yml");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    for name in names {
        let stands = |line: &&&str| line.starts_with(&format!("{name}:"));
        let count = lines.iter().filter(stands).count();
        assert!(count >= 1, "config.yml does not hold {name}");
    }
    assert!(!text.contains("redis://:"), "no usable secret stands there");
}

#[test]
fn an_unknown_setting_is_named_in_one_line() {
    let cases = [
        (
            "http: {lissten: 1}",
            "http.lissten: unknown setting, `http` has listen, ",
        ),
        (
            "htpp: {listen: 1}",
            "htpp: unknown section, there are http, store, ",
        ),
        ("store: {redis: {url: x}}", "store.redis: must be a text"),
    ];
    for (text, beginning) in cases {
        let (code, complaint) = check(text);
        assert_eq!(code, 2, "{text}");
        assert!(
            complaint.starts_with(&format!("sessiond: {beginning}")),
            "{complaint}"
        );
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

const WRONG: [(&str, &str); 24] = [
    ("http: {listen: nowhere}", "http.listen"),
    ("http: {header_timeout: 5}", "http.header_timeout"),
    ("http: {max_connections: many}", "http.max_connections"),
    ("http: {max_connections: 0}", "http.max_connections"),
    (
        "http: {max_connections: 9223372036854775807}",
        "http.max_connections",
    ),
    ("http: {threads: 40000}", "http.threads"),
    ("http: {trusted_proxies: 101}", "http.trusted_proxies"),
    ("buckets: {max_payload: 0}", "buckets.max_payload"),
    ("rpc: {max_payload: 9223372036854775807}", "rpc.max_payload"),
    ("http: 7", "http"),
    ("store: {deadline: 0s}", "store.deadline"),
    ("tokens: {algorithm: none}", "tokens.algorithm"),
    ("buckets: {enabled: perhaps}", "buckets.enabled"),
    ("buckets: {master_keys: {}}", "buckets.master_keys"),
    ("buckets: {master_keys: [short]}", "buckets.master_keys"),
    ("rpc: {session_version: 'a b'}", "rpc.session_version"),
    (
        "users: {enabled: true}\nhttp: {listen: '[::]:0'}",
        "users.secret",
    ),
    ("admin: {enabled: true}", "admin.enabled"),
    (
        "limits: {failed_authentications_per_minute: 0}",
        "limits.failed_authentications_per_minute",
    ),
    ("log: {format: xml}", "log.format"),
    (
        "store: {redis: 'http://localhost'}\ntokens: {secret: aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb}",
        "store.redis",
    ),
    ("store: {redis: 'redis://localhost'}", "tokens.secret"),
    ("store: {password: secret}", "store.password"),
    ("store: {user: jo}", "store.user"),
];

#[test]
fn a_wrong_value_is_named_in_one_line() {
    for (text, setting) in WRONG {
        let (code, complaint) = check(text);
        assert_eq!(code, 2, "{text}: {complaint}");
        assert!(
            complaint.starts_with(&format!("sessiond: {setting}: ")),
            "{complaint}"
        );
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

#[test]
fn a_secret_of_one_byte_repeated_is_refused_wherever_one_is_asked_for() {
    let (weak, good) = ("a".repeat(64), "ab".repeat(32));
    for (section, key, is_list) in [
        ("tokens", "secret", false),
        ("tokens", "previous_secrets", true),
        ("buckets", "master_keys", true),
        ("rpc", "secret", false),
        ("users", "secret", false),
    ] {
        let text = |secret: &str| match is_list {
            true => format!("{section}: {{{key}: [{}, {secret}]}}", "cd".repeat(32)),
            false => format!("{section}: {{{key}: {secret}}}"),
        };
        assert_eq!(check(&text(&good)), (0, String::new()), "{section}.{key}");
        let (code, complaint) = check(&text(&weak));
        assert_eq!(code, 2, "{section}.{key}");
        let beginning = format!("sessiond: {section}.");
        assert!(complaint.starts_with(&beginning), "{complaint}");
        assert!(!complaint.contains(&weak), "{complaint}");
    }
}

#[test]
fn a_wrong_word_is_answered_with_those_there_are() {
    for (section, key, words) in [
        ("log", "format", &["text", "json"][..]),
        ("tokens", "algorithm", &["HS256", "HS384", "HS512"]),
    ] {
        for wrong in ["xml", "''", "7", "[text]", "true"] {
            let (code, complaint) = check(&format!("{section}: {{{key}: {wrong}}}"));
            assert_eq!(code, 2, "{wrong}");
            let beginning = format!("sessiond: {section}.{key}: must be `{}`", words[0]);
            assert!(complaint.starts_with(&beginning), "{complaint}");
            let named = |word: &&str| complaint.contains(&format!("`{word}`"));
            assert!(words.iter().all(named), "{complaint}");
        }
        for word in words {
            let (code, complaint) = check(&format!("{section}: {{{key}: {word}}}"));
            assert_eq!((code, &*complaint), (0, ""), "{word}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let directory = std::env::temp_dir();
    let directory = directory.to_str().expect("UTF-8");
    let command = &mut sessiond(&["check-config", "--config", directory]);
    let (code, _, complaint) = run(command);
    assert_eq!(code, 2);
    assert_eq!(complaint, format!("sessiond: {directory}: is not a file\n"));
    let (code, _, complaint) = run(&mut sessiond(&[
        "check-config",
        "--config",
        "/no/such/file",
    ]));
    assert_eq!(code, 2);
    assert!(
        complaint.starts_with("sessiond: /no/such/file: cannot be read"),
        "{complaint}"
    );
    let (code, complaint) = check("http:\n  - a\n b: [");
    assert_eq!(code, 2);
    assert!(
        complaint.contains(": is not YAML, see line 3"),
        "{complaint}"
    );
}

/// In the file, the environment, the flags; as a wrong type, a wrong URL, and YAML that is none.
#[test]
fn the_value_of_a_secret_is_never_shown() {
    let secrets = [
        "store.redis",
        "store.password",
        "tokens.secret",
        "tokens.previous_secrets",
        "buckets.master_keys",
        "rpc.secret",
        "users.secret",
    ];
    let values = [
        HIDDEN.to_owned(),
        format!("{{{HIDDEN}: 1}}"),
        format!("[{{a: {HIDDEN}}}]"),
        format!("[[{HIDDEN}]]"),
        format!("'redis://:{HIDDEN}@['"),
        format!("'http://user:{HIDDEN}@localhost'"),
        format!("'{HIDDEN}"),
        format!("*{HIDDEN}"),
    ];
    for setting in secrets {
        let (section, key) = setting.split_once('.').expect("a section");
        let variable = format!("SESSIOND__{section}__{key}").to_uppercase();
        for value in &values {
            let (code, complaint) = check(&format!("{section}: {{{key}: {value}}}"));
            assert_eq!(code, 2, "{setting}: {value}");
            assert!(!complaint.contains(HIDDEN), "{complaint}");
            let (code, _, complaint) = run(sessiond(&["check-config"]).env(&variable, value));
            assert_eq!(code, 2, "{setting}: {value}");
            assert!(!complaint.contains(HIDDEN), "{complaint}");
        }
    }
}

#[test]
fn the_value_of_a_url_is_never_shown() {
    for value in [
        format!("redis://:{HIDDEN}@["),
        format!("http://:{HIDDEN}@localhost"),
    ] {
        let mut command = sessiond(&["check-config", "--redis", &value]);
        let (code, _, complaint) = run(command.env(
            "SESSIOND__TOKENS__SECRET",
            "a signing secret of at least 32 bytes",
        ));
        assert_eq!(code, 2);
        assert!(
            complaint.starts_with("sessiond: store.redis: "),
            "{complaint}"
        );
        assert!(!complaint.contains(HIDDEN), "{complaint}");
    }
    let (_, complaint) = check(&format!("store: 'redis://:{HIDDEN}@localhost'"));
    assert!(complaint.starts_with("sessiond: store: "), "{complaint}");
    assert!(!complaint.contains(HIDDEN), "{complaint}");
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let file = file("http: {listen: '127.0.0.2:0', header_timeout: 7s}");
    let path = file.path().to_str().expect("UTF-8");
    let host = |command: &mut std::process::Command| {
        let address = Program::start(command).address();
        address
            .split(':')
            .next()
            .map(str::to_owned)
            .expect("a host")
    };
    let file_only = &mut sessiond(&["--config", path]);
    assert_eq!(host(file_only), "127.0.0.2");
    assert_eq!(
        host(file_only.env("SESSIOND__HTTP__LISTEN", "127.0.0.3:0")),
        "127.0.0.3"
    );
    assert_eq!(
        host(file_only.args(["--listen", "127.0.0.4:0"])),
        "127.0.0.4"
    );
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let (code, _, complaint) = run(sessiond(&["check-config"]).env("SESSIOND__STORE__REDIS", ""));
    assert_eq!((code, complaint.as_str()), (0, ""));
}

#[test]
fn a_variable_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let value = std::ffi::OsStr::from_bytes(b"secret\xff");
    let (code, _, complaint) = run(sessiond(&["check-config"]).env("SESSIOND__RPC__SECRET", value));
    assert_eq!(code, 2);
    assert_eq!(complaint, "sessiond: SESSIOND__RPC__SECRET: is not UTF-8\n");
}

#[tokio::test]
async fn user_and_password_of_redis_are_given_apart_from_the_url() {
    let password = "p@ss/w?rd#:%41";
    let redis = RedisServer::start_with(&["--requirepass", password]);
    let mut command = sessiond(&["--listen", "127.0.0.1:0"]);
    command.envs([
        ("SESSIOND__STORE__REDIS", redis.url().as_str()),
        ("SESSIOND__STORE__PASSWORD", password),
        ("SESSIOND__TOKENS__SECRET", crate::service::SECRET),
    ]);
    for user in [None, Some("default")] {
        if let Some(user) = user {
            command.env("SESSIOND__STORE__USER", user);
        }
        let program = Program::start(&mut command);
        let url = format!("http://{}/readyz", program.address());
        let client = reqwest::Client::builder().no_proxy().build();
        let ready = client.expect("a client").get(url).send().await;
        assert_eq!(ready.expect("an answer").status(), 200, "{}", program.log());
    }
}
