//! What can be done to a store that nobody has open.

use std::path::Path;

use larder::engine::durable;
use larder::{Error, Store};

/// Prints what is damaged; whether nothing is.
pub(super) fn check(data: &Path) -> Result<bool, String> {
    let report = durable::check(data).map_err(text)?;
    let (files, size) = (report.files, Size(report.bytes));
    println!("{}: {files} files, {size}, {} entries, commit {}", data.display(), report.entries, report.commit);
    for damage in &report.damage {
        println!("damaged: {}, byte {}: {}", damage.file.display(), damage.offset, damage.detail);
    }
    let is_whole = report.damage.is_empty();
    println!("{}", if is_whole { "nothing is damaged" } else { "restore the store from a backup" });
    Ok(is_whole)
}

/// Copies the store in `data` to `to`.
pub(super) fn backup(data: &Path, to: &Path) -> Result<(), String> {
    let store = open(data)?;
    store.backup(to).map_err(text)?;
    let report = durable::check(to).map_err(text)?;
    let (entries, size) = (report.entries, Size(report.bytes));
    println!("copied {} to {}: {entries} entries, {size}, checked", data.display(), to.display());
    Ok(())
}

/// Prints how much there is in the store.
pub(super) fn stats(data: &Path) -> Result<(), String> {
    let stats = open(data)?.stats().map_err(text)?;
    let checkpoint = stats.last_checkpoint.map_or("none".to_owned(), |commit| format!("commit {commit}"));
    println!("commit           {}", stats.commit);
    println!("entries          {}", stats.entries.unwrap_or(0));
    println!("keys and values  {}", Size(stats.bytes.unwrap_or(0)));
    println!("on disk          {}", Size(stats.disk_bytes));
    println!("  log            {}", Size(stats.log_bytes));
    println!("  checkpoint     {}", Size(stats.checkpoint_bytes));
    println!("last checkpoint  {checkpoint}");
    Ok(())
}

fn open(data: &Path) -> Result<Store, String> {
    Store::builder().must_exist().open(data).map_err(text)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn text(error: Error) -> String {
    error.to_string()
}

/// A number of bytes, exactly and for people.
struct Size(u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        write!(f, "{} bytes", self.0)?;
        match units.into_iter().find(|(unit, _)| self.0 >= *unit) {
            // In tenths, rounded down.
            Some((unit, name)) => write!(f, " ({}.{} {name})", self.0 / unit, self.0 % unit * 10 / unit),
            None => Ok(()),
        }
    }
}
