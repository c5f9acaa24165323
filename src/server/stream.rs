//! A connection's bytes both ways, over TCP, a unix socket or TLS.
//!
//! # How it works
//! A [`Socket`] is a handle; clones are the same connection, so that one may read while another writes, and somebody else look at it
//! while the connection's task cannot run ([`Socket::read_now`]). All of them are on one thread.
//!
//! # Invariants
//! 1. Nobody holds the state of TLS between two calls: reading and writing do not wait for each other.
//! 2. What TLS has made of written bytes and the system did not take yet is [`Socket::has_unsent`]: whoever has nothing more to write
//!    flushes.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::server::keepalive::keep_alive;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Tcp(SocketAddr),
    /// Somebody of this machine.
    Unix,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// Somebody who was let in.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// At this thread.
    Ready(Plain, Peer),
    /// At any thread.
    Raw(Raw, Peer),
}

impl Arrival {
    pub(crate) fn peer(&self) -> Peer {
        match self {
            Self::Ready(_, peer) | Self::Raw(_, peer) => *peer,
        }
    }

    /// The connection, for tasks of this thread.
    pub(crate) fn into_plain(self) -> io::Result<Plain> {
        match self {
            Self::Ready(plain, _) => Ok(plain),
            Self::Raw(Raw::Tcp(stream), _) => tokio::net::TcpStream::from_std(stream).map(Plain::from),
            #[cfg(unix)]
            Self::Raw(Raw::Unix(stream), _) => tokio::net::UnixStream::from_std(stream).map(Plain::from),
        }
    }

    /// The same, for another thread.
    pub(crate) fn into_raw(self) -> io::Result<Self> {
        let (plain, peer) = match self {
            Self::Ready(plain, peer) => (plain, peer),
            raw @ Self::Raw(..) => return Ok(raw),
        };
        match plain {
            Plain::Tcp(stream) => Ok(Self::Raw(Raw::Tcp(stream.into_inner().into_std()?), peer)),
            #[cfg(unix)]
            Plain::Unix(stream) => Ok(Self::Raw(Raw::Unix(stream.into_inner().into_std()?), peer)),
            #[cfg(any(test, feature = "testing"))]
            Plain::Pipe(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// A socket that no thread waits for yet.
#[derive(Debug)]
pub(crate) enum Raw {
    Tcp(std::net::TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

/// A connection without TLS.
#[derive(Debug)]
pub(crate) enum Plain {
    Tcp(RefCell<tokio::net::TcpStream>),
    #[cfg(unix)]
    Unix(RefCell<tokio::net::UnixStream>),
    /// Of tests.
    #[cfg(any(test, feature = "testing"))]
    Pipe(RefCell<tokio::io::DuplexStream>),
}

/// Does the same with every kind of socket that the system has, and something else with a pipe.
macro_rules! of_system {
    ($plain:expr, $stream:ident => $body:expr, $pipe:ident => $of_pipe:expr) => {
        match $plain {
            Plain::Tcp(stream) => {
                let $stream = &mut *stream.borrow_mut();
                $body
            }
            #[cfg(unix)]
            Plain::Unix(stream) => {
                let $stream = &mut *stream.borrow_mut();
                $body
            }
            #[cfg(any(test, feature = "testing"))]
            Plain::Pipe(stream) => {
                let $pipe = &mut *stream.borrow_mut();
                $of_pipe
            }
        }
    };
}

impl From<tokio::net::TcpStream> for Plain {
    fn from(stream: tokio::net::TcpStream) -> Self {
        Self::Tcp(RefCell::new(stream))
    }
}

#[cfg(unix)]
impl From<tokio::net::UnixStream> for Plain {
    fn from(stream: tokio::net::UnixStream) -> Self {
        Self::Unix(RefCell::new(stream))
    }
}

impl Plain {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // The runtime's own way of reading knows that a socket is empty that gave less than there was room for; asked for what it has
        // by a shared reference, it would ask the system once more in each turn.
        of_system!(self, stream => Pin::new(stream).poll_read(context, buffer),
            pipe => Pin::new(pipe).poll_read(context, buffer))
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        of_system!(self, stream => Pin::new(stream).poll_write(context, bytes),
            pipe => Pin::new(pipe).poll_write(context, bytes))
    }

    fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        of_system!(self, stream => Pin::new(stream).poll_shutdown(context),
            pipe => Pin::new(pipe).poll_shutdown(context))
    }

    /// Reads what the system has, without waiting and without the runtime, whose picture of the socket is old while its thread is
    /// busy.
    fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        of_system!(self, stream => receive(stream, buffer), pipe => {
            let mut read = ReadBuf::new(buffer);
            let polled = Pin::new(pipe).poll_read(&mut unheard(), &mut read);
            now(polled).map(|()| read.filled().len())
        })
    }

    /// As [`Plain::read_now`].
    fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        of_system!(self, stream => send(stream, bytes),
            pipe => now(Pin::new(pipe).poll_write(&mut unheard(), bytes)))
    }

    /// Has replies sent as they are written, and the peer asked whether it is there after `silence`.
    pub(crate) fn tune(&self, silence: Option<Duration>) {
        let Self::Tcp(stream) = self else { return };
        let stream = &*stream.borrow();
        // Replies are written whole; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        if let Some(silence) = silence
            && let Err(error) = keep_alive(stream, silence)
        {
            tracing::warn!(%error, "the system does not ask whether a client is still there");
        }
    }

    /// The door's end of it, where that has a number.
    fn local(&self) -> Option<SocketAddr> {
        if let Self::Tcp(stream) = self { stream.borrow().local_addr().ok() } else { None }
    }

    /// The number that the system has for it; -1 where there is none.
    #[cfg(unix)]
    fn number(&self) -> i32 {
        of_system!(self, stream => std::os::fd::AsRawFd::as_raw_fd(stream), _pipe => -1)
    }

    #[cfg(not(unix))]
    fn number(&self) -> i32 {
        -1
    }
}

/// TLS reads and writes through it.
impl AsyncRead for Plain {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Self::poll_read(&self, context, buffer)
    }
}

impl AsyncWrite for Plain {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Self::poll_write(&self, context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_shutdown(&self, context)
    }
}

#[cfg(unix)]
fn shut(stream: &impl std::os::fd::AsFd) -> io::Result<()> {
    Ok(rustix::net::shutdown(stream, rustix::net::Shutdown::Write)?)
}

#[cfg(not(unix))]
fn shut(_: &tokio::net::TcpStream) -> io::Result<()> {
    // It ends with the last handle.
    Ok(())
}

#[cfg(unix)]
fn receive(stream: &impl std::os::fd::AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (read, _) = rustix::net::recv(stream, buffer, rustix::net::RecvFlags::DONTWAIT)?;
    Ok(read)
}

#[cfg(unix)]
fn send(stream: &impl std::os::fd::AsFd, bytes: &[u8]) -> io::Result<usize> {
    let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
    Ok(rustix::net::send(stream, bytes, flags)?)
}

#[cfg(not(unix))]
fn receive(stream: &tokio::net::TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    stream.try_read(buffer)
}

#[cfg(not(unix))]
fn send(stream: &tokio::net::TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.try_write(bytes)
}

/// A context that wakes nobody.
#[cfg(any(test, feature = "testing"))]
fn unheard() -> Context<'static> {
    Context::from_waker(std::task::Waker::noop())
}

