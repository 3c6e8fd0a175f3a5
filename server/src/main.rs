//! The program `sessiond`.

use std::process::ExitCode;

fn main() -> ExitCode {
    jwt_redis_session_server::run()
}
