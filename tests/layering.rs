//! Holds the import table of ARCHITECTURE.md: a module imports only from lower levels, and the files of a folder do not import
//! one another in a ring.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
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

/// The same for what is in `server/redis`, below its own file.
const REDIS_LEVELS: &[&[&str]] = &[
    &["frame"],
    &["spec"],
    &["acl"],
    &["options"],
    &["config", "lua"],
    &["state"],
    &["run"],
    &["commands", "protocol"],
];

/// The same for what is in `server/dynamodb`.
const DYNAMODB_LEVELS: &[&[&str]] = &[
    &["ids", "json", "writer"],
    &["dialect", "failure"],
    &["constraints", "responses", "signature"],
    &["faults"],
    &["options", "requests"],
    &["operations"],
    &["answer"],
    &["protocol"],
];

/// What the transaction layer has no word for: it is a model's own affair.
const WORDS_OF_MODELS: &[&str] = &[
    "cache",
    "channel",
    "collection",
    "document",
    "event",
    "events",
    "evict",
    "evicted",
    "eviction",
    "expired",
    "flight",
    "flights",
    "keyspace",
    "kv",
    "publish",
    "stream",
    "subscriber",
    "waiter",
    "waiters",
    "wide",
];

/// A module's path below the crate.
type Name = Vec<String>;

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|modules| modules.contains(&module))
}

/// Every import of `text` that `module` may not make, with its line number.
fn violations(module: &str, text: &str) -> Vec<(usize, String)> {
    let own = level(module);
    let allowed =
        |import: &str| own.is_some() && (import == module || level(import).is_some_and(|level| Some(level) < own));
    let imports = imports(&code(text)).into_iter().filter(|import| import.path[0] == "crate");
    let firsts = imports.filter_map(|import| Some((import.line, import.path.get(1)?.clone())));
    firsts.filter(|(_, first)| !allowed(first)).collect()
}

/// A file without comments and without the bodies of its test modules, line for line. Tests may use the whole crate.
fn code(text: &str) -> String {
    let mut lines = Vec::new();
    let (mut is_test, mut end) = (false, None);
    for line in text.lines() {
        if let Some(last) = &end {
            if line == last {
                end = None;
            }
            lines.push("");
            continue;
        }
        let trimmed = line.trim_start();
        if is_test && trimmed.starts_with("mod ") && trimmed.ends_with('{') {
            // The formatter puts the brace that closes it below its beginning.
            end = Some(format!("{}}}", &line[..line.len() - trimmed.len()]));
            lines.push("");
        } else {
            lines.push(line.split("//").next().unwrap_or_default());
        }
        // Attributes may stand between `#[cfg(test)]` and the module.
        is_test = trimmed.starts_with("#[cfg(test)]") || (is_test && (trimmed.starts_with("#[") || trimmed.is_empty()));
    }
    lines.join("\n")
}

/// A path that code names, from `crate`, `self` or `super`.
struct Import {
    line: usize,
    path: Name,
}

fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for prefix in ["crate::", "self::", "super::"] {
        for (at, _) in code.match_indices(prefix) {
            // `super::super::x` is found at its first `super`, and `$crate` and `pub(crate)` are none.
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c)) {
                continue;
            }
            let mut paths = Vec::new();
            tree(&code[at..], &mut Vec::new(), &mut paths);
            let line = code[..at].matches('\n').count() + 1;
            found.extend(paths.into_iter().map(|path| Import { line, path }));
        }
    }
    found
}

/// Reads a path, or several in braces, from the beginning of `text`; answers what follows.
fn tree<'t>(text: &'t str, path: &mut Name, found: &mut Vec<Name>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with('}') {
                return rest.get(1..).unwrap_or_default();
            }
            rest = tree(rest, path, found);
            // An alias, and the comma.
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            rest = rest[end..].strip_prefix(',').unwrap_or(&rest[end..]);
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        found.push(path.clone());
        return rest;
    }
    path.push(name.to_owned());
    let rest = if let Some(more) = rest.strip_prefix("::") {
        tree(more, path, found)
    } else {
        found.push(path.clone());
        rest
    };
    path.pop();
    rest
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