#[cfg(any(test, feature = "testing"))]
fn now<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(done) => done,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// What is behind the handles of a connection.
#[derive(Debug)]
enum Stream {
    Plain(Plain),
    #[cfg(feature = "tls")]
    Tls(RefCell<Box<tokio_rustls::server::TlsStream<Plain>>>),
}

/// A handle of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Socket(Rc<Stream>);

/// A handle that does not keep the connection open.
#[derive(Clone, Debug)]
pub(crate) struct WeakSocket(Weak<Stream>);

impl WeakSocket {
    pub(crate) fn upgrade(&self) -> Option<Socket> {
        self.0.upgrade().map(Socket)
    }
}

impl From<Plain> for Socket {
    fn from(plain: Plain) -> Self {
        Self(Rc::new(Stream::Plain(plain)))
    }
}

#[cfg(feature = "tls")]
impl From<tokio_rustls::server::TlsStream<Plain>> for Socket {
    fn from(stream: tokio_rustls::server::TlsStream<Plain>) -> Self {
        Self(Rc::new(Stream::Tls(RefCell::new(Box::new(stream)))))
    }
}

impl Socket {
    /// A connection without a socket, and its other end, which hold `bytes` each way.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn pipe(bytes: usize) -> (Self, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(bytes);
        (Plain::Pipe(RefCell::new(ours)).into(), theirs)
    }

    pub(crate) fn downgrade(&self) -> WeakSocket {
        WeakSocket(Rc::downgrade(&self.0))
    }

    /// Does something with the connection below TLS.
    fn with_plain<T>(&self, look: impl FnOnce(&Plain) -> T) -> T {
        match &*self.0 {
            Stream::Plain(plain) => look(plain),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => look(tls.borrow().get_ref().0),
        }
    }

    /// The door's end of it, where that has a number.
    pub(crate) fn local(&self) -> Option<SocketAddr> {
        self.with_plain(Plain::local)
    }

    /// The number that the system has for the socket; -1 where there is none.
    pub(crate) fn number(&self) -> i32 {
        self.with_plain(Plain::number)
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        !matches!(&*self.0, Stream::Plain(_))
    }

    /// Reads what has come, without waiting; also while the connection's task cannot run.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when nothing has come, and what else the system says.
    pub(crate) fn read_now(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &*self.0 {
            Stream::Plain(plain) => plain.read_now(buffer),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => encrypted::read_now(&mut tls.borrow_mut(), buffer),
        }
    }

    /// Writes what there is room for, without waiting; also while the connection's task cannot run.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is no room, and what else the system says.
    pub(crate) fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        match &*self.0 {
            Stream::Plain(plain) => plain.write_now(bytes),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => encrypted::write_now(&mut tls.borrow_mut(), bytes),
        }
    }

    /// Whether bytes that were written are still to be given to the system.
    pub(crate) fn has_unsent(&self) -> bool {
        match &*self.0 {
            Stream::Plain(_) => false,
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => tls.borrow().get_ref().1.wants_write(),
        }
    }

    /// Lets the client see the end of what is sent, without waiting.
    pub(crate) fn shutdown_now(&self) -> io::Result<()> {
        #[cfg(feature = "tls")]
        if let Stream::Tls(tls) = &*self.0 {
            return encrypted::shutdown_now(&mut tls.borrow_mut());
        }
        self.with_plain(|plain| of_system!(plain, stream => shut(stream), _pipe => Ok(())))
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &*self.0 {
            Stream::Plain(plain) => plain.poll_read(context, buffer),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => Pin::new(&mut **tls.borrow_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &*self.0 {
            Stream::Plain(plain) => plain.poll_write(context, bytes),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => Pin::new(&mut **tls.borrow_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        #[cfg(not(feature = "tls"))]
        let _ = context;
        match &*self.0 {
            Stream::Plain(_) => Poll::Ready(Ok(())),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => Pin::new(&mut **tls.borrow_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &*self.0 {
            Stream::Plain(plain) => plain.poll_shutdown(context),
            #[cfg(feature = "tls")]
            Stream::Tls(tls) => Pin::new(&mut **tls.borrow_mut()).poll_shutdown(context),
        }
    }
}

/// TLS without a task.
#[cfg(feature = "tls")]
mod encrypted {
    use std::io::{self, Read, Write};

    use tokio_rustls::server::TlsStream;

    use super::{Plain, shut};

    /// The socket below, read and written without waiting.
    struct Now<'a>(&'a Plain);

    impl Read for Now<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read_now(buffer)
        }
    }

    impl Write for Now<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write_now(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(super) fn read_now(tls: &mut TlsStream<Plain>, buffer: &mut [u8]) -> io::Result<usize> {
        let (plain, session) = tls.get_mut();
        loop {
            match session.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
            session.read_tls(&mut Now(plain))?;
            session.process_new_packets().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }

    pub(super) fn write_now(tls: &mut TlsStream<Plain>, bytes: &[u8]) -> io::Result<usize> {
        let (plain, session) = tls.get_mut();
        // What was written before goes first; so what TLS keeps is bounded.
        flush(plain, session)?;
        let written = session.writer().write(bytes)?;
        match flush(plain, session) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(written),
        }
    }

    pub(super) fn shutdown_now(tls: &mut TlsStream<Plain>) -> io::Result<()> {
        let (plain, session) = tls.get_mut();
        session.send_close_notify();
        flush(plain, session)?;
        of_system!(&*plain, stream => shut(stream), _pipe => Ok(()))
    }

    fn flush(plain: &Plain, session: &mut rustls::ServerConnection) -> io::Result<()> {
        while session.wants_write() {
            session.write_tls(&mut Now(plain))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn what_has_come_is_read_without_waiting_while_a_task_waits_for_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = Socket::from(Plain::from(stream));
            let other = socket.clone();
            let mut bytes = [0; 8];
            assert_eq!(other.read_now(&mut bytes).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            io::Write::write_all(&mut client, b"ping").unwrap();
            // The runtime was not asked in between.
            assert_eq!((other.read_now(&mut bytes).unwrap(), &bytes[..4]), (4, &b"ping"[..]));
            assert_eq!(other.write_now(b"pong").unwrap(), 4);
            io::Read::read_exact(&mut client, &mut bytes[..4]).unwrap();
            io::Write::write_all(&mut client, b"more").unwrap();
            socket.read_exact(&mut bytes[..4]).await.unwrap();
            socket.write_all(&bytes[..4]).await.unwrap();
            other.shutdown_now().unwrap();
            let mut rest = Vec::new();
            io::Read::read_to_end(&mut client, &mut rest).unwrap();
            assert_eq!(rest, b"more");
            let weak = socket.downgrade();
            drop((socket, other));
            assert!(weak.upgrade().is_none());
        });
    }

    #[test]
    fn a_pipe_is_read_and_written_as_a_socket_is() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut socket, mut client) = Socket::pipe(64);
            let mut bytes = [0; 4];
            assert_eq!(socket.read_now(&mut bytes).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            client.write_all(b"ping").await.unwrap();
            assert_eq!(socket.read_now(&mut bytes).unwrap(), 4);
            socket.write_all(b"pong").await.unwrap();
            client.read_exact(&mut bytes).await.unwrap();
            assert_eq!((&bytes, socket.number(), socket.local()), (b"pong", -1, None));
        });
    }
}
