//! Settings: defaults, sources, errors.

use jwt_redis_session_server::Settings;
use jwt_redis_session_server::settings::Sources;

use crate::request::status;
use crate::service::Service;
use crate::support::redis_server::RedisServer;

pub(crate) const A: &str = "a secret of at least 32 bytes: A";
pub(crate) const B: &str = "a secret of at least 32 bytes: B";

pub(crate) fn file(yaml: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), yaml).expect("write");
    file
}

pub(crate) fn load_file(yaml: &str) -> Result<Settings, String> {
    let file = file(yaml);
    Settings::load(&Sources::default().file(file.path())).map_err(|error| error.to_string())
}

pub(crate) fn variable(setting: &str, value: &str) -> Sources {
    let name = format!("SESSIOND__{}", setting.replace('.', "__").to_uppercase());
    Sources::default().variables([(name, value.to_owned())])
}

#[test]
fn defaults_are_safe() {
    let settings = Settings::default();
    assert_eq!(settings.http.listen.to_string(), "127.0.0.1:8385");
    assert!(!settings.users.enabled && !settings.admin.enabled && !settings.introspection.enabled);
    assert!(settings.buckets.master_keys.is_empty());
}

/// Each line is a file and the beginning of its error. `GOOD` and `SAME` are replaced.
const WRONG: &str = r#"
{http: {lissten: 1}} -> http.lissten: unknown setting, `http` has listen,
{htpp: {listen: 1}} -> htpp: unknown section, there are http, operators,
{http: 7} -> http: must be a section
{http: {listen: nowhere}} -> http.listen: must be `host:port`, `:port` for all interfaces
{http: {listen: 127.0.0.1}} -> http.listen: must be `host:port`
{http: {listen: 8385}} -> http.listen: must be `host:port`
{http: {listen: [a]}} -> http.listen: must be
{http: {listen: 'unix:s.sock'}} -> http.listen: must be `unix:` and an absolute path
{http: {socket_mode: 660}} -> http.socket_mode: must be four octal digits
{http: {socket_mode: '0888'}} -> http.socket_mode: must be four octal digits
{http: {socket_mode: '7777'}} -> http.socket_mode: must be four octal digits
{http: {max_head_size: 100}} -> http.max_head_size: must be between 1024 and
{http: {idle_timeout: 0s}} -> http.idle_timeout: must be between
{http: {drain_delay: 2h}} -> http.drain_delay: must be at most 1 hour
{operators: {listen: nowhere}} -> operators.listen: must be `host:port`
{operators: {listen: '127.0.0.1:8385'}} -> operators.listen: must not be the address of `http.listen`
{http: {header_timeout: 30}} -> http.header_timeout: must be a duration with a unit, such as `500ms`, `30s`
{http: {header_timeout: '30'}} -> http.header_timeout: must be a duration with a unit
{http: {header_timeout: soon}} -> http.header_timeout: must be a duration with a unit
{http: {header_timeout: 0s}} -> http.header_timeout: must be between 1 ms and 100 years
{http: {body_timeout: 0s}} -> http.body_timeout: must be between
{http: {write_timeout: 0s}} -> http.write_timeout: must be between
{http: {request_timeout: 101years}} -> http.request_timeout: must be between
{http: {shutdown_timeout: 0s}} -> http.shutdown_timeout: must be between
{http: {max_connections: many}} -> http.max_connections: must be an
{limits: {failed_authentications_per_minute: -1}} -> limits.failed_authentications_per_minute: must be an integer that is not negative
{http: {max_connections: 0}} -> http.max_connections: must be between 1 and
{http: {max_connections: 9223372036854775807}} -> http.max_connections: must be between
{http: {threads: 40000}} -> http.threads: must be between 0 and
{http: {trusted_proxies: 101}, rpc: {enabled: false}} -> http.trusted_proxies: must be between 0 and 100
{store: {deadline: 0s}} -> store.deadline: must be between
{store: {redis: {url: x}}} -> store.redis: must be a string in quotes
{store: {redis: 'redis://localhost'}} -> tokens.secret: is required with Redis or a file
{store: {file: s}} -> tokens.secret: is required with Redis or a file
{store: {redis: 'redis://a', file: s}, tokens: {secret: GOOD}} -> store.file: cannot be set together with `store.redis`
{store: {password: secret}} -> store.password: requires `store.redis`
{store: {password_file: /no}} -> store.password_file: requires `store.redis`
{store: {redis: 'redis://a', password: secret, password_file: /no}, tokens: {secret: GOOD}} -> store.password_file: cannot be set together with `store.password`
{store: {user: jo}} -> store.user: requires `store.password` or `store.password_file`
{store: {sentinel_password: secret}} -> store.sentinel_password: requires `store.redis`
{store: {sentinel_password_file: /no}} -> store.sentinel_password_file: cannot be read: No such file
{store: {redis: 'redis://a', sentinel_password: secret, sentinel_password_file: /no}, tokens: {secret: GOOD}} -> store.sentinel_password_file: cannot be set
{store: {redis: 'redis://a', deadline: 100ms}, tokens: {secret: GOOD}, rpc: {max_payload: 9}} -> buckets.max_payload: must be at most 209715, which can be read from Redis within `store.deadline`
{store: {redis: 'redis://a'}, http: {request_timeout: 1s}, tokens: {secret: GOOD}, rpc: {max_payload: 1048577}} -> rpc.max_payload: must be at most 1048576, which can
{store: {redis: 'redis://a'}, tokens: {secret: GOOD}, rpc: {max_payload: 2097153}} -> rpc.max_payload: must be at most 2097152, which
{store: {sentinel_user: jo}} -> store.sentinel_user: requires `store.sentinel_password` or
{store: {ca_file: /no}} -> store.ca_file: requires `store.redis`
{store: {certificate_file: /no, key_file: /no}} -> store.certificate_file: requires `store.redis`
{store: {redis: 'redis://a', certificate_file: /no}, tokens: {secret: GOOD}} -> store.certificate_file: requires `store.key_file`
{store: {key_file: /no}} -> store.key_file: requires `store.certificate_file`
{store: {cache_max_staleness: 1s}} -> store.cache_max_staleness: requires `store.redis`
{store: {cache_max_staleness: 0s}} -> store.cache_max_staleness: must be between 1 ms and 1 h
{store: {cache_max_staleness: 61m}} -> store.cache_max_staleness: must be between 1 ms and 1 h
{store: {cache_max_staleness: 5}} -> store.cache_max_staleness: must be a duration
{store: {redis: 'rediss-cluster://a', cache_max_staleness: 1s}, tokens: {secret: GOOD}} -> store.cache_max_staleness: cannot be set with a cluster
{tokens: {algorithm: none}} -> tokens.algorithm: must be `HS256`, `HS384`, `HS512`, `RS256`, `PS256`, `ES256` or `EdDSA`
{tokens: {algorithm: ES384}} -> tokens.algorithm: must be
{tokens: {algorithm: ES256}} -> tokens.key_file: is required with this `tokens.algorithm`
{tokens: {algorithm: ES256, key_file: /no, secret: short}} -> tokens.secret: must be at least 32
{tokens: {key_file: /no}} -> tokens.key_file: requires RS256,
{tokens: {previous_key_files: [/no]}} -> tokens.previous_key_files: requires RS256,
{tokens: {algorithm: ES256, key_file: /no, previous_key_files: [/1, /2, /3]}} -> tokens.previous_key_files: must be at most two
{tokens: {secret: short}} -> tokens.secret: must be at least 32 bytes
{tokens: {algorithm: HS384, secret: GOOD}} -> tokens.secret: must be at least 48 bytes
{tokens: {algorithm: HS512, secret: GOOD}} -> tokens.secret: must be at least 64 bytes
{tokens: {secret: SAME}} -> tokens.secret: repeats itself and can be guessed; see `sessiond generate-secret`
{tokens: {previous_secrets: [GOOD, SAME]}} -> tokens.previous_secrets: repeats itself and can be guessed; see `sessiond generate-secret`
{tokens: {previous_secrets: [GOOD, short]}} -> tokens.previous_secrets: must be at least 32
{tokens: {previous_secrets: [GOOD, GOOD, GOOD]}} -> tokens.previous_secrets: must be at most two
{tokens: {previous_secrets: GOOD}} -> tokens.previous_secrets: must be a list of strings: `["first", "second"]`
{tokens: {secret: GOOD}, rpc: {secret: GOOD}} -> rpc.secret: is the same as `tokens.secret`
{tokens: {previous_secrets: [GOOD]}, users: {secret: GOOD}} -> users.secret: is the same as `tokens.previous_secrets`
{tokens: {secret: GOOD}, buckets: {master_keys: [GOOD]}} -> buckets.master_keys: is the same as `tokens.secret`
{rpc: {secret: GOOD}, users: {secret: GOOD}} -> users.secret: is the same as `rpc.secret`
{rpc: {secret: PATTERN}} -> rpc.secret: repeats itself
{buckets: {enabled: perhaps}} -> buckets.enabled: must be a boolean
{buckets: {session_ttl: 0s}} -> buckets.session_ttl: must be between
{buckets: {max_payload: 0}} -> buckets.max_payload: must be between 1 and
{buckets: {master_keys: {}}} -> buckets.master_keys: must be a list of strings
{buckets: {master_keys: GOOD}} -> buckets.master_keys: must be a list of strings
{buckets: {master_keys_file: 7}} -> buckets.master_keys_file: must be the path of a file
{buckets: {max_payload: 8388609}} -> buckets.max_payload: must be between 1 and 8388608
{buckets: {master_keys: [GOOD, short]}} -> buckets.master_keys: must be at least 32
{buckets: {master_keys: [GOOD, SAME]}} -> buckets.master_keys: repeats itself and can be guessed; see `sessiond generate-secret`
{rpc: {session_ttl: 0s}} -> rpc.session_ttl: must be between
{rpc: {max_payload: 9223372036854775807}} -> rpc.max_payload: must be between
{rpc: {session_version: 'a b'}} -> rpc.session_version: must be 1 to 32
{rpc: {session_version: ''}} -> rpc.session_version: must be 1 to 32
{rpc: {secret: short}} -> rpc.secret: must be at least 32
{rpc: {secret: SAME}} -> rpc.secret: repeats itself and can be guessed; see `sessiond generate-secret`
{rpc: {secret: 1234567890123456789012345678901234567890}} -> rpc.secret: must be a string in quotes
{users: {session_ttl: 0s}} -> users.session_ttl: must be between
{users: {secret: short}} -> users.secret: must be at least 32
{users: {verify_url: 'http://app.example/login'}} -> users.verify_url: must be an https URL
{users: {verify_url: 'http://10.0.0.1/login'}} -> users.verify_url: must be an https URL
{users: {verify_url: 'https://jo:pw@app.example/'}} -> users.verify_url: must be an https URL
{users: {verify_url: 'app.example/login'}} -> users.verify_url: must be an https URL
{users: {verify_url: 'ftp://localhost/'}} -> users.verify_url: must be an https URL
{users: {secret: SAME}} -> users.secret: repeats itself and can be guessed; see `sessiond generate-secret`
{users: {enabled: true}, http: {trusted_proxies: 1}, rpc: {enabled: false}} -> users.secret: is required unless
{http: {listen: '[::]:0'}} -> rpc.secret: is required unless `http.listen` is a loopback address or a Unix socket, and
{http: {trusted_proxies: 1}} -> rpc.secret: is required unless
{rpc: {secret: "a secret with a newline \n in its middle"}} -> rpc.secret: begins or ends with a space, or has a control character
{users: {secret: ' a secret that begins with a space'}} -> users.secret: begins or ends with a space
{introspection: {enabled: true}} -> introspection.secrets: is required with `introspection.enabled`
{introspection: {enabled: true, secrets: [GOOD]}, rpc: {enabled: false}} -> introspection.enabled: requires `rpc.enabled` or `users.enabled`
{introspection: {secrets: [short]}} -> introspection.secrets: must be at least 32
{introspection: {secrets: [GOOD]}, users: {secret: GOOD}} -> introspection.secrets: is the same as `users.secret`
{admin: {enabled: true}} -> buckets.master_keys: is required with `admin.enabled`
{admin: {session_ttl: 0s}} -> admin.session_ttl: must be between
{limits: {failed_authentications_per_minute: 0}} -> limits.failed_authentications_per_minute: must be
{log: {format: xml}} -> log.format: must be `text` or `json`
{log: {format: 7}} -> log.format: must be `text` or `json`
"#;

