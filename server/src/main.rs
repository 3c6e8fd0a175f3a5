//! The program `sessiond`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request allocates dozens of times, in half the time of the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    jwt_redis_session_server::run()
}
