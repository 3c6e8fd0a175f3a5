//! The machine, and how busy it is.

use std::process::Command;
use std::time::Duration;

use test_support::program::run;
use test_support::redis_server::RedisServer;

/// The length of the unit of `/proc/stat`: `USER_HZ` is 100 on Linux.
const TICK: Duration = Duration::from_millis(10);

/// Returns the number of cores.
pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

/// Returns the time that all cores have been busy, that of other virtual machines included.
pub(crate) fn busy() -> Duration {
    let stat = read("/proc/stat");
    let line = stat.lines().next().unwrap_or_default();
    // user nice system idle iowait irq softirq steal
    let ticks = line.split_whitespace().skip(1).take(8).enumerate();
    let busy = ticks.filter(|(index, _)| !matches!(index, 3 | 4));
    let ticks: u32 = busy
        .filter_map(|(_, ticks)| ticks.parse::<u32>().ok())
        .sum();
    TICK * ticks
}

/// Returns the load average of the last minute.
pub(crate) fn load() -> String {
    let load = read("/proc/loadavg");
    load.split(' ').next().unwrap_or_default().to_owned()
}

/// Returns the date, and what the figures depend on.
pub(crate) fn description(redis: &RedisServer) -> String {
    let cpu = value(&read("/proc/cpuinfo"), "model name");
    let info: String = redis::from_redis_value(redis.run(&["INFO", "server"])).expect("text");
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{}, {} cores of {cpu}, Linux {}, Redis {}, {}, Node.js {}",
        output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        cores(),
        kernel.trim(),
        value(&info, "redis_version"),
        output("rustc", &["--version"]),
        output("node", &["--version"]),
    )
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Returns the value in a line `name: value`.
fn value(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value
        .map_or("unknown", |(_, value)| value.trim())
        .to_owned()
}

/// Returns what a command prints, or `not installed`.
fn output(program: &str, args: &[&str]) -> String {
    let mut command = Command::new(program);
    if command.arg("--version").output().is_err() {
        return "not installed".to_owned();
    }
    let (_, text, _) = run(Command::new(program).args(args));
    text.trim().to_owned()
}
