//! Every pattern of the README on one store, over a purchase log.
//!
//! ```text
//! cargo run --release --example patterns -- [PATH] [--data DIR] [--durability sync|interval]
//! ```

mod patterns;
mod purchases;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use larder::engine::Durability;
use larder::{Error, ManualClock, Store, Timestamp};
use purchases::Log;

/// Purchases of the log that is made up when no file is given.
const GENERATED_ROWS: u64 = 70_000;

/// Runs every pattern of the README on one store, over a purchase log, and prints what came out.
#[derive(Debug, Parser)]
#[command(name = "patterns")]
struct Arguments {
    /// A purchase log: customer id, date (YYYYMMDD), number of CDs, dollars; one is made up when none is given
    path: Option<PathBuf>,
    /// Directory of the store; in memory when none is given. A run that was stopped goes on where it was
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How far each commit goes before it returns, on disk: one sync for each, or one every 100 ms
    #[arg(long, value_enum, default_value_t = DurabilityArgument::Interval)]
    durability: DurabilityArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DurabilityArgument {
    Sync,
    Interval,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
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
            let (durability, name) = match arguments.durability {
                DurabilityArgument::Sync => (Durability::Sync, "sync"),
                DurabilityArgument::Interval => (Durability::Interval(Duration::from_millis(100)), "interval (100 ms)"),
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
