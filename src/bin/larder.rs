//! The program: a store with its doors open, and what can be done to a store that is closed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use larder::engine::{Durability, durable};
use larder::server::Address;
use larder::server::redis::{RedisOptions, RedisServer};
use larder::{Error, Store};

/// The port of the Redis door unless another is given.
const REDIS_PORT: u16 = 6379;

/// An embedded, multi-model store behind the protocols of the servers it stands in for.
#[derive(Parser)]
#[command(name = "larder", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Opens a store and its doors, until it is told to end (SIGTERM, SIGINT).
    Serve(Serve),
    /// Reads a store that nobody has open, and reports what is damaged.
    Check {
        /// The store's directory.
        data: PathBuf,
    },
    /// Copies a store that nobody has open.
    Backup {
        /// The store's directory.
        data: PathBuf,
        /// The directory to make.
        to: PathBuf,
    },
    /// Tells what a store that nobody has open holds.
    Stats {
        /// The store's directory.
        data: PathBuf,
    },
}

#[derive(Args)]
struct Serve {
    /// Opens the door for Redis clients: at 127.0.0.1:6379, or at HOST:PORT, :PORT or PORT; port 0 is any that is free.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "6379")]
    redis: Option<Address>,
    /// Keeps the store in this directory, made if it is not there; without it, the store is in memory and lost at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What a client is told only when it has been done: sync, interval:MILLISECONDS or none.
    #[arg(long, value_name = "LEVEL", default_value = "sync")]
    durability: Level,
    /// The password that clients have to give. A door that others than this machine can reach needs one.
    #[arg(long, value_name = "TEXT", env = "LARDER_PASSWORD", hide_env_values = true)]
    password: Option<String>,
}

/// A [`Durability`] as it is written on the command line.
#[derive(Clone, Copy)]
struct Level(Durability);

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = match text.split_once(':') {
            None if text == "sync" => Durability::Sync,
            None if text == "none" => Durability::None,
            Some(("interval", millis)) => {
                let millis = millis.parse().map_err(|_| format!("{millis:?} is no number of milliseconds"))?;
                Durability::Interval(Duration::from_millis(millis))
            }
            _ => return Err("give sync, interval:MILLISECONDS or none".to_owned()),
        };
        Ok(Self(level))
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("larder: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode, String> {
    match command {
        Command::Serve(serve) => self::serve(&serve),
        Command::Check { data } => check(&data),
        Command::Backup { data, to } => {
            open(&data)?.backup(&to).map_err(text)?;
            println!("copied {} to {}", data.display(), to.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Stats { data } => {
            let stats = open(&data)?.stats().map_err(text)?;
            println!("commit           {}", stats.commit);
            println!("entries          {}", stats.entries.unwrap_or(0));
            println!("bytes            {}", stats.bytes.unwrap_or(0));
            println!("disk bytes       {}", stats.disk_bytes);
            println!("log bytes        {}", stats.log_bytes);
            println!("checkpoint bytes {}", stats.checkpoint_bytes);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn serve(serve: &Serve) -> Result<ExitCode, String> {
    let builder = Store::builder().durability(serve.durability.0);
    let store = match &serve.data {
        Some(path) => builder.open(path).map_err(text)?,
        None => builder.in_memory(),
    };
    let address = serve.redis.unwrap_or_else(|| Address::local(REDIS_PORT));
    let mut options = RedisOptions::default().address(address);
    if let Some(password) = &serve.password {
        options = options.password(password.as_bytes());
    }
    // Before a line is printed: whoever reads it may tell the program to end at once.
    let signals = Signals::listen()?;
    let redis = RedisServer::start(&store, &options).map_err(|error| error.to_string())?;
    println!("redis://{}", redis.address());
    println!("ready");
    // The lines may go to a program that waits for them.
    std::io::stdout().flush().map_err(|error| error.to_string())?;
    signals.wait();
    redis.close();
    if serve.data.is_some() {
        store.checkpoint().map_err(text)?;
    }
    store.close().map_err(text)?;
    Ok(ExitCode::SUCCESS)
}

/// What tells the program to end.
struct Signals {
    runtime: tokio::runtime::Runtime,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self, String> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error: std::io::Error| format!("cannot wait for signals: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
        let (terminate, interrupt) = runtime
            .block_on(async {
                Ok::<_, std::io::Error>((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
            })
            .map_err(failed)?;
        Ok(Self { runtime, terminate, interrupt })
    }

    fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        });
    }
}

fn check(data: &Path) -> Result<ExitCode, String> {
    let report = durable::check(data).map_err(text)?;
    println!("{} files, {} bytes, {} entries, commit {}", report.files, report.bytes, report.entries, report.commit);
    for damage in &report.damage {
        println!("damaged: {}, byte {}: {}", damage.file.display(), damage.offset, damage.detail);
    }
    if report.damage.is_empty() {
        println!("nothing is damaged");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

fn open(data: &Path) -> Result<Store, String> {
    Store::builder().must_exist().open(data).map_err(text)
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn text(error: Error) -> String {
    error.to_string()
}
