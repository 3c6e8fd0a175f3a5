//! The metrics in the format of Prometheus.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::app_state::AppState;
use crate::operators::health::check_store;
use crate::operators::metric_descriptions::describe;
use crate::unix_time;

/// The bounds of the latency histograms, in seconds: from a call of a local Redis to
/// `http.request_timeout`.
const SECONDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 15.0,
];

/// The interval at which samples are moved to histograms; until then they use memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// The longest time to wait for the store in a scrape: the metrics matter most while it hangs, and
/// `store.deadline` may be longer than Prometheus waits.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the recorder of this process, however many services run in it. Installs it first.
pub(crate) fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("seconds".to_owned()), &SECONDS)
            .expect("there are buckets");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed: /metrics stays empty");
        }
        describe();
        Collector::default().describe();
        gauge!("sessiond_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        // Where the collector cannot read the time at which the system started, such as under
        // systemd's `ProcSubset=pid`, this value stays.
        let now = unix_time::seconds(SystemTime::now()).unwrap_or_default();
        gauge!("process_start_time_seconds").set(now as f64);
        handle
    })
}

/// Moves samples to histograms until this future is dropped.
pub(crate) async fn upkeep() {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        recorder().run_upkeep();
    }
}

/// Returns the metrics in the text format of Prometheus. Checks the store, for at most 1 s.
#[utoipa::path(get, path = "/metrics", tag = "operators",
    responses((status = 200, description = "The metrics.", content_type = "text/plain",
        body = String)))]
pub(crate) async fn metrics(State(app): State<AppState>) -> impl IntoResponse {
    let answer = tokio::time::timeout(STORE_TIMEOUT, check_store(&app)).await;
    let is_up = matches!(answer, Ok(Some(_)));
    gauge!("sessiond_store_up").set(if is_up { 1.0 } else { 0.0 });
    gauge!("sessiond_max_connections").set(app.max_connections as f64);
    gauge!("sessiond_limiter_clients").set(app.failures.clients() as f64);
    Collector::default().collect();
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], recorder().render())
}
