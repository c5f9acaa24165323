//! Holds the import table of ARCHITECTURE.md: a module imports only from lower levels.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every top-level module, lowest level first. A module may import from the levels above its own line here, never from
/// its own level or a later one.
const LEVELS: &[&[&str]] = &[
    &["error"],
    &["limits"],
    &["clock", "encoding", "glob", "vfs"],
    &["engine"],
    &["txn"],
    &["catalog", "expiry"],
    &["document", "kv", "channel", "item", "wide_column"],
    &["store"],
    &["server", "inspect", "testing"],
];

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|modules| modules.contains(&module))
}

/// Every import of `text` that `module` may not make, with its line number.
fn violations(module: &str, text: &str) -> Vec<(usize, String)> {
    let own = level(module);
    let allowed =
        |import: &str| own.is_some() && (import == module || level(import).is_some_and(|level| Some(level) < own));
    let code = code(text);
    let wrong = imports(&code).filter(|(_, import)| !allowed(import));
    wrong.map(|(at, import)| (code[..at].lines().count().max(1), import.to_owned())).collect()
}

/// A file up to its tests, without comments. Tests may use the whole crate.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules that `code` names directly below `crate`, with where.
fn imports(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.match_indices("crate::").flat_map(|(at, prefix)| {
        let rest = &code[at + prefix.len()..];
        let group = rest.strip_prefix('{').and_then(|group| group.split('}').next());
        let names: Vec<_> = group.map_or_else(|| vec![rest], |group| group.split(',').collect());
        let names = names.into_iter().map(str::trim).filter(|name| !name.is_empty());
        names.map(move |name| {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            (at + prefix.len(), &name[..end])
        })
    })
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_module_imports_only_from_below() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > 20, "the source is not where it is looked for");
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&source).unwrap();
        let is_test =
            name.file_name().is_some_and(|name| name == "tests.rs") || name.iter().any(|part| part == "tests");
        let module = name.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if is_test || ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        for (line, import) in violations(&module, &fs::read_to_string(file).unwrap()) {
            wrong.push(format!("src/{}:{line}: {module} imports {import}", name.display()));
        }
    }
    assert!(wrong.is_empty(), "imports against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn the_check_itself_finds_upward_sideways_and_unknown_imports() {
    assert!(violations("kv", "use crate::txn::View;\nuse crate::{limits, expiry};").is_empty());
    assert!(violations("kv", "use crate::kv::Kv; // crate::store\n#[cfg(test)]\nuse crate::store;").is_empty());
    assert_eq!(violations("kv", "\nuse crate::store::Store;"), [(2, "store".to_owned())]);
    assert_eq!(violations("kv", "use crate::{\n    limits,\n    document,\n};"), [(1, "document".to_owned())]);
    assert_eq!(violations("txn", "crate::Store::in_memory()"), [(1, "Store".to_owned())]);
    assert_eq!(violations("unheard_of", "use crate::error::Error;").len(), 1, "a new module has to be given a level");
}
