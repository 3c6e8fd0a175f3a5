//! CONTRIBUTING.md names modules, imports, files and functions that exist.

use crate::imports::{Sources, edges, read};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the text between two parts of CONTRIBUTING.md.
fn part(start: &str, end: &str) -> String {
    let text = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let (_, rest) = text.split_once(start).expect(start);
    rest.split(end).next().unwrap().to_owned()
}

fn sources(folder: &str) -> Sources {
    let mut sources = Sources::new();
    read(&root().join(folder), "", &mut sources);
    sources
}

/// Returns the arrows of a line such as `a --> b & c --> d`.
fn arrows(line: &str) -> Vec<(String, String)> {
    let groups = line
        .split("-->")
        .map(|group| group.split('&').map(str::trim));
    let groups: Vec<Vec<_>> = groups.map(Iterator::collect).collect();
    let pairs = groups.windows(2).flat_map(|pair| {
        let from = pair[0].iter();
        from.flat_map(|from| pair[1].iter().map(move |to| (*from, *to)))
    });
    pairs
        .map(|(from, to)| (format!("{from}/"), format!("{to}/")))
        .collect()
}

#[test]
fn the_diagram_has_every_folder_and_only_real_imports() {
    for folder in ["src", "server/src"] {
        let diagram = part(&format!(": {folder}\"]\n"), "end\n");
        let drawn: BTreeSet<_> = diagram.lines().flat_map(arrows).collect();
        let unreal: Vec<_> = drawn
            .difference(&edges(&sources(folder)))
            .cloned()
            .collect();
        assert!(
            !drawn.is_empty() && unreal.is_empty(),
            "{folder}: {unreal:?}"
        );
        let files = sources(folder).into_values().map(|source| source.file);
        for file in files {
            let Some((name, _)) = file.split_once('/') else {
                continue;
            };
            let name = format!("{name}/");
            let is_drawn = drawn.iter().any(|(from, to)| [from, to].contains(&&name));
            assert!(is_drawn, "the diagram lacks {folder}/{name}");
        }
    }
}

/// A function may be followed by its file.
#[test]
fn the_way_of_a_request_names_files_and_functions_that_exist() {
    let steps = part("## How a request is processed\n", "\n## ");
    let names: Vec<_> = steps.split('`').skip(1).step_by(2).collect();
    let sources = sources("src");
    let files = sources
        .values()
        .map(|source| format!("src/{}", source.file));
    let files: Vec<_> = files.collect();
    let mut count = 0;
    for (index, name) in names.iter().enumerate() {
        let file = names.get(index + 1).filter(|next| next.ends_with(".rs"));
        let is_found = if name.ends_with(".rs") {
            files
                .iter()
                .any(|file| file.ends_with(&format!("/{name}")) || file == name)
        } else if let Some((_, function)) = name.split_once("::") {
            let ending = file.copied().unwrap_or_default();
            files
                .iter()
                .any(|file| file.ends_with(ending) && has_function(file, function))
        } else {
            continue;
        };
        assert!(is_found, "{name} is not found");
        count += 1;
    }
    assert!(count > 15, "only {count} names were found");
}

fn has_function(file: &str, name: &str) -> bool {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    text.contains(&format!("fn {name}(")) || text.contains(&format!("fn {name}<"))
}
