//! The commands that Redis gets for a request.

use std::collections::BTreeMap;

/// Describes the commands for one of several requests: `2 GET, SET`.
#[must_use]
pub fn commands(counts: BTreeMap<String, u32>, requests: usize) -> String {
    let counts = counts.into_iter().filter_map(|(command, count)| {
        let each = f64::from(count) / requests as f64;
        // Others are not for a request, such as the PINGs of idle connections.
        let each = (each >= 0.05).then(|| format!("{each:.1}"))?;
        let each = each.trim_end_matches(".0");
        Some(if each == "1" {
            command
        } else {
            format!("{each} {command}")
        })
    });
    match counts.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none".to_owned(),
        commands => commands,
    }
}
