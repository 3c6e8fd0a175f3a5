//! Prints the heap allocations of a request to `in_process SERVER`, for each route. `speed` starts
//! it. It is a separate program because the allocator that counts takes time.

use allocation_counter::measure;
use peers::in_process::InProcess;
use peers::route::ROUTES;
use peers::servers::Settings;

const WARM_UP: u32 = 20;
const COUNTED: u32 = 200;

fn main() {
    let server = std::env::args().nth(1).expect("the name of a server");
    let app = InProcess::start(&server, &Settings::from_environment());
    for route in ROUTES {
        app.send(route, WARM_UP);
        let counted = measure(|| app.send(route, COUNTED));
        let each = counted.count_total as f64 / f64::from(COUNTED);
        println!("{each:.1}");
    }
}
