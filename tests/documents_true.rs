//! What the documents name is there: files, folders, sections, limits, fuzz targets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// Every file below `folder` whose name ends in `extension`, by its path from the root.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, extension, found);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(&root().join(folder), extension, &mut found);
    found.sort();
    found
}

/// The documents: the pages at the root, and all of `docs/`.
fn documents() -> Vec<PathBuf> {
    let pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "fuzz/README.md"];
    let pages = pages.into_iter().map(|page| root().join(page)).chain(files("docs", "md"));
    let pages: Vec<_> = pages.collect();
    assert!(pages.len() > 10, "the documents are not where they are looked for");
    pages
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The targets of the links in `text` that lead to a file.
fn links(text: &str) -> Vec<&str> {
    let targets = text.match_indices("](").filter_map(|(at, _)| text[at + 2..].split([')', ' ', '\n']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://")).collect()
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_to_a_file_and_to_a_section_of_it() {
    let mut broken = Vec::new();
    for page in documents() {
        let text = read(&page);
        for link in links(&text) {
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let is_there = target.exists()
                && (section.is_empty()
                    || read(&target).lines().any(|line| line.starts_with('#') && anchor(line) == section));
            if !is_there {
                broken.push(format!("{}: {link}", shown(&page)));
            }
        }
    }
    assert!(broken.is_empty(), "links to nowhere:\n{}", broken.join("\n"));
}

/// What `text` names in code that begins with one of the project's own folders, up to a wildcard.
fn paths(text: &str) -> BTreeSet<String> {
    const FOLDERS: [&str; 8] = ["src/", "docs/", "tests/", "benches/", "examples/", "fuzz/", ".ci/", "target/"];
    // Each piece in backticks on one line; a fence is none.
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let words = spans.flat_map(|span| span.split([' ', ',', ';', '(', ')', '"', '\'']));
    let named = words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)));
    let named = named.filter(|word| !word.starts_with("target/") && !word.starts_with("fuzz/artifacts"));
    // Up to a wildcard or placeholder, and without a line, a member or a full stop.
    let trimmed = named.map(|word| {
        let word = word.split([':', '#']).next().unwrap();
        match word.find(['*', '{', '<', '…']) {
            Some(wild) => word[..wild].rsplit_once('/').map_or("", |(folder, _)| folder).to_owned(),
            None => word.trim_end_matches(['.', '/']).to_owned(),
        }
    });
    trimmed.filter(|path| !path.is_empty()).collect()
}

/// Pages that record what was so when they were written.
fn is_history(page: &Path) -> bool {
    page.ends_with("CHANGELOG.md") || page.starts_with(root().join("docs/decisions"))
}

#[test]
fn every_path_that_a_document_names_is_there() {
    let mut missing = Vec::new();
    for page in documents().into_iter().filter(|page| !is_history(page)) {
        for path in paths(&read(&page)) {
            if !root().join(&path).exists() {
                missing.push(format!("{}: {path}", shown(&page)));
            }
        }
    }
    assert!(missing.is_empty(), "paths that are not there:\n{}", missing.join("\n"));
}

#[test]
fn every_path_in_a_comment_is_there() {
    let mut missing = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        for file in files(folder, "rs") {
            if file.ends_with("documents_true.rs") {
                continue;
            }
            let text = read(&file);
            let comments: Vec<_> = text.lines().filter_map(|line| Some(line.split_once("//")?.1)).collect();
            let comments = comments.join("\n");
            for path in paths(&comments).into_iter().chain(document_links(&comments)) {
                // Modules are named from their crate's folder.
                if !root().join(&path).exists() && !root().join("src").join(&path).exists() {
                    missing.push(format!("{}: {path}", shown(&file)));
                }
            }
        }
    }
    assert!(missing.is_empty(), "paths that are not there:\n{}", missing.join("\n"));
}

/// `docs/…` wherever it stands in a comment, in code or not.
fn document_links(text: &str) -> BTreeSet<String> {
    let begins = text.match_indices("docs/").map(|(at, _)| at);
    let begins = begins.filter(|at| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || "/.-_".contains(c)));
    let ends = begins.map(|at| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "/._-".contains(c))).unwrap_or(rest.len());
        rest[..end].trim_end_matches(['.', '/']).to_owned()
    });
    ends.collect()
}

