//! Where a door listens, and why it cannot.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What stands in front of the path of a unix socket.
const UNIX: &str = "unix:";

/// An address to listen at: `HOST:PORT`, `:PORT` or `PORT` of 127.0.0.1, or a unix socket as `unix:PATH` or an absolute path. Port
/// 0 is any that is free.
///
/// # Examples
/// ```
/// use larder::server::{Address, ListenError};
/// let address: Address = ":0".parse()?;
/// assert_eq!(address.to_string(), "127.0.0.1:0");
/// assert!(matches!("here".parse::<Address>(), Err(ListenError::NotAnAddress { .. })));
/// # Ok::<(), ListenError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address(Place);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Address {
    /// Returns the address of port `port` of 127.0.0.1.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::server::Address::local(6379).to_string(), "127.0.0.1:6379");
    /// ```
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self(Place::Tcp(([127, 0, 0, 1], port).into()))
    }

    /// Returns the address of a unix socket at `path`. The file is made when a door listens there, for its owner alone, and removed
    /// when the door is closed; one that a door left behind, and nobody listens at, is replaced.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::server::Address::unix("/run/larder.sock").to_string(), "unix:/run/larder.sock");
    /// ```
    #[cfg(unix)]
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self(Place::Unix(path.into()))
    }

    /// Returns whether only this machine can reach it, as it can 127.0.0.1 and unix sockets.
    ///
    /// # Examples
    /// ```
    /// assert!(larder::server::Address::local(0).is_loopback());
    /// ```
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.0 {
            Place::Tcp(address) => address.ip().is_loopback(),
            Place::Unix(_) => true,
        }
    }

    /// Returns host and port, or `None` for a unix socket.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::server::Address::local(6379).socket_addr().unwrap().port(), 6379);
    /// ```
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match &self.0 {
            Place::Tcp(address) => Some(*address),
            Place::Unix(_) => None,
        }
    }

    /// Returns the path of a unix socket, or `None` for a host and port.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(larder::server::Address::local(6379).path(), None);
    /// ```
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Tcp(_) => None,
            Place::Unix(path) => Some(path),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self(Place::Tcp(address))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Tcp(address) => address.fmt(f),
            Place::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let wrong = || ListenError::NotAnAddress { text: text.to_owned() };
        let path = text.strip_prefix(UNIX).or_else(|| text.starts_with('/').then_some(text));
        if let Some(path) = path {
            return if path.is_empty() || !cfg!(unix) { Err(wrong()) } else { Ok(Self(Place::Unix(path.into()))) };
        }
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let port_number = if port.bytes().all(|byte| byte.is_ascii_digit()) { port.parse::<u16>().ok() } else { None };
        let port_number = port_number.ok_or_else(wrong)?;
        if host.is_empty() {
            return Ok(Self::local(port_number));
        }
        // IPv6 in brackets is what the parser of the standard library takes.
        let found = text.to_socket_addrs().ok().and_then(|mut found| found.next());
        found.map(Self::from).ok_or_else(|| ListenError::NoSuchHost { host: host.to_owned() })
    }
}

/// Why a door cannot be opened.
///
/// # Examples
/// ```
/// use larder::server::{Address, ListenError};
/// let error = "here".parse::<Address>().unwrap_err();
/// assert_eq!(error, ListenError::NotAnAddress { text: "here".to_owned() });
/// assert!(error.to_string().contains("HOST:PORT"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The text is not an address.
    #[error("{text:?} is no address: give HOST:PORT, :PORT or PORT, or unix:PATH")]
    NotAnAddress {
        /// The text.
        text: String,
    },
    /// The name of the host leads to no address.
    #[error("there is no host {host:?}: check the name, or give its number")]
    NoSuchHost {
        /// The name.
        host: String,
    },
    /// Somebody listens there.
    #[error("cannot listen at {address}: the address is in use: stop what listens there, or choose another")]
    Taken {
        /// Where the door was to listen.
        address: Address,
    },
    /// There is a file at the path of the socket, and it is not a socket.
    #[error("cannot listen at {address}: something that is not a socket has the path: remove it, or choose another")]
    Occupied {
        /// Where the door was to listen.
        address: Address,
    },
    /// The system does not allow it.
    #[error(
        "cannot listen at {address}: no permission: ports below 1024 are the system's, and a socket needs a directory that can be written to"
    )]
    NoPermission {
        /// Where the door was to listen.
        address: Address,
    },
    /// The host is not this machine.
    #[error("cannot listen at {address}: this machine has no such address")]
    NotHere {
        /// Where the door was to listen.
        address: Address,
    },
    /// Others can reach the address, and need no password.
    #[error(
        "cannot listen at {address}: others can reach it, and there is no user: set a password, or listen at 127.0.0.1"
    )]
    Open {
        /// Where the door was to listen.
        address: Address,
    },
    /// A user has no name or no password, so that anybody could be that user.
    #[error("a user needs a name and a password: one is empty for user {name:?}")]
    BlankUser {
        /// The name.
        name: String,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot use the certificate: {reason}")]
    Certificate {
        /// What is wrong, and with which file.
        reason: String,
    },
    /// This door cannot do what was asked of it.
    #[error("cannot listen at {address}: not supported by this door: {what}")]
    Unsupported {
        /// Where the door was to listen.
        address: Address,
        /// What was asked for.
        what: &'static str,
    },
    /// The system gives no thread, or nothing to wait for sockets with.
    #[error("cannot start a thread: {reason}")]
    NoThread {
        /// What the system says.
        reason: String,
    },
    /// The system refuses for another reason.
    #[error("cannot listen at {address}: {reason}")]
    System {
        /// Where the door was to listen.
        address: Address,
        /// What the system says.
        reason: String,
    },
}

impl ListenError {
    /// Sorts what the system said when a door was to listen at `address`.
    pub(crate) fn of(address: &Address, error: &std::io::Error) -> Self {
        let address = address.clone();
        match error.kind() {
            std::io::ErrorKind::AddrInUse => Self::Taken { address },
            std::io::ErrorKind::PermissionDenied => Self::NoPermission { address },
            std::io::ErrorKind::AddrNotAvailable => Self::NotHere { address },
            _ => Self::System { address, reason: error.to_string() },
        }
    }

    pub(crate) fn no_thread(error: &std::io::Error) -> Self {
        Self::NoThread { reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_is_read() {
        for (text, written) in [
            ("6379", "127.0.0.1:6379"),
            (":0", "127.0.0.1:0"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]:80", "[::1]:80"),
            ("unix:a.sock", "unix:a.sock"),
            ("/run/a.sock", "unix:/run/a.sock"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), written);
            assert_eq!(written.parse(), Ok(address));
        }
    }

    #[test]
    fn text_that_is_no_address_is_told_from_a_host_that_is_not_there() {
        for text in ["", ":", "here", "65536", ":-1", "127.0.0.1", "127.0.0.1:", "host:+1", "unix:"] {
            assert_eq!(text.parse::<Address>(), Err(ListenError::NotAnAddress { text: text.to_owned() }), "{text}");
        }
        let nowhere = "no.such.host.invalid:80".parse::<Address>();
        assert_eq!(nowhere, Err(ListenError::NoSuchHost { host: "no.such.host.invalid".to_owned() }));
    }

    #[test]
    fn only_this_machine_reaches_loopback_and_unix_sockets() {
        let is_loopback = |text: &str| text.parse::<Address>().unwrap().is_loopback();
        assert!(is_loopback("1") && is_loopback("[::1]:1") && is_loopback("/a"));
        assert!(!is_loopback("0.0.0.0:1") && !is_loopback("[::]:1"));
    }
}
