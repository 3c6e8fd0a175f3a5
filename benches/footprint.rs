//! What a session costs in the memory of Redis, beside a plain string with the same data and TTL:
//! `cargo bench --bench footprint`, or for another server
//! `REDIS_SERVER=/path/to/valkey-server cargo bench --bench footprint`.
//!
//! Each number is the difference in `used_memory` of a fresh server, per session.

use std::ops::RangeInclusive;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jwt_redis_session::store::{NewRecord, Store};
use jwt_redis_session::{MemoryStore, RedisConfig, RedisStore, SessionId, Sessions};
use serde_json::json;
use test_support::redis_server::RedisServer;
use tokio::time::sleep;

const SESSIONS: usize = 100_000;
const TTL: Duration = Duration::from_secs(86_400);
const TASKS: usize = 64;

/// A busy machine may delay a call, and the bench measures no time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes the name of the owner with a number.
type Owner = fn(usize) -> String;

const OWNERS: [(&str, Owner); 2] = [("7 digits", digits), ("UUID", uuid)];

/// The time in which Redis certainly completes the growth of its hash tables, and frees buffers.
const SETTLING: Duration = Duration::from_secs(2);

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_test = !std::env::args().any(|arg| arg == "--bench");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let bench = match is_test {
            true => Scale(200, Duration::ZERO),
            false => Scale(SESSIONS, SETTLING),
        };
        println!("bytes per session at {} sessions; {}", bench.0, version());
        bench.records().await;
        bench.indexes().await;
        println!(
            "\nAn allocator rounds every string up to one of its sizes: 16, 32, 48, 64, 80, 96, \
             112, 128, 160, 192, 224,\n256, 320, 384, 448, 512, … bytes, and some builds of Redis \
             also to 24, 40 and 56. A few bytes more or less\ncost nothing or a whole step: the \
             ranges of sizes show the mean."
        );
    });
}

/// The number of sessions, and the time to wait before memory is read.
struct Scale(usize, Duration);

impl Scale {
    /// Sessions without owner: a record only.
    async fn records(&self) {
        println!(
            "\n{:>10} {:>9} {:>9} {:>7}",
            "data", "string", "session", "ratio"
        );
        for sizes in [40..=40, 30..=49, 300..=300, 250..=349] {
            let (string, record) = (
                self.strings(&sizes).await,
                self.sessions(&sizes, None).await,
            );
            let ratio = record / string;
            println!(
                "{:>10} {string:>9.1} {record:>9.1} {ratio:>7.2}",
                range(&sizes)
            );
        }
    }

    /// Sessions with owner: a record with the owner, and an index.
    async fn indexes(&self) {
        println!(
            "\n{:>10} {:>9} {:>10} {:>9} {:>9} {:>9}",
            "data", "owner", "per owner", "record", "index", "session"
        );
        for size in [40, 300] {
            let sizes = size..=size;
            for (name, owner) in OWNERS {
                let record = self.owned_records(&sizes, owner).await;
                for per_owner in [1, 5] {
                    let owners = Owners { owner, per_owner };
                    let session = self.sessions(&sizes, Some(owners)).await;
                    let index = session - record;
                    println!(
                        "{size:>10} {name:>9} {per_owner:>10} {record:>9.1} {index:>9.1} \
                         {session:>9.1}"
                    );
                }
            }
        }
    }

    async fn strings(&self, sizes: &RangeInclusive<usize>) -> f64 {
        let insert = async |store: RedisStore, n| {
            let key = format!("sess:{}", SessionId::random().as_str());
            let value = json!({ "data": data(sizes, n) }).to_string();
            insert(&store, &key, value.as_bytes()).await;
        };
        self.measure(insert).await
    }

    async fn sessions(&self, sizes: &RangeInclusive<usize>, owners: Option<Owners>) -> f64 {
        let create = async |store, n| {
            let owner = owners.as_ref().map(|owners| owners.of(n));
            create(store, data(sizes, n), owner).await;
        };
        self.measure(create).await
    }

