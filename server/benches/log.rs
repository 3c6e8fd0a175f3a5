//! Cost of a line of the log, compared with `tracing_appender::non_blocking` without batches.
//!
//! `cargo bench -p jwt-redis-session-server --bench log`

#[path = "../src/log_writer.rs"]
#[allow(dead_code, unreachable_pub)]
mod log_writer;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// The line of a request.
const LINE: &[u8] = b"2026-11-28T12:00:00.123456Z  INFO sessiond::access: request \
    id=6f1c9c3a8f0e4a599d7b2f60c1a4e8d5 method=GET route=/session/{bucket}/{id} status=200 \
    micros=112\n";

/// Counts the writes to a file, each a system call.
struct Counted(File, Arc<AtomicUsize>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let lines = if is_bench { 50_000 } else { 100 };
    for per_second in [2_500, 25_000] {
        let writes = Arc::new(AtomicUsize::new(0));
        let (writer, guard) = log_writer::log_writer(sink(&writes));
        measure("log", &writer, guard, &writes, lines, per_second);

        let writes = Arc::new(AtomicUsize::new(0));
        let (writer, guard) = tracing_appender::non_blocking(BufWriter::new(sink(&writes)));
        measure(
            "tracing-appende",
            &writer,
            guard,
            &writes,
            lines,
            per_second,
        );
    }
}

fn sink(writes: &Arc<AtomicUsize>) -> Counted {
    Counted(tempfile::tempfile().expect("a file"), Arc::clone(writes))
}

/// Writes lines at a steady pace and prints what the thread called `name` did for them.
fn measure<'a>(
    name: &str,
    writer: &'a impl MakeWriter<'a>,
    guard: impl Sized,
    writes: &AtomicUsize,
    lines: u32,
    per_second: u32,
) {
    let start = Instant::now();
    for line in 1..=lines {
        writer.make_writer().write_all(LINE).expect("a line");
        // Sleeping would be too coarse.
        while start.elapsed() < Duration::from_secs(line.into()) / per_second {
            std::hint::spin_loop();
        }
    }
    let cpu = cpu_time(name) / lines;
    drop(guard);
    let writes = writes.load(Ordering::Relaxed) as f64 / f64::from(lines);
    println!(
        "{name}, {per_second} lines a second: {writes:.3} writes and {cpu:?} of CPU time a line"
    );
}

/// The CPU time of the thread with this name, of which Linux keeps 15 characters.
fn cpu_time(name: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let paths = tasks.map(|task| task.expect("a thread").path());
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let mut named = paths.filter(|path| read(path.join("comm")).trim_end() == name);
    let times = named.next().map(|path| read(path.join("schedstat")));
    let nanoseconds = times.and_then(|times| times.split(' ').next()?.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
