//! Where a door listens.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::str::FromStr;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::limits;

/// For how long nobody is let in after the system refused to.
const PAUSE: Duration = Duration::from_millis(50);

/// An address to listen at: `HOST:PORT`, or a port of 127.0.0.1. Port 0 is any that is free.
///
/// # Examples
/// ```
/// use larder::server::Address;
/// let address: Address = ":0".parse()?;
/// assert_eq!(address.to_string(), "127.0.0.1:0");
/// assert!("here".parse::<Address>().is_err());
/// # Ok::<(), larder::server::ListenError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(SocketAddr);

impl Address {
    /// The port `port` of 127.0.0.1.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::server::Address::local(6379).to_string(), "127.0.0.1:6379");
    /// ```
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self(([127, 0, 0, 1], port).into())
    }

    /// Whether only this machine can reach it.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::server::Address::local(0).is_loopback());
    /// ```
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.0.ip().is_loopback()
    }

    /// Begins to listen.
    ///
    /// # Errors
    /// [`ListenError`] when the port is taken, or the address is none of this machine's.
    pub(crate) fn listen(self) -> Result<TcpListener, ListenError> {
        let refused = |source: io::Error| {
            let reason = match source.kind() {
                io::ErrorKind::AddrInUse => "the port is in use: stop what listens there, or choose another".to_owned(),
                io::ErrorKind::PermissionDenied => "no permission: ports below 1024 are the system's".to_owned(),
                _ => source.to_string(),
            };
            ListenError(format!("cannot listen at {self}: {reason}"))
        };
        let listener = TcpListener::bind(self.0).map_err(refused)?;
        set_backlog(&listener).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        Ok(listener)
    }
}

/// Sets how many clients may wait to be let in. The standard library listens with 128: of more that come at once, some try again
/// after a second.
#[cfg(unix)]
fn set_backlog(listener: &TcpListener) -> io::Result<()> {
    Ok(rustix::net::listen(listener, i32::try_from(limits::BACKLOG_MAX).unwrap_or(i32::MAX))?)
}

#[cfg(not(unix))]
fn set_backlog(_: &TcpListener) -> io::Result<()> {
    Ok(())
}

/// Has the system ask a peer that has been silent for this long whether it is there, and end the connection when it does not
/// answer three times.
#[cfg(unix)]
pub(crate) fn keep_alive(stream: &impl std::os::fd::AsFd, silence: Duration) -> io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(stream, true)?;
    #[cfg(target_os = "linux")]
    {
        sockopt::set_tcp_keepidle(stream, silence)?;
        sockopt::set_tcp_keepintvl(stream, (silence / 3).max(Duration::from_secs(1)))?;
        sockopt::set_tcp_keepcnt(stream, 3)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = silence;
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn keep_alive(_: &TcpStream, _: Duration) -> io::Result<()> {
    Ok(())
}

/// How many sockets the process may have, when some open files are left to everything else.
#[cfg(unix)]
pub(crate) fn sockets_max() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    files.map_or(usize::MAX, |files| {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        // One client at least: whoever has so few files wants to try.
        files.saturating_sub(limits::FILES_HELD_BACK).max(1)
    })
}

#[cfg(not(unix))]
pub(crate) fn sockets_max() -> usize {
    usize::MAX
}

/// Lets clients in, one after the other, for ever.
pub(crate) async fn accept(listener: TcpListener, mut welcome: impl FnMut(TcpStream, SocketAddr)) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the door cannot wait for clients"),
    };
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => welcome(stream, peer),
            Err(error) => {
                // Most often there are too many open files: some will be closed.
                tracing::warn!(%error, "a client could not be let in");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Address {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let wrong = || ListenError(format!("{text:?} is no address: give HOST:PORT, :PORT or PORT"));
        let with_host = match text.strip_prefix(':').unwrap_or(text) {
            port if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => format!("127.0.0.1:{port}"),
            _ => text.to_owned(),
        };
        with_host.to_socket_addrs().ok().and_then(|mut found| found.next()).map(Self).ok_or_else(wrong)
    }
}

/// Why a door cannot be opened.
///
/// # Examples
/// ```
/// let error = "here".parse::<larder::server::Address>().unwrap_err();
/// assert!(error.to_string().contains("HOST:PORT"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenError(pub(crate) String);

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ListenError {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn hundreds_of_clients_may_wait_to_be_let_in() {
        let listener = Address::local(0).listen().unwrap();
        let address = listener.local_addr().unwrap();
        // Whoever finds no place tries again after a second, and would be too late.
        let connect = |_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(900));
        let waiting: Vec<_> = (0..400).map(connect).collect();
        assert_eq!(waiting.iter().filter(|client| client.is_err()).count(), 0);
    }

    #[test]
    fn a_silent_peer_is_asked_whether_it_is_there() {
        use rustix::net::sockopt;
        let listener = Address::local(0).listen().unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        keep_alive(&stream, Duration::from_mins(5)).unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), Duration::from_mins(5));
        assert_eq!(sockopt::tcp_keepintvl(&stream).unwrap(), Duration::from_secs(100));
    }
}
