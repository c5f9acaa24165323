//! Connections whose peer is silent.

use std::io;
use std::time::Duration;

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
pub(crate) fn keep_alive(_: &tokio::net::TcpStream, _: Duration) -> io::Result<()> {
    Ok(())
}
