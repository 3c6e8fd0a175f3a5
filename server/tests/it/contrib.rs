//! Metrics, and the dashboard and alert rules that use them. `promtool check rules` checks the syntax
//! of the rules.

use std::collections::BTreeSet;

use config::{Config, File, FileFormat};
use jwt_redis_session::store::StoreErrorKind;
use serde_json::{Value, json};

use crate::buckets::bucket::Bucket;
use crate::request::{send, status};
use crate::rpc::client::create;
use crate::service::Service;
use crate::users::show;

const DASHBOARD: &str = include_str!("../../contrib/grafana-dashboard.json");
const RULES: &str = include_str!("../../contrib/prometheus-rules.yml");

/// Returns the metrics after requests of each kind that has its own.
async fn metrics() -> String {
    let service = Service::memory_with(|settings| {
        settings.limits.failed_authentications_per_minute = 1.try_into().expect("not zero");
    })
    .await;
    let bucket = Bucket::new(&service, "shop").await;
    let id = bucket.create(&json!(1)).await;
    assert_eq!(status(bucket.get(&id)).await, 200);
    create(&service, "jo", json!({})).await;
    for expected in [401, 429] {
        assert_eq!(status(service.get("/session/shop/a")).await, expected);
    }
    let args = json!({ "token": "malformed", "sessionVersion": "v1" }).to_string();
    let get = service.post("/rpc/get").json(&json!({ "args": args }));
    assert_eq!(status(get).await, 429);
    // A token of no session.
    assert_eq!(status(show(&service, &"A".repeat(43))).await, 401);
    service.faults.fail_with(StoreErrorKind::Timeout);
    assert_eq!(status(bucket.get(&id)).await, 503);
    let metrics = send(service.get("/metrics")).await;
    metrics.text().await.expect("a body")
}

/// Returns the second word of the lines that start with `# KIND`.
fn comments<'a>(metrics: &'a str, kind: &str) -> BTreeSet<&'a str> {
    let start = format!("# {kind} ");
    let lines = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(&*start));
    lines.filter_map(|line| line.split(' ').next()).collect()
}

/// Returns the metrics that a text names, without the suffixes of the series of a histogram.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    let prefixes = ["sessiond_", "jwt_redis_session_", "process_"];
    let names = words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)));
    names
        .map(|name| name.strip_suffix("_bucket").unwrap_or(name))
        .collect()
}

/// The beginnings of some lines.
const SERIES: [&str; 11] = [
    concat!(
        "sessiond_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"} 1"
    ),
    "sessiond_store_up ",
    "sessiond_store_evicts ",
    "sessiond_max_connections ",
    "sessiond_limited_requests_total ",
    "sessiond_limiter_clients ",
    "sessiond_request_seconds_bucket{route=\"/rpc/{method}\",le=\"0.05\"}",
    "# TYPE process_cpu_seconds_total counter",
    "process_resident_memory_bytes ",
    "process_open_fds ",
    "process_start_time_seconds 1",
];

#[tokio::test]
async fn each_metric_is_described_documented_and_seen() {
    let metrics = metrics().await;
    for start in SERIES {
        let found = metrics.lines().any(|line| line.starts_with(start));
        assert!(found, "no {start} in {metrics}");
    }
    let names = comments(&metrics, "TYPE");
    assert_eq!(comments(&metrics, "HELP"), names);
    let documented = [
        include_str!("../../README.md"),
        include_str!("../../../docs/guide/operating.md"),
    ];
    let documented = documented.concat();
    for name in names.iter().filter(|name| !name.starts_with("process_")) {
        assert!(documented.contains(&format!("`{name}`")), "{name}");
    }
    let seen = &named(DASHBOARD) | &named(RULES);
    let unknown: Vec<_> = seen.difference(&names).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not in {metrics}");
    let ours = names.iter().filter(|name| name.starts_with("sessiond_"));
    let unseen: Vec<_> = ours.filter(|name| !seen.contains(*name)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn each_panel_has_queries_that_can_be_filtered() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let titles: BTreeSet<_> = panels.iter().map(|panel| panel["title"].as_str()).collect();
    assert!(
        titles.len() == panels.len() && titles.len() > 10,
        "{titles:?}"
    );
    for panel in panels {
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let query = target["expr"].as_str().expect("a query");
            let is_filtered = query.contains("{job=~\"$job\", instance=~\"$instance\"");
            assert!(is_filtered, "{query}");
        }
    }
}

#[test]
fn each_rule_has_a_query_a_severity_and_a_summary() {
    let rules = Config::builder().add_source(File::from_str(RULES, FileFormat::Yaml));
    let rules = rules.build().and_then(Config::try_deserialize);
    let rules: Value = rules.expect("YAML");
    let rules = rules["groups"][0]["rules"].as_array().expect("rules");
    assert!(rules.len() >= 5);
    for rule in rules {
        for field in [
            "/alert",
            "/expr",
            "/labels/severity",
            "/annotations/summary",
        ] {
            let text = rule.pointer(field).and_then(Value::as_str);
            assert!(
                text.is_some_and(|text| !text.is_empty()),
                "{field} of {rule}"
            );
        }
        let query = rule["expr"].as_str().expect("a query");
        assert!(!named(query).is_empty(), "{query}");
    }
}
