//! Which engine a directory's files are of, for the message when they are opened with another.

/// What begins each engine's directory, and how it is opened.
struct Kind {
    /// Names that are all there.
    names: &'static [&'static str],
    what: &'static str,
    how: &'static str,
}

/// The engines on disk. fjall and sled serve others too: with the mark beside it, a directory is a store of this crate.
const KINDS: [Kind; 3] = [
    Kind { names: &["larder"], what: "a store of the durable engine", how: "open it with `Store::open`" },
    Kind {
        names: &["larder.synced", "keyspaces", "version"],
        what: "a fjall store",
        how: "open it with `Store::builder().engine(Arc::new(FjallEngine::open(path)?))`, feature `fjall`",
    },
    Kind {
        names: &["larder.synced", "conf", "db"],
        what: "a sled store",
        how: "open it with `Store::builder().engine(Arc::new(SledEngine::open(path)?))`, feature `sled`",
    },
];

/// Why a directory that holds `names` cannot be opened by another engine than the one whose store it is; `None` when it is
/// no store of this crate.
pub(super) fn reason<N: AsRef<str>>(names: &[N]) -> Option<String> {
    let has = |wanted: &str| names.iter().any(|name| name.as_ref() == wanted);
    let kind = KINDS.iter().find(|kind| kind.names.iter().all(|name| has(name)))?;
    Some(format!("it is {}: {}", kind.what, kind.how))
}

/// As [`reason`], of the directory `path`.
#[cfg(any(feature = "fjall", feature = "sled"))]
pub(super) fn reason_in(path: &std::path::Path) -> Option<String> {
    let entries = std::fs::read_dir(path).ok()?;
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    reason(&names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_store_of_this_crate_is_told_by_its_engine() {
        assert!(reason(&["larder", "lock"]).unwrap().contains("durable"));
        assert!(reason(&["0.jnl", "keyspaces", "larder.synced", "version"]).unwrap().contains("fjall"));
        assert!(reason(&["conf", "db", "larder.synced"]).unwrap().contains("sled"));
        assert_eq!(reason(&["keyspaces", "version"]), None, "another program's");
    }
}