    /// Records of sessions with owner, without the indexes.
    async fn owned_records(&self, sizes: &RangeInclusive<usize>, owner: Owner) -> f64 {
        let copy = async |store: RedisStore, n| {
            let memory = MemoryStore::new();
            let id = create(memory.clone(), data(sizes, n), Some(owner(n))).await;
            let key = format!("sess:{}", id.as_str());
            let record = memory.load(&key).await.unwrap().unwrap();
            insert(&store, &key, &record.value).await;
        };
        self.measure(copy).await
    }

    /// Returns the bytes that one call of `fill` takes in Redis.
    async fn measure(&self, fill: impl AsyncFn(RedisStore, usize)) -> f64 {
        let Self(count, settling) = *self;
        let server = RedisServer::start();
        let before = used_memory(&server);
        let config = RedisConfig::new(server.url()).deadline(PATIENCE);
        let config = config.response_timeout(PATIENCE).connect_timeout(PATIENCE);
        let store = config.connect().await.unwrap();
        let calls = stream::iter(0..count).map(|n| fill(store.clone(), n));
        calls.buffer_unordered(TASKS).collect::<()>().await;
        drop(store);
        sleep(settling).await;
        (used_memory(&server) - before) / f64::from(u32::try_from(count).unwrap())
    }
}

struct Owners {
    owner: Owner,
    per_owner: usize,
}

impl Owners {
    fn of(&self, n: usize) -> String {
        (self.owner)(n / self.per_owner)
    }
}

fn digits(n: usize) -> String {
    (1_000_000 + n).to_string()
}

fn uuid(n: usize) -> String {
    format!("{n:08x}-52a4-4c0b-9d3a-6f2a1f0c9b8e")
}

/// Returns a field with which the data has as many bytes of JSON as the `n`th of `sizes`.
fn data(sizes: &RangeInclusive<usize>, n: usize) -> String {
    let size = sizes.start() + n % (sizes.end() - sizes.start() + 1);
    "x".repeat(size - r#"{"data":""}"#.len())
}

async fn create(store: impl Store, data: String, owner: Option<String>) -> SessionId {
    let sessions = Sessions::without_tokens(store)
        .max_age(TTL)
        .build()
        .unwrap();
    let session = sessions.new_session();
    session.insert("data", data).unwrap();
    if let Some(owner) = owner {
        session.set_owner(owner).unwrap();
    }
    session.create().without_token().await.unwrap();
    session.id().unwrap()
}

async fn insert(store: &impl Store, key: &str, value: &[u8]) {
    let record = NewRecord::new(key, value, TTL);
    assert_eq!(store.insert(record).await, Ok(true));
}

fn range(sizes: &RangeInclusive<usize>) -> String {
    match sizes.start() == sizes.end() {
        true => sizes.start().to_string(),
        false => format!("{}..{}", sizes.start(), sizes.end()),
    }
}

fn used_memory(server: &RedisServer) -> f64 {
    info(server, "memory", "used_memory").parse().unwrap()
}

fn version() -> String {
    let server = RedisServer::start();
    let number = |name| find(&server, "server", name);
    // Valkey also reports the version of Redis that it is compatible with.
    let version = match number("valkey_version") {
        Some(version) => format!("Valkey {version}"),
        None => format!("Redis {}", number("redis_version").unwrap()),
    };
    format!("{version}, {}", info(&server, "memory", "mem_allocator"))
}

/// Returns a line of `INFO`.
fn info(server: &RedisServer, section: &str, name: &str) -> String {
    find(server, section, name).unwrap()
}

fn find(server: &RedisServer, section: &str, name: &str) -> Option<String> {
    let info: String = redis::from_redis_value(server.run(&["INFO", section])).unwrap();
    let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned());
    info.lines().find_map(value)
}
