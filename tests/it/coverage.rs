//! The tables of the tests, `tests/COVERAGE.md` and `server/tests/COVERAGE.md`, name tests that exist.

use std::collections::BTreeSet;
use std::path::Path;

/// Every function that the Rust files below `folder` define.
fn functions(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            functions(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a file");
            for definition in text.split("fn ").skip(1) {
                let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
                let end = definition.find(|char| !is_name(char));
                into.insert(definition[..end.unwrap_or(0)].to_owned());
            }
        }
    }
}

/// Checks that each row of the table `below/tests/COVERAGE.md` names tests that exist there.
fn check(below: &str, least: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(below);
    let mut known = BTreeSet::new();
    for folder in ["src", "tests"] {
        functions(&root.join(folder), &mut known);
    }
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-support/tests");
    functions(&shared, &mut known);
    let table = std::fs::read_to_string(root.join("tests/COVERAGE.md")).expect("the table");
    let mut rows = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let Some((_, tests)) = row.trim_end_matches(" |").rsplit_once(" | ") else {
            panic!("not a row: {row}");
        };
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            assert_eq!(tests, "Tests", "a row without a test: {row}");
            continue;
        }
        rows += 1;
        for name in names {
            assert!(known.contains(name), "there is no test {name}: {row}");
        }
    }
    assert!(rows > least, "only {rows} rows");
}

#[test]
fn coverage_md_names_tests_that_exist() {
    check("", 60);
}

#[test]
fn coverage_md_of_the_service_names_tests_that_exist() {
    check("server", 50);
}
