//! Every pattern of the README on one store, over a purchase log.
//!
//! ```text
//! cargo run --release --example patterns -- [PATH] [--data DIR] [--durability sync|interval]
//! ```

mod patterns;
mod purchases;
mod report;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use larder::{Durability, Error, ManualClock, Store, Timestamp};
use purchases::Log;

/// Purchases of the log that is made up when no file is given.
const GENERATED_ROWS: u64 = 70_000;

/// What `--help` prints.
const HELP: &str = "\
Runs every pattern of the README on one store, over a purchase log, and prints what came out.

Usage: patterns [OPTIONS] [PATH]

  PATH                 a purchase log: customer id, date (YYYYMMDD), number of CDs, dollars;
                       one is made up when none is given
  --data DIR           keeps the store in this directory, else in memory; a run that was stopped
                       goes on where it was
  --durability LEVEL   on disk, how far each commit goes before it returns: `sync` for a sync each,
                       `interval` for one every 100 ms [default: interval]
  --help               prints this";

/// What the command line asks for.
#[derive(Debug, Default)]
struct Arguments {
    /// The purchase log.
    path: Option<PathBuf>,
    /// The directory of the store.
    data: Option<PathBuf>,
    /// Whether each commit is synced before it returns.
    is_synced: bool,
}

impl Arguments {
    /// Reads the command line. `None` asks for help.
    fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Option<Self>, String> {
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            let mut value = |name: &str| words.next().ok_or(format!("{name} needs a value"));
            match word.to_str() {
                Some("-h" | "--help") => return Ok(None),
                Some("--data") => arguments.data = Some(value("--data")?.into()),
                Some("--durability") => {
                    arguments.is_synced = match value("--durability")?.to_str() {
                        Some("sync") => true,
                        Some("interval") => false,
                        _ => return Err("--durability is sync or interval".to_owned()),
                    }
                }
                Some(option) if option.starts_with('-') => return Err(format!("there is no option {option}")),
                _ if arguments.path.is_some() => return Err("give one purchase log".to_owned()),
                _ => arguments.path = Some(word.into()),
            }
        }
        Ok(Some(arguments))
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("patterns: {problem}; --help lists what there is");
            return ExitCode::from(2);
        }
    };
    let log = match &arguments.path {
        None => Log::generate(GENERATED_ROWS),
        Some(path) => match Log::read(path) {
            Ok(log) => log,
            Err(error) => {
                eprintln!("patterns: cannot read {}: {error}", path.display());
                return ExitCode::from(2);
            }
        },
    };
    for malformed in &log.malformed {
        eprintln!("patterns: line {} is skipped: {}", malformed.line, malformed.reason);
    }
    match run(&arguments, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("patterns: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, log: &Log) -> Result<(), Error> {
    if log.purchases.is_empty() {
        return Err(Error::application("the log holds no purchase"));
    }
    // The patterns turn the time by hand: an hour passes in no time.
    let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
    let builder = Store::builder().clock(clock.clone());
    let (store, kept) = match &arguments.data {
        None => (builder.in_memory(), "in memory".to_owned()),
        Some(directory) => {
            let (durability, name) = if arguments.is_synced {
                (Durability::Sync, "sync")
            } else {
                (Durability::Interval(Duration::from_millis(100)), "interval (100 ms)")
            };
            let store = builder.durability(durability).open(directory)?;
            (store, format!("in {}, durability {name}", directory.display()))
        }
    };
    check_log(&store, log)?;
    report::print_header(arguments.path.as_deref(), log, &kept);
    report::run(&store, &clock, log)?;
    store.close()
}

/// Refuses to go on with a store that an earlier run filled from another log.
fn check_log(store: &Store, log: &Log) -> Result<(), Error> {
    let fingerprint = log.fingerprint().to_string();
    match store.kv().get("log")? {
        Some(known) if known != fingerprint.as_bytes() => Err(Error::application(
            "the store in this directory was filled from another log: give that log, or another --data directory",
        )),
        _ => store.kv().set("log", fingerprint),
    }
}
