//! Runs each case on each library, and prints what a client sees.

fn main() {
    peers::servers::run_if_asked();
}
