//! What can be done to the files of a store: by this process when nobody has it open, by the process that serves it when that
//! one does.

use std::path::Path;

use larder::engine::durable::{self, ClosedStore};
use larder::engine::{CheckReport, EngineStats};
use larder::{Error, OpenProblem, Store};

use super::control::{self, Request};

/// Of `check`, when something is damaged.
const DAMAGED: u8 = 1;

/// Damages that are listed one by one.
const DAMAGES_MAX: usize = 1_000;

/// What a command has to say, and the program's exit code.
pub(super) struct Report {
    pub(super) lines: Vec<String>,
    pub(super) code: u8,
}

/// Does what `request` asks for to the store in `data`.
pub(super) fn run(data: &Path, request: &Request) -> Result<Report, String> {
    let done = match request {
        Request::Check => durable::check(data).map(|report| tell_check(data, &report)),
        Request::Stats => ClosedStore::read(data).map(|store| tell_stats(&store.stats())),
        Request::Backup(to) => ClosedStore::read(data).and_then(|store| {
            durable::backup(&*store.snapshot(), to)?;
            Ok(tell_backup(data, to, &durable::check(to)?))
        }),
    };
    match done {
        Err(error @ Error::Open { problem: OpenProblem::InUse, .. }) => match control::ask(data, request)? {
            Some(report) => Ok(report),
            None => Err(format!("{error}, or have it served by `larder serve`, which can be asked")),
        },
        done => done.map_err(|error| error.to_string()),
    }
}

/// Does what `request` asks for to the open `store` in `data`.
pub(super) fn run_on(store: &Store, data: &Path, request: &Request) -> Result<Report, Error> {
    match request {
        Request::Check => Ok(tell_check(data, &store.check()?)),
        Request::Stats => Ok(tell_stats(&store.stats()?)),
        Request::Backup(to) => {
            store.backup(to)?;
            Ok(tell_backup(data, to, &durable::check(to)?))
        }
    }
}

fn tell_check(data: &Path, report: &CheckReport) -> Report {
    let (files, size) = (report.files, Size(report.bytes));
    let mut lines = vec![format!(
        "{}: {files} files, {size}, {} entries, commit {}",
        data.display(),
        report.entries,
        report.commit
    )];
    let told = report.damage.iter().take(DAMAGES_MAX);
    lines.extend(
        told.map(|damage| format!("damaged: {}, byte {}: {}", damage.file.display(), damage.offset, damage.detail)),
    );
    if let Some(more @ 1..) = report.damage.len().checked_sub(DAMAGES_MAX) {
        lines.push(format!("and {more} more"));
    }
    let is_whole = report.damage.is_empty();
    lines.push(if is_whole { "nothing is damaged" } else { "restore the store from a backup" }.to_owned());
    Report { lines, code: if is_whole { 0 } else { DAMAGED } }
}

fn tell_backup(data: &Path, to: &Path, copy: &CheckReport) -> Report {
    let size = Size(copy.bytes);
    let copied = format!("copied {} to {}: {} entries, {size}", data.display(), to.display(), copy.entries);
    match copy.damage.first() {
        None => Report { lines: vec![format!("{copied}, checked")], code: 0 },
        Some(damage) => {
            let (file, offset) = (damage.file.display(), damage.offset);
            let lines = vec![copied, format!("damaged: {file}, byte {offset}: {}", damage.detail)];
            Report { lines, code: DAMAGED }
        }
    }
}

fn tell_stats(stats: &EngineStats) -> Report {
    let checkpoint = stats.last_checkpoint.map_or("none".to_owned(), |commit| format!("commit {commit}"));
    let lines = vec![
        format!("commit           {}", stats.commit),
        format!("entries          {}", stats.entries.unwrap_or(0)),
        format!("keys and values  {}", Size(stats.bytes.unwrap_or(0))),
        format!("on disk          {}", Size(stats.disk_bytes)),
        format!("  log            {}", Size(stats.log_bytes)),
        format!("  checkpoint     {}", Size(stats.checkpoint_bytes)),
        format!("last checkpoint  {checkpoint}"),
    ];
    Report { lines, code: 0 }
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