#[test]
fn wrong_settings_are_named_in_one_line() {
    let lines = WRONG.replace("GOOD", &format!("'{A}'"));
    let lines = lines.replace("SAME", &"a".repeat(64));
    let lines = lines.replace("PATTERN", &"password".repeat(5));
    for line in lines.lines().skip(1) {
        let (yaml, error) = line.split_once(" -> ").expect("an error");
        let found = load_file(yaml).expect_err(yaml);
        assert!(found.starts_with(error), "{yaml}: {found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
    for url in [
        "https://app.example:8443/verify?k=v",
        "http://127.0.0.1:80/",
        "http://[::1]/login",
        "http://localhost:3000",
    ] {
        load_file(&format!("users: {{verify_url: '{url}'}}")).expect(url);
    }
    let two = format!("tokens: {{secret: '{A}', previous_secrets: ['{B}', '{A}']}}");
    load_file(&two).expect("valid");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let yaml = "
http: {lissten: 1, header_timeout: 30, body_timeout: 0s, threads: many}
htpp: {}
store: 7
rpc: {secret: short, session_version: 'a b', secrets: 1}
users: {enabled: perhaps, secret_file: /no}
buckets: {master_keys: text}
admin: {enabled: true}
";
    let file = file(yaml);
    let sources = variable("http.trusted_proxies", "101")
        .variables([("SESSIOND_LISTEN".to_owned(), "a".to_owned())])
        .file(file.path());
    let load = || Settings::load(&sources).expect_err("wrong").to_string();
    let found = load();
    assert_eq!(load(), found, "always in the same order");
    let mut found: Vec<_> = found
        .lines()
        .map(|line| line.split_once(": ").expect("a setting").0)
        .collect();
    found.sort_unstable();
    let expected = "SESSIOND_LISTEN buckets.master_keys htpp http.body_timeout http.header_timeout \
                    http.lissten http.threads http.trusted_proxies rpc.secret rpc.secrets \
                    rpc.session_version store users.enabled users.secret_file";
    assert_eq!(found.join(" "), expected);
}

#[test]
fn an_exposed_api_needs_a_secret() {
    let exposed = [
        "{http: {listen: '0.0.0.0:0'}",
        "{http: {listen: ':0'}",
        "{http: {listen: systemd}",
        "{http: {trusted_proxies: 1}",
        "{http: {listen: 'unix:/s.sock', trusted_proxies: 1}",
    ];
    for start in exposed {
        let with = |rest: &str| load_file(&format!("{start}, {rest}}}"));
        let found = with("users: {enabled: true}").expect_err("exposed");
        for api in ["rpc.secret: is required", "users.secret: is required"] {
            assert!(found.contains(api), "{start}: {found}");
        }
        with("rpc: {enabled: false}").expect("users is disabled");
        let both = format!("rpc: {{secret: '{A}'}}, users: {{enabled: true, secret: '{B}'}}");
        with(&both).expect("secrets");
    }
    for listen in ["[::1]:0", "localhost:0", "unix:/s.sock"] {
        let local = format!("{{users: {{enabled: true}}, http: {{listen: '{listen}'}}}}");
        load_file(&local).expect(listen);
    }
}

#[test]
fn later_sources_override_earlier_ones() {
    let file = file("http: {listen: '127.0.0.2:0', header_timeout: 7s}");
    let of_file = Sources::default().file(file.path());
    let and_variable = variable("http.listen", "127.0.0.3:0").file(file.path());
    let and_flag = and_variable.clone().flag("http.listen", "127.0.0.4:0");
    for (sources, listen) in [
        (of_file, "127.0.0.2:0"),
        (and_variable, "127.0.0.3:0"),
        (and_flag, "127.0.0.4:0"),
    ] {
        let settings = Settings::load(&sources).expect("valid settings");
        assert_eq!(settings.http.listen.to_string(), listen);
        assert_eq!(settings.http.header_timeout.as_secs(), 7);
        assert_eq!(settings.http.body_timeout.as_secs(), 10, "the default");
    }
}

#[test]
fn variables_are_converted_to_the_type_of_the_setting() {
    let load = |setting, value: &str| Settings::load(&variable(setting, value)).expect(value);
    let digits = "0031415926535897932384626433832795e5".to_owned();
    let settings = load("rpc.secret", &digits);
    assert_eq!(settings.rpc.secret.expect("a secret").expose(), digits);
    let settings = load("buckets.master_keys", &format!("{A}, {B}"));
    let keys = settings.buckets.master_keys.iter().map(|key| key.expose());
    assert_eq!(keys.collect::<Vec<_>>(), [A, B]);
    assert_eq!(load("http.threads", "3").http.threads, 3);
    assert!(!load("rpc.enabled", "false").rpc.enabled);
    let empty = load("store.redis", "");
    assert_eq!(empty, Settings::default(), "empty is not set");
}

#[test]
fn unreadable_files_are_named() {
    let directory = std::env::temp_dir();
    for (path, error) in [
        (directory.to_str().expect("UTF-8"), "is not a file"),
        ("/no/such/file", "cannot be read: "),
    ] {
        let found = Settings::load(&Sources::default().file(path)).expect_err(path);
        let expected = format!("{path}: {error}");
        assert!(found.to_string().starts_with(&expected), "{found}");
    }
    let found = load_file("http:\n  - a\n b: [").expect_err("not YAML");
    assert!(found.contains(": is not valid YAML, see line 3"), "{found}");
}

#[tokio::test]
async fn redis_credentials_override_those_in_the_url() {
    let password = "p@ss/w?rd#:%41";
    let redis = RedisServer::start_with(&["--requirepass", password]);
    for user in [None, Some("default".to_owned())] {
        let service = Service::redis_at(&redis.url(), |settings| {
            settings.store.password = Some(password.into());
            settings.store.user = user;
        })
        .await;
        assert_eq!(status(service.get("/readyz")).await, 200);
    }
}