#[test]
fn every_limit_that_is_named_exists() {
    let limits: BTreeSet<String> = read(root().join("src/limits.rs"))
        .lines()
        .filter_map(|line| {
            let line = line.trim_start().strip_prefix("pub")?.trim_start_matches("(crate)");
            Some(line.strip_prefix(" const ")?.split(':').next()?.to_owned())
        })
        .collect();
    assert!(limits.len() > 50, "the limits are not where they are looked for");
    let mut unknown = Vec::new();
    let sources = ["src", "tests", "benches", "examples"].into_iter().flat_map(|folder| files(folder, "rs"));
    for page in documents().into_iter().chain(sources) {
        let text = read(&page);
        for (at, prefix) in text.match_indices("limits::") {
            let rest = &text[at + prefix.len()..];
            let end =
                rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')).unwrap_or(rest.len());
            let is_constant = end > 1 && !rest[end..].starts_with(|c: char| c.is_ascii_lowercase());
            if is_constant && !limits.contains(&rest[..end]) {
                unknown.push(format!("{}: {}", shown(&page), &rest[..end]));
            }
        }
        // In a document a limit may stand without its module.
        if page.extension().is_some_and(|extension| extension == "md") && !is_history(&page) {
            let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
            let named =
                spans.filter(|span| span.ends_with("_MAX") && span.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
            unknown.extend(
                named.filter(|name| !is_named_elsewhere(name, &limits)).map(|name| format!("{}: {name}", shown(&page))),
            );
        }
    }
    assert!(unknown.is_empty(), "limits that are none:\n{}", unknown.join("\n"));
}

/// Whether a constant of that name is a limit, or a bound that one file keeps to itself.
fn is_named_elsewhere(name: &str, limits: &BTreeSet<String>) -> bool {
    limits.contains(name) || files("src", "rs").iter().any(|file| read(file).contains(&format!("const {name}:")))
}

#[test]
fn every_fuzz_target_is_built_and_described() {
    let targets = files("fuzz/fuzz_targets", "rs");
    assert!(!targets.is_empty());
    let (manifest, page) = (read(root().join("fuzz/Cargo.toml")), read(root().join("fuzz/README.md")));
    let mut names: BTreeSet<String> = BTreeSet::new();
    for target in &targets {
        let name = target.file_stem().unwrap().to_str().unwrap();
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is not in fuzz/Cargo.toml");
        assert!(page.contains(&format!("| `{name}`")), "{name} is not in fuzz/README.md");
        assert!(root().join("fuzz/seeds").join(name).is_dir(), "{name} has no seeds, and does not start without");
        names.insert(name.to_owned());
    }
    for seeds in fs::read_dir(root().join("fuzz/seeds")).unwrap() {
        let seeds = seeds.unwrap();
        assert!(names.contains(seeds.file_name().to_str().unwrap()), "seeds of no target: {seeds:?}");
    }
    let listed = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let gone: Vec<_> = listed.filter(|name| !names.contains(*name)).collect();
    assert!(gone.is_empty(), "targets that are not there: {gone:?}");
}

#[test]
fn nothing_depends_on_what_lies_beside_the_repository() {
    let sources = ["src", "tests", "benches", "examples"].into_iter().flat_map(|folder| files(folder, "rs"));
    let outside: Vec<_> = sources
        .filter(|file| !file.ends_with("documents_true.rs"))
        .filter(|file| {
            let text = read(file);
            text.contains("CARGO_MANIFEST_DIR\")).join(\"..") || text.contains("\"../shared")
        })
        .map(|file| shown(&file))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
    assert!(!read(root().join(".ci/run")).contains("../"), ".ci/run looks outside of the repository");
}

#[test]
fn the_checks_themselves_find_what_is_named() {
    assert_eq!(links("[a](b.md) [c](https://x) [d](#e)\n[f](g/h.md#i-j)"), ["b.md", "#e", "g/h.md#i-j"]);
    assert_eq!(anchor("## The end of the log, once"), "the-end-of-the-log-once");
    let found = paths("see `src/a.rs:5`, `cargo bench`, `docs/x/*.md` and `tests/y/`; ```\nsrc/none\n```");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["docs/x", "src/a.rs", "tests/y"]);
    assert_eq!(document_links("docs/a.md, (docs/b/c.md).").len(), 2);
}
