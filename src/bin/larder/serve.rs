//! A store with its doors open, until the program is asked to end.

use std::io::Write;
use std::sync::Arc;

use larder::{Error, Store};
use tokio::sync::Notify;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::control::Control;
use super::doors::Doors;
use super::options::{Filter, Options};
use super::signals::Signals;

/// Serves until SIGTERM, SIGINT or a client's `SHUTDOWN`.
pub(super) fn serve(options: &Options) -> Result<(), String> {
    start_log(options.log.clone().unwrap_or_default());
    raise_file_limit();
    let store = open(options)?;
    if let Some(bytes) = options.maxmemory.filter(|bytes| bytes.0 > 0) {
        let policy = options.maxmemory_policy.map(|policy| policy.0).unwrap_or_default();
        store.set_memory_budget(Some(bytes.0), policy).map_err(text)?;
    }
    // Before a line is printed: whoever reads it may ask the program to end at once.
    let signals = Signals::listen()?;
    let control = options.data.as_ref().and_then(|data| {
        let opened = Control::open(data);
        let failed =
            |error| tracing::warn!(%error, data = %data.display(), "the store's files cannot be asked for by a socket");
        opened.map_err(failed).ok()
    });
    let asked = Arc::new(Notify::new());
    let doors = Doors::open(&store, options, &asked)?;
    let mut lines = doors.urls.iter().fold(String::new(), |lines, url| lines + url + "\n");
    lines.push_str("ready\n");
    let mut out = std::io::stdout();
    // In one piece and at once: they may go to a program that waits for them.
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())?;
    signals.wait((&asked, || doors.reload()), &store, control.as_ref());
    drop((doors, control));
    if options.data.is_some() {
        store.checkpoint().map_err(text)?;
    }
    store.close().map_err(text)
}

/// Takes as many open files as the system gives when asked: each client needs one.
#[cfg(unix)]
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = (larder::limits::CLIENTS_MAX + larder::limits::FILES_HELD_BACK) as u64;
    let wanted = maximum.map_or(wanted, |most| most.min(wanted));
    if current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        tracing::warn!(%error, "the system gives no more open files");
    }
}

#[cfg(not(unix))]
fn raise_file_limit() {}

fn open(options: &Options) -> Result<Store, String> {
    let mut builder = Store::builder();
    if let Some(level) = options.durability {
        builder = builder.durability(level.0);
    }
    match &options.data {
        Some(path) => builder.open(path).map_err(text),
        None => Ok(builder.in_memory()),
    }
}

fn start_log(Filter(targets): Filter) {
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(targets).init();
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn text(error: Error) -> String {
    error.to_string()
}