/// Every file of the crate that is no test, by the path of its module, with its code.
fn modules() -> BTreeMap<Name, (String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > 20, "the source is not where it is looked for");
    let mut modules = BTreeMap::new();
    for file in &files {
        let name = file.strip_prefix(&source).unwrap();
        let mut path: Name = name.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if path.last().is_some_and(|last| last == "mod") {
            path.pop();
        }
        let is_test =
            path.last().is_some_and(|last| last == "tests" || last == "testing") || path.contains(&"tests".to_owned());
        if !is_test && !["lib", "bin"].contains(&path[0].as_str()) {
            modules.insert(path, (format!("src/{}", name.display()), fs::read_to_string(file).unwrap()));
        }
    }
    modules
}

#[test]
fn every_module_imports_only_from_below() {
    let mut wrong = Vec::new();
    for (path, (file, text)) in modules() {
        for (line, import) in violations(&path[0], &text) {
            wrong.push(format!("{file}:{line}: {} imports {import}", path[0]));
        }
    }
    assert!(wrong.is_empty(), "imports against the layers:\n{}", wrong.join("\n"));
}

/// For each folder, which of its files and folders import which others. What the folder's own file passes on is an import of
/// where it comes from; that file itself, the front page, is not counted.
fn edges(modules: &BTreeMap<Name, (String, String)>) -> BTreeMap<Name, BTreeMap<String, BTreeSet<String>>> {
    let code: BTreeMap<&Name, String> = modules.iter().map(|(path, (_, text))| (path, code(text))).collect();
    let is_folder = |path: &[String]| code.keys().any(|other| other.len() > path.len() && other.starts_with(path));
    let child = |path: &[String], name: &str| {
        let below: Name = path.iter().map(String::as_str).chain([name]).map(str::to_owned).collect();
        code.contains_key(&below) || is_folder(&below)
    };
    // Names that a folder's own file takes from its children.
    let mut passed_on: BTreeMap<(&Name, String), String> = BTreeMap::new();
    for (path, text) in code.iter().filter(|(path, _)| is_folder(path)) {
        for (at, _) in text.match_indices("use ") {
            let tail = text[at + 4..].trim_start();
            let mut paths = Vec::new();
            tree(tail.strip_prefix("self::").unwrap_or(tail), &mut Vec::new(), &mut paths);
            for used in paths.into_iter().filter(|used| used.len() > 1 && child(path, &used[0])) {
                passed_on.insert((*path, used.last().unwrap().clone()), used[0].clone());
            }
        }
    }
    let mut edges: BTreeMap<Name, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (path, text) in &code {
        for import in imports(text) {
            let mut target: Name = match import.path[0].as_str() {
                "crate" => Vec::new(),
                _ => (*path).clone(),
            };
            for part in &import.path {
                match part.as_str() {
                    "crate" | "self" => {}
                    "super" => drop(target.pop()),
                    part => target.push(part.to_owned()),
                }
            }
            let common = path.iter().zip(&target).take_while(|(a, b)| a == b).count();
            let (Some(from), Some(to)) = (path.get(common), target.get(common)) else { continue };
            let folder = &path[..common].to_vec();
            let to = if child(folder, to) { Some(to.clone()) } else { passed_on.get(&(folder, to.clone())).cloned() };
            if let Some(to) = to.filter(|to| to != from) {
                edges.entry(folder.clone()).or_default().entry(from.clone()).or_default().insert(to);
            }
        }
    }
    edges
}

