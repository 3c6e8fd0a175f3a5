//! Documents of the repository: their links lead to files, and the lists of examples and guides
//! are complete.

use std::path::{Path, PathBuf};

const FOLDERS: &[&str] = &[
    "",
    "benches",
    "benches/peers",
    "docs",
    "docs/guide",
    "examples",
    "fuzz",
    "server",
    "stores/dynamodb",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the files of a folder that end with `extension`, without it.
fn names(folder: &str, extension: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.filter_map(|name| name.into_string().ok());
    names
        .filter_map(|name| Some(name.strip_suffix(extension)?.to_owned()))
        .collect()
}

/// Returns the targets of links and images that are paths.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split([')', '#']).next());
    // Code such as `[T](value)` has no path.
    let is_path = |target: &str| target.contains(['/', '.']) || target.starts_with("LICENSE");
    targets.filter(move |target| !target.contains("://") && is_path(target))
}

#[test]
fn links_lead_to_files() {
    let mut count = 0;
    for folder in FOLDERS {
        for name in names(folder, ".md") {
            let text = read(&format!("./{folder}/{name}.md"));
            for target in targets(&text) {
                let path = root().join(folder).join(target);
                assert!(path.exists(), "{folder}/{name}.md links to {target}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "only {count} links were found");
}

#[test]
fn every_example_is_listed() {
    let list = read("examples/README.md");
    for name in names("examples", ".rs") {
        let command = format!("--example {name}");
        assert!(list.contains(&command), "examples/README.md lacks {name}");
    }
}

#[test]
fn every_guide_is_listed_in_the_same_order() {
    let (readme, module) = (read("README.md"), read("src/guide.rs"));
    let guides = targets(&readme).filter(|target| target.starts_with("docs/guide/"));
    let included = module.split("\"../").skip(1);
    let included = included.filter_map(|rest| rest.split('"').next());
    let (guides, included): (Vec<_>, Vec<_>) = (guides.collect(), included.collect());
    assert_eq!(guides, included);
    assert_eq!(guides.len(), names("docs/guide", ".md").len());
}
