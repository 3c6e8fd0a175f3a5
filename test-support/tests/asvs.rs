//! `docs/asvs.md`: no requirement is missing, and each named test exists.

use std::path::Path;

/// The sections of the two chapters of OWASP ASVS 5.0.0, with the number of their requirements.
const SECTIONS: &[(&str, usize)] = &[
    ("7.1", 3),
    ("7.2", 4),
    ("7.3", 2),
    ("7.4", 5),
    ("7.5", 3),
    ("7.6", 2),
    ("9.1", 3),
    ("9.2", 4),
];

/// Returns the contents of a file of the repository.
fn read(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).ok()
}

/// Returns the rows of the requirements, each as number and row.
fn rows(document: &str) -> Vec<(&str, &str)> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter(|row| row.starts_with(char::is_numeric));
    rows.map(|row| (row.split(' ').next().unwrap_or_default(), row))
        .collect()
}

#[test]
fn every_requirement_has_one_row() {
    let document = read("docs/asvs.md").expect("the document");
    let expected = SECTIONS
        .iter()
        .flat_map(|(section, count)| (1..=*count).map(move |n| format!("{section}.{n}")));
    let found = rows(&document).into_iter().map(|(number, _)| number);
    assert!(expected.eq(found), "rows are missing or out of order");
}

#[test]
fn every_named_test_exists() {
    let document = read("docs/asvs.md").expect("the document");
    let mut count = 0;
    for (number, row) in rows(&document) {
        let texts = row.split('`').skip(1).step_by(2);
        for (file, name) in texts.filter_map(|text| text.split_once(".rs::")) {
            let file = format!("{file}.rs");
            let code = read(&file).unwrap_or_else(|| panic!("{number}: there is no {file}"));
            let is_there = code.contains(&format!("fn {name}("));
            assert!(is_there, "{number}: {file} has no test {name}");
            count += 1;
        }
    }
    assert!(count > SECTIONS.len(), "the document names no tests");
}