/// The rings of a folder: groups of modules each of which imports all others by some way.
fn rings(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reached = |from: &String| {
        let (mut reached, mut waiting) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = waiting.pop() {
            for to in edges.get(&next).into_iter().flatten() {
                if reached.insert(to.clone()) {
                    waiting.push(to.clone());
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&String, BTreeSet<String>> = edges.keys().map(|from| (from, reached(from))).collect();
    let mut rings = BTreeSet::new();
    for (from, to) in &reached {
        let ring: BTreeSet<String> =
            to.iter().filter(|to| reached.get(to).is_some_and(|back| back.contains(*from))).cloned().collect();
        if ring.len() > 1 {
            rings.insert(ring);
        }
    }
    rings.into_iter().collect()
}

#[test]
fn the_files_of_a_folder_import_each_other_in_no_ring() {
    let mut found = Vec::new();
    for (folder, edges) in edges(&modules()) {
        found.extend(rings(&edges).into_iter().map(|ring| format!("{}: {ring:?}", folder.join("/"))));
    }
    assert!(found.is_empty(), "rings of imports:\n{}", found.join("\n"));
}

/// Every import within `server/DOOR` that goes up, sideways, or from or to what has no level.
fn violations_in(door: &str, levels: &[&[&str]], modules: &BTreeMap<Name, (String, String)>) -> Vec<String> {
    let level = |module: &String| levels.iter().position(|modules| modules.contains(&module.as_str()));
    let folder: Name = ["server", door].map(str::to_owned).into();
    let edges = edges(modules).remove(&folder).unwrap_or_default();
    let all = edges.iter().flat_map(|(from, imports)| imports.iter().map(move |to| (from, to)));
    let is_wrong = |(from, to): &(&String, &String)| match (level(from), level(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => true,
    };
    all.filter(is_wrong).map(|(from, to)| format!("{from} imports {to}")).collect()
}

#[test]
fn the_parts_of_a_door_import_only_from_below() {
    let modules = modules();
    for (door, levels) in [("redis", REDIS_LEVELS), ("dynamodb", DYNAMODB_LEVELS)] {
        let wrong = violations_in(door, levels, &modules);
        assert!(wrong.is_empty(), "imports against the levels of server/{door}:\n{}", wrong.join("\n"));
        let within = modules.keys().filter(|path| path.starts_with(&["server", door].map(str::to_owned)));
        let parts: BTreeSet<_> = within.filter_map(|path| path.get(2)).map(String::as_str).collect();
        let known: BTreeSet<_> = levels.iter().copied().flatten().copied().collect();
        assert_eq!(parts, known, "each part of the door has a level");
    }
}

/// The words of one line of code: the parts of its names.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in line.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_transaction_layer_has_no_word_for_what_is_a_models_own() {
    let mut wrong = Vec::new();
    for (_, (file, text)) in modules().into_iter().filter(|(path, _)| path[0] == "txn") {
        for (number, line) in code(&text).lines().enumerate() {
            for word in words(line).into_iter().filter(|word| WORDS_OF_MODELS.contains(&word.as_str())) {
                wrong.push(format!("{file}:{}: {word} in `{}`", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "words of models:\n{}", wrong.join("\n"));
    assert_eq!(words("fn is_waitedFor(&KeyEvent)"), ["fn", "is", "waited", "for", "key", "event"]);
}

/// The doors; what they share stands beside them.
const DOORS: &[&str] = &["cql", "dynamodb", "http", "mongo", "redis"];

#[test]
fn what_doors_share_knows_no_door_and_no_door_another() {
    let shared = edges(&modules()).remove(&vec!["server".to_owned()]).unwrap();
    let is_on_the_frame = |door: &&str| shared.get(*door).is_some_and(|imports| imports.contains("door"));
    assert!(DOORS.iter().all(is_on_the_frame), "the doors are not where they are looked for");
    let is_door = |module: &&String| DOORS.contains(&module.as_str());
    let wrong: Vec<_> = shared.iter().filter(|(_, imported)| imported.iter().any(|module| is_door(&module))).collect();
    assert!(wrong.is_empty(), "imports of doors: {wrong:?}");
    assert!(rings(&shared).is_empty());
}

/// The features of one door. What doors stand on is behind `server`, which each of them pulls in.
const FEATURES_OF_DOORS: &[&str] = &["http", "redis", "lua", "mongo", "dynamodb", "cql"];

/// Where code names the feature of a door, with the number of the line.
fn doors_named(text: &str) -> Vec<usize> {
    let is_named = |line: &str| FEATURES_OF_DOORS.iter().any(|door| line.contains(&format!("feature = \"{door}\"")));
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.enumerate().filter(|(_, line)| is_named(line)).map(|(number, _)| number + 1).collect()
}

#[test]
fn nothing_below_the_doors_is_there_for_one_door_alone() {
    let mut wrong = Vec::new();
    for (path, (file, text)) in modules() {
        // The crate's root declares the doors.
        if path.is_empty() || path[0] == "server" {
            continue;
        }
        wrong.extend(doors_named(&text).into_iter().map(|line| format!("{file}:{line}")));
    }
    assert!(wrong.is_empty(), "the feature of a door:\n{}", wrong.join("\n"));
    assert_eq!(
        doors_named("#[cfg(feature = \"server\")]\n#[cfg(any(test, feature = \"redis\"))]\n// feature = \"cql\""),
        [2]
    );
}

#[test]
fn the_check_itself_finds_upward_sideways_and_unknown_imports() {
    assert!(violations("kv", "use crate::txn::View;\nuse crate::{limits, expiry};").is_empty());
    assert!(
        violations("kv", "use crate::kv::Kv; // crate::store\n#[cfg(test)]\nmod tests {\n    use crate::store;\n}")
            .is_empty()
    );
    assert_eq!(violations("kv", "\nuse crate::store::Store;"), [(2, "store".to_owned())]);
    assert_eq!(violations("kv", "use crate::{\n    limits,\n    document::{a, b},\n};").len(), 2);
    assert_eq!(violations("txn", "crate::Store::in_memory()"), [(1, "Store".to_owned())]);
    assert_eq!(violations("unheard_of", "use crate::error::Error;").len(), 1, "a new module has to be given a level");
    let behind = "#[cfg(test)]\nmod tests;\n\nuse crate::store;\n\n#[cfg(test)]\nmod more {\n    use crate::server;\n}\nfn f(_: crate::server::X) {}";
    assert_eq!(
        violations("kv", behind),
        [(4, "store".to_owned()), (10, "server".to_owned())],
        "code behind tests counts"
    );
}

#[test]
fn the_check_itself_finds_rings_through_what_a_folder_passes_on() {
    let text = |text: &str| (String::new(), text.to_owned());
    let name = |name: &str| name.split('/').map(str::to_owned).collect::<Name>();
    let modules = BTreeMap::from([
        (
            name("a"),
            text("mod x;\nmod y;\nmod z;\npub use x::X;\npub(crate) use self::y::{Y as Why, Other};\nuse z::Z;"),
        ),
        (name("a/x"), text("use super::y::Other;\nuse crate::a::Z;")),
        (name("a/y"), text("fn f() -> crate::a::X { crate::a::y::deep() }")),
        (name("a/z"), text("use crate::b::c;\n#[cfg(test)]\nmod tests {\n    use crate::a::x::X;\n}")),
        (name("b"), text("mod c;")),
        (name("b/c"), text("use super::super::a::z::Z;")),
    ]);
    let found: Vec<_> = edges(&modules).into_iter().map(|(folder, edges)| (folder.join("/"), rings(&edges))).collect();
    let ring = |names: [&str; 2]| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(found, [(String::new(), vec![ring(["a", "b"])]), ("a".to_owned(), vec![ring(["x", "y"])])]);
}

#[test]
fn the_check_itself_finds_upward_imports_within_the_redis_door() {
    let text = |text: &str| (String::new(), text.to_owned());
    let name = |name: &str| name.split('/').map(str::to_owned).collect::<Name>();
    let modules = BTreeMap::from([
        (name("server/redis"), text("mod frame;\nmod run;\nmod state;\nuse run::execute;")),
        (name("server/redis/frame/reply"), text("use crate::server::redis::state::door::Door;")),
        (name("server/redis/run/execute"), text("use crate::server::redis::frame::reply::Reply;")),
        (
            name("server/redis/state/door"),
            text("fn f() { super::super::execute(); crate::server::redis::new_part::f(); }"),
        ),
        (name("server/redis/new_part"), text("")),
    ]);
    let wrong = ["frame imports state", "state imports new_part", "state imports run"];
    assert_eq!(violations_in("redis", REDIS_LEVELS, &modules), wrong);
}
