//! The program: a store with its doors open, and what can be done to the files of a store.

mod config;
mod control;
mod doors;
mod files;
mod options;
mod serve;
mod signals;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use control::Request;
use options::Options;

/// Gives back to the system what a store no longer needs, which the system's own keeps (docs/decisions/0012-allocator.md).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// When a command could not be run; also of a wrong command line.
const FAILED: u8 = 2;

const SERVE_HELP: &str = "\
When the doors are open it prints the connection string of each on a line, and then the line \"ready\". SIGTERM and SIGINT
end it: what has arrived is answered, a checkpoint is made, and the exit code is 0; SIGHUP has the certificate read again. If it
cannot start, one line on standard error says what to do, and the exit code is 2.

Examples:
  larder serve                                   in memory, for Redis clients at 127.0.0.1:6379
  larder serve --redis :0 --data shop.larder     on disk, at any free port
  larder serve --redis unix:/run/larder.sock     at a socket that only its owner can use
  larder serve --tls-dev ~/certificates          with TLS, for programs of this machine
  larder serve --config larder.toml --log info

The file of --config has the options' names as keys, and users:
  redis = \"0.0.0.0:6379\"
  data = \"shop.larder\"
  durability = \"interval:100\"
  [[users]]
  name = \"ann\"
  password = \"secret\"";

/// An embedded, multi-model store behind the protocols of the servers it stands in for.
#[derive(Parser)]
#[command(name = "larder", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Opens a store and its doors, until it is asked to end (SIGTERM, SIGINT).
    #[command(after_help = SERVE_HELP)]
    Serve(Box<Serve>),
    /// Reads a store and reports what is damaged: exit code 1 if anything is, 2 if it cannot be read. Of a store that is served, the
    /// server does it.
    Check {
        /// The store's directory.
        data: PathBuf,
    },
    /// Copies a store, which may be one that is served. The copy is a store of its own, without log.
    Backup {
        /// The store's directory.
        data: PathBuf,
        /// The directory to make; nothing may be there.
        to: PathBuf,
    },
    /// Reports what a store holds, and the room that it takes.
    Stats {
        /// The store's directory.
        data: PathBuf,
    },
}

#[derive(Args)]
struct Serve {
    /// Reads options from this file of TOML; those on the command line win.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("larder: {}", message.replace('\n', " "));
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, String> {
    let (data, request) = match command {
        Command::Serve(serve) => {
            let Serve { config, options } = *serve;
            let options = match config {
                Some(path) => options.or(config::read(&path)?),
                None => options,
            };
            serve::serve(&options)?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Check { data } => (data, Request::Check),
        Command::Stats { data } => (data, Request::Stats),
        Command::Backup { data, to } => (data, Request::backup(&to)?),
    };
    let report = files::run(&data, &request)?;
    report.lines.iter().for_each(|line| println!("{line}"));
    Ok(ExitCode::from(report.code))
}
