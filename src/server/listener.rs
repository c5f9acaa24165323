//! Letting clients in, at a port or a unix socket.
//!
//! # How it works
//! A unix socket is bound, given its permissions and only then listened at, so that nobody gets in before. Whoever looks whether
//! the file of a socket was left behind holds a lock on its directory meanwhile: two programs that start at once do not remove
//! each other's file.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use crate::limits;
use crate::server::address::{Address, ListenError};
use crate::server::stream::{Arrival, Peer, Raw};

/// How long to stop accepting after `accept` failed.
const PAUSE: Duration = Duration::from_millis(50);

/// What a door listens with. Clones listen at the same socket.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    address: Address,
    #[cfg(unix)]
    file: Option<Arc<socket_file::SocketFile>>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

impl Listener {
    /// Begins to listen at `address`.
    ///
    /// # Errors
    /// [`ListenError`] when the address is taken, may not be listened at, or is none of this machine's.
    pub(crate) fn bind(address: &Address) -> Result<Self, ListenError> {
        let refused = |error: io::Error| ListenError::of(address, &error);
        if let Some(tcp) = address.socket_addr() {
            let listener = bind_tcp(tcp).map_err(refused)?;
            let address = listener.local_addr().map_err(refused)?.into();
            return Ok(Self {
                socket: Socket::Tcp(listener),
                address,
                #[cfg(unix)]
                file: None,
            });
        }
        #[cfg(unix)]
        if let Some(path) = address.path() {
            let (listener, file) = socket_file::bind(path).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => ListenError::Occupied { address: address.clone() },
                _ => refused(error),
            })?;
            let file = Some(Arc::new(file));
            return Ok(Self { socket: Socket::Unix(listener), address: address.clone(), file });
        }
        Err(ListenError::Unsupported { address: address.clone(), what: "this kind of address" })
    }

    /// Where it listens; the port is the real one.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Makes another handle of the socket, for another thread.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        let socket = match &self.socket {
            Socket::Tcp(listener) => Socket::Tcp(listener.try_clone()?),
            #[cfg(unix)]
            Socket::Unix(listener) => Socket::Unix(listener.try_clone()?),
        };
        Ok(Self {
            socket,
            address: self.address.clone(),
            #[cfg(unix)]
            file: self.file.clone(),
        })
    }

    /// Lets in who waits already, for a thread that does not get to its tasks.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is nobody, and what else the system says.
    pub(crate) fn accept_now(&self) -> io::Result<Arrival> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Arrival::Raw(Raw::Tcp(stream), Peer::Tcp(peer)))
            }
            #[cfg(unix)]
            Socket::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Arrival::Raw(Raw::Unix(stream), Peer::Unix))
            }
        }
    }

    /// Lets clients in, one after the other, for ever.
    pub(crate) async fn accept(self, mut welcome: impl FnMut(Arrival)) {
        let waiting = match Waiting::new(self.socket) {
            Ok(waiting) => waiting,
            Err(error) => return tracing::error!(%error, "the door cannot wait for clients"),
        };
        loop {
            match waiting.next().await {
                Ok(arrival) => welcome(arrival),
                Err(error) => {
                    // Most often there are too many open files: some will be closed.
                    tracing::warn!(%error, "a client could not be let in");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// A listener that tasks can wait at.
enum Waiting {
    Tcp(tokio::net::TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
}

impl Waiting {
    fn new(socket: Socket) -> io::Result<Self> {
        match socket {
            Socket::Tcp(listener) => tokio::net::TcpListener::from_std(listener).map(Self::Tcp),
            #[cfg(unix)]
            Socket::Unix(listener) => tokio::net::UnixListener::from_std(listener).map(Self::Unix),
        }
    }

    async fn next(&self) -> io::Result<Arrival> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Arrival::Ready(stream.into(), Peer::Tcp(peer)))
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Arrival::Ready(stream.into(), Peer::Unix))
            }
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    set_backlog(&listener)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Sets how many clients may wait to be let in. The standard library listens with 128: of more that come at once, some try again
/// after a second.
#[cfg(unix)]
fn set_backlog(listener: &impl std::os::fd::AsFd) -> io::Result<()> {
    Ok(rustix::net::listen(listener, i32::try_from(limits::BACKLOG_MAX).unwrap_or(i32::MAX))?)
}

#[cfg(not(unix))]
fn set_backlog(_: &TcpListener) -> io::Result<()> {
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

#[cfg(unix)]
mod socket_file {
    use std::fs::{self, File, Permissions};
    use std::io;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::{Path, PathBuf};

    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

    use super::set_backlog;

    /// Who may connect: the owner of the socket, and root.
    const MODE: u32 = 0o600;

    /// The file of a socket. Dropping this removes it, unless another has taken its place.
    #[derive(Debug)]
    pub(super) struct SocketFile {
        path: PathBuf,
        /// Device and number of the file.
        identity: (u64, u64),
    }

    fn identity(path: &Path) -> io::Result<(u64, u64)> {
        let found = fs::symlink_metadata(path)?;
        Ok((found.dev(), found.ino()))
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            if identity(&self.path).is_ok_and(|there| there == self.identity) {
                // What is left is replaced by whoever listens there next.
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    /// Listens at `path`.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::AddrInUse`] when somebody listens there, and [`io::ErrorKind::AlreadyExists`] when it
    /// is the path of something that is not a socket.
    pub(super) fn bind(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
        let path = std::path::absolute(path)?;
        let address = SocketAddrUnix::new(&path)?;
        let directory = File::open(path.parent().unwrap_or(Path::new("/")))?;
        // Given back with the handle.
        directory.lock()?;
        remove_stale(&path)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::bind(&socket, &address)?;
        let file = SocketFile { identity: identity(&path)?, path: path.clone() };
        fs::set_permissions(&path, Permissions::from_mode(MODE))?;
        let listener = UnixListener::from(socket);
        set_backlog(&listener)?;
        Ok((listener, file))
    }

    /// Removes a socket at which nobody listens.
    fn remove_stale(path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
            Ok(found) if !found.file_type().is_socket() => return Err(io::ErrorKind::AlreadyExists.into()),
            Ok(_) => {}
        }
        match UnixStream::connect(path) {
            Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
            // Its places are all taken: it has an owner.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::AddrInUse.into()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;
    use crate::server::keepalive::keep_alive;

    #[test]
    fn hundreds_of_clients_may_wait_to_be_let_in() {
        let listener = Listener::bind(&Address::local(0)).unwrap();
        let address = listener.address().socket_addr().unwrap();
        // Whoever finds no place tries again after a second, and would be too late.
        let connect = |_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(900));
        let waiting: Vec<_> = (0..400).map(connect).collect();
        assert_eq!(waiting.iter().filter(|client| client.is_err()).count(), 0);
    }

    #[test]
    fn a_silent_peer_is_asked_whether_it_is_there() {
        use rustix::net::sockopt;
        let listener = Listener::bind(&Address::local(0)).unwrap();
        let stream = std::net::TcpStream::connect(listener.address().socket_addr().unwrap()).unwrap();
        keep_alive(&stream, Duration::from_mins(5)).unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), Duration::from_mins(5));
        assert_eq!(sockopt::tcp_keepintvl(&stream).unwrap(), Duration::from_secs(100));
    }

    #[test]
    fn an_address_that_is_taken_is_refused_as_such() {
        let listener = Listener::bind(&Address::local(0)).unwrap();
        let address = listener.address().clone();
        assert_eq!(Listener::bind(&address).unwrap_err(), ListenError::Taken { address });
        let elsewhere: Address = "192.0.2.1:0".parse().unwrap();
        assert_eq!(Listener::bind(&elsewhere).unwrap_err(), ListenError::NotHere { address: elsewhere });
    }

    #[test]
    fn a_unix_socket_is_its_owners_alone_and_removed_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("door.sock");
        let address = Address::unix(&path);
        let listener = Listener::bind(&address).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let _client = UnixStream::connect(&path).unwrap();
        assert!(listener.accept_now().is_ok());
        assert_eq!(Listener::bind(&address).unwrap_err(), ListenError::Taken { address: address.clone() });
        let clone = listener.try_clone().unwrap();
        drop(listener);
        assert!(path.exists(), "a clone listens");
        drop(clone);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_was_left_behind_is_replaced_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("door.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the standard library leaves it");
        let address = Address::unix(&path);
        let listener = Listener::bind(&address).unwrap();
        // Another took the place: it is not ours to remove.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"precious").unwrap();
        drop(listener);
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
        assert_eq!(Listener::bind(&address).unwrap_err(), ListenError::Occupied { address });
        let nowhere = Address::unix(dir.path().join("no/door.sock"));
        assert!(matches!(Listener::bind(&nowhere), Err(ListenError::System { .. })));
        let long = Address::unix(dir.path().join("x".repeat(200)));
        assert!(matches!(Listener::bind(&long), Err(ListenError::System { .. })));
    }
}
