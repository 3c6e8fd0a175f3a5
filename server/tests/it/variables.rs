//! Names of environment variables.

use jwt_redis_session_server::Settings;
use jwt_redis_session_server::settings::Sources;

use crate::settings::A;

/// Each line is a setting, its value as a variable, and whether that is valid.
const VARIABLES: &str = "
SESSIOND__STORE__REDIS=redis://a -> valid
SESSIOND_STORE__REDIS=redis://a -> SESSIOND_STORE__REDIS: is not a setting; use SESSIOND__STORE__REDIS
SESSIOND_REDIS_URL=redis://a -> SESSIOND_REDIS_URL: is not a setting; use SESSIOND__STORE__REDIS
SESSIOND_LISTEN=127.0.0.1:0 -> SESSIOND_LISTEN: is not a setting; use SESSIOND__HTTP__LISTEN
SESSIOND__STORE_REDIS=redis://a -> SESSIOND__STORE_REDIS: is not a setting; use SESSIOND__STORE__REDIS
SESSIOND__HTTP__LISSTEN=a -> http.lissten: unknown setting, `http` has listen,
SESSIOND__NO__SECTION=a -> no: unknown section, there are http,
SESSIOND__NONSENSE=a -> nonsense: unknown section, there are http,
SESSIOND__.=a -> .: unknown
SESSIOND_LISTEN= -> valid
SESSIOND_PORT=tcp://10.0.0.1:8385 -> valid
SESSIOND_PORT_8385_TCP=tcp://10.0.0.1:8385 -> valid
SESSIOND_SERVICE_HOST=10.0.0.1 -> valid
SESSIOND_SERVICE_PORT=8385 -> valid
SESSIOND_REDIS_SERVICE_HOST=10.0.0.1 -> valid
SESSIOND_REDIS_PORT_6379_TCP_ADDR=10.0.0.1 -> valid
SESSION_STORE_REDIS=a -> valid
";

#[test]
fn variables_that_resemble_a_setting_are_errors_and_those_of_kubernetes_are_not() {
    for line in VARIABLES.lines().skip(1) {
        let (variable, expected) = line.split_once(" -> ").expect("a result");
        let (name, value) = variable.split_once('=').expect("a value");
        let sources = Sources::default().variables([(name.to_owned(), value.to_owned())]);
        let loaded = Settings::load(&sources.flag("tokens.secret", A));
        let found = loaded.map_or_else(|error| error.to_string(), |_| "valid".to_owned());
        assert!(found.starts_with(expected), "{variable}: {found}");
    }
}
