//! The socket in the directory of a store that is served, by which its files can be asked for.
//!
//! A request is a line of UTF-8, and a connection has one: `check`, `stats`, or `backup PATH`, whose path is absolute
//! and goes on to the end of the line. The reply is lines, each with what it is in front: `: ` a line to print, and at
//! the end `= ` the exit code, or `! ` why it could not be done. `docs/storage.md` says the same.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::time::Duration;

use larder::Store;
use larder::engine::durable::CONTROL_FILE;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::files::{self, Report};

/// Longest request in bytes, its end of line included.
const REQUEST_BYTES_MAX: u64 = 8 << 10;

/// Longest reply that is read, in bytes.
const REPLY_BYTES_MAX: u64 = 1 << 20;

/// How long a client may take for its request, and for taking the reply.
const CLIENT_PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait after nobody could be let in, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who may ask: the owner of the socket, and root.
const SOCKET_MODE: u32 = 0o600;
const ROOT: u32 = 0;

/// What can be asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    Check,
    Stats,
    /// Into the directory of this path, which is absolute.
    Backup(PathBuf),
}

impl Request {
    /// A backup to `to`, seen from where this process works.
    pub(super) fn backup(to: &Path) -> Result<Self, String> {
        let to = std::path::absolute(to).map_err(|error| format!("{}: {error}", to.display()))?;
        Ok(Self::Backup(to))
    }

    fn parse(line: &str) -> Result<Self, String> {
        match line.split_once(' ') {
            None if line == "check" => Ok(Self::Check),
            None if line == "stats" => Ok(Self::Stats),
            Some(("backup", path)) if Path::new(path).is_absolute() => Ok(Self::Backup(path.into())),
            Some(("backup", path)) => Err(format!("the path {path:?} is not absolute")),
            _ => Err("it is no request: give check, stats or backup PATH".to_owned()),
        }
    }

    /// The line that asks for it.
    fn line(&self) -> Result<String, String> {
        let line = match self {
            Self::Check => "check\n".to_owned(),
            Self::Stats => "stats\n".to_owned(),
            Self::Backup(path) => match path.to_str() {
                Some(text) if !text.contains('\n') => format!("backup {text}\n"),
                _ => return Err(format!("{}: a server takes a path of UTF-8 in one line only", path.display())),
            },
        };
        if line.len() as u64 > REQUEST_BYTES_MAX {
            return Err(format!("a request to a server has at most {REQUEST_BYTES_MAX} bytes: give a shorter path"));
        }
        Ok(line)
    }
}

/// Asks the process that serves the store in `data`. `None` when nobody can be asked.
pub(super) fn ask(data: &Path, request: &Request) -> Result<Option<Report>, String> {
    let line = request.line()?;
    let Ok(mut stream) = net::UnixStream::connect(data.join(CONTROL_FILE)) else { return Ok(None) };
    let failed = |error: io::Error| format!("the server of {}: {error}", data.display());
    stream.write_all(line.as_bytes()).map_err(failed)?;
    let mut lines = Vec::new();
    for line in BufReader::new(stream.take(REPLY_BYTES_MAX)).lines() {
        let line = line.map_err(failed)?;
        match line.split_at_checked(2) {
            Some((": ", text)) => lines.push(text.to_owned()),
            Some(("! ", message)) => return Err(message.to_owned()),
            Some(("= ", code)) => {
                let code = code.parse().map_err(|_| failed(io::ErrorKind::InvalidData.into()))?;
                return Ok(Some(Report { lines, code }));
            }
            _ => return Err(failed(io::ErrorKind::InvalidData.into())),
        }
    }
    Err(format!("the server of {} ended before it was done", data.display()))
}

/// The socket of a store that this process serves. Dropping it removes it.
pub(super) struct Control {
    listener: net::UnixListener,
    path: PathBuf,
    data: PathBuf,
    /// The number of the user whose socket it is.
    owner: u32,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Control {
    /// Listens in the directory `data` of a store that this process has open, and so nobody else: a socket that is there is
    /// one that its process has left behind.
    pub(super) fn open(data: &Path) -> io::Result<Self> {
        let path = data.join(CONTROL_FILE);
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(&path)?,
            Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else has its name")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = net::UnixListener::bind(&path)?;
        // Nobody is let in before.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
        listener.set_nonblocking(true)?;
        let owner = std::fs::symlink_metadata(&path)?.uid();
        Ok(Self { listener, path, data: data.to_owned(), owner })
    }

    /// Serves one client after the other, until it is dropped.
    pub(super) async fn serve(&self, store: &Store) -> io::Result<()> {
        let listener = UnixListener::from_std(self.listener.try_clone()?)?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    if let Err(error) = self.answer(store, stream).await {
                        tracing::warn!(%error, "a request for the store's files could not be answered");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "nobody can be let in to ask for the store's files");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn answer(&self, store: &Store, mut stream: UnixStream) -> io::Result<()> {
        let user = stream.peer_cred()?.uid();
        let outcome = if user == self.owner || user == ROOT {
            let mut line = String::new();
            let mut reader = tokio::io::BufReader::new((&mut stream).take(REQUEST_BYTES_MAX));
            timeout(CLIENT_PATIENCE, reader.read_line(&mut line)).await??;
            match line.strip_suffix('\n') {
                Some(line) => self.run(store, line).await,
                None => Err("the request is too long, or has no end".to_owned()),
            }
        } else {
            Err("only the owner of the store may ask".to_owned())
        };
        let reply = match outcome {
            Ok(report) => {
                let lines = report.lines.iter().map(|line| format!(": {}\n", one_line(line)));
                lines.collect::<String>() + &format!("= {}\n", report.code)
            }
            Err(message) => format!("! {}\n", one_line(&message)),
        };
        timeout(CLIENT_PATIENCE, stream.write_all(reply.as_bytes())).await?
    }

    async fn run(&self, store: &Store, line: &str) -> Result<Report, String> {
        let request = Request::parse(line)?;
        tracing::info!(?request, "the store's files are asked for");
        let (store, data) = (store.clone(), self.data.clone());
        let work = tokio::task::spawn_blocking(move || files::run_on(&store, &data, &request));
        let done = work.await.map_err(|_| "it panicked".to_owned())?;
        done.map_err(|error| error.to_string())
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // As well as it can be: who serves the store next removes what is left.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A path may have the end of a line in it.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_is_written() {
        for request in [Request::Check, Request::Stats, Request::Backup("/a directory/copy".into())] {
            let line = request.line().unwrap();
            assert_eq!(Request::parse(line.strip_suffix('\n').unwrap()).as_ref(), Ok(&request));
        }
        for line in ["", "backup", "backup relative", "check now", "CHECK", "stats "] {
            assert!(Request::parse(line).is_err(), "{line}");
        }
        assert!(Request::Backup("/a\nb".into()).line().is_err());
        assert!(Request::Backup(format!("/{}", "a".repeat(8 << 10)).into()).line().is_err());
    }
}
