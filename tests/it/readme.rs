//! `README.md` against what it describes.

use std::collections::BTreeSet;

const README: &str = include_str!("../../README.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// The names in backquotes that open the rows of the table below `heading`.
fn rows(heading: &str) -> BTreeSet<&'static str> {
    let (_, below) = README.split_once(heading).unwrap();
    below
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .filter_map(|row| row.strip_prefix("| `")?.split('`').next())
        .collect()
}

#[test]
fn readme_lists_every_feature() {
    let (_, features) = MANIFEST.split_once("\n[features]\n").unwrap();
    let features: BTreeSet<_> = features
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .filter(|name| *name != "default")
        .collect();
    assert_eq!(rows("\n## Features\n"), features);
}

#[test]
fn readme_lists_every_metric() {
    let source = include_str!("../../src/telemetry.rs");
    let names: BTreeSet<_> = source
        .split('"')
        .filter(|text| text.starts_with("jwt_redis_session_"))
        .collect();
    assert_eq!(rows("With the feature `metrics`:"), names);
}

#[test]
fn readme_names_the_minimum_rust_version() {
    let (_, version) = MANIFEST.split_once("\nrust-version = \"").unwrap();
    let version = version.split('"').next().unwrap();
    assert!(README.contains(&format!("Rust {version} or newer")));
}
