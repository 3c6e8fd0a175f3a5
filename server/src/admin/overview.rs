//! Admin page with the state of the service.

use std::time::{Duration, Instant};

use maud::{Markup, html};

use crate::admin::operator::Operator;
use crate::admin::page::{self, PageError, Section};
use crate::admin::state::AdminState;
use crate::admin::text;
use crate::error::ApiError;
use crate::operators::health::can_reach_store;
use crate::settings::{Settings, StoreSettings};

/// Shows the state of this instance.
pub(super) async fn show(operator: Operator) -> Result<Markup, PageError> {
    let state = &operator.state;
    let started = Instant::now();
    if !can_reach_store(&state.app).await {
        return Err(ApiError::unavailable("the session store is not available").into());
    }
    let ping = started.elapsed();
    let buckets = state.keys.list().await?.len();
    let note = operator.take_note().await;
    let content = html! {
        section.card aria-labelledby="instance" {
            h2 #instance { "This instance" }
            (instance(state, ping))
        }
        section.card aria-labelledby="apis" {
            h2 #apis { "APIs" }
            (apis(&state.app.settings, buckets))
        }
    };
    let token = &operator.form_token;
    Ok(page::section(Section::OVERVIEW, token, &note, &content))
}

fn instance(state: &AdminState, ping: Duration) -> Markup {
    let settings = &state.app.settings;
    let max = state.app.max_connections;
    let open = max.saturating_sub(state.app.connection_limit.available_permits());
    let ping = match ping.as_millis() {
        0 => "less than 1 ms".to_owned(),
        millis => format!("{millis} ms"),
    };
    html! {
        dl {
            div { dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) } }
            div { dt { "Started" } dd { (text::time(Some(state.started))) } }
            div { dt { "Store" } dd { (store(&settings.store)) ", answers in " (ping) } }
            div { dt { "Keyspace" } dd { code { (settings.store.keyspace) } } }
            div { dt { "Connections" } dd { (open) " of at most " (max) } }
        }
    }
}

/// Returns the kind of the store. The rest of the URL may contain a password.
fn store(settings: &StoreSettings) -> &'static str {
    let url = settings.redis.as_ref().map_or("", |url| url.expose());
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    match scheme
        .split_once('-')
        .map_or(scheme, |(_, topology)| topology)
    {
        "" => "Memory (lost when the process ends)",
        "cluster" => "Redis Cluster",
        "sentinel" => "Redis with sentinels",
        _ => "Redis",
    }
}

fn apis(settings: &Settings, buckets: usize) -> Markup {
    let secret = |is_set| if is_set { "shared secret" } else { "no secret" };
    let (rpc, users) = (&settings.rpc, &settings.users);
    let keyed = format!(
        "{buckets} bucket{} with a key",
        if buckets == 1 { "" } else { "s" }
    );
    let version = format!(
        "version {}, {}",
        rpc.session_version,
        secret(rpc.secret.is_some())
    );
    let rows = [
        ("Buckets", settings.buckets.enabled, keyed),
        ("RPC", rpc.enabled, version),
        (
            "Users",
            users.enabled,
            secret(users.secret.is_some()).to_owned(),
        ),
    ];
    html! {
        table {
            thead { tr {
                th scope="col" { "API" }
                th scope="col" { "State" }
                th scope="col" { "Details" }
            } }
            tbody { @for (name, enabled, details) in rows { tr {
                th scope="row" { (name) }
                td data-label="State" {
                    @if enabled { span.on { "enabled" } } @else { "disabled" }
                }
                td data-label="Details" { @if enabled { (details) } @else { "–" } }
            } } }
        }
    }
}
