//! Sockets that the system opened for us before we started (systemd's socket activation), so that a port below 1024 needs no
//! rights of ours and nothing is lost during a restart.

use std::net::{SocketAddr, TcpListener, UdpSocket};

/// What was handed over, in the order in which the unit names it.
#[derive(Debug, Default)]
pub struct Inherited {
    /// For HTTP.
    pub http: Vec<TcpListener>,
    /// For UDP; several at one address share its load.
    pub udp: Vec<UdpSocket>,
}

impl Inherited {
    /// Takes the sockets that stand from number 3 on, where the environment says that they are meant for this process.
    ///
    /// To be called once, at the beginning of the program.
    #[cfg(unix)]
    pub fn take() -> Self {
        let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
        if number("LISTEN_PID") != Some(std::process::id()) {
            return Self::default();
        }
        unix::take(number("LISTEN_FDS").unwrap_or(0))
    }

    /// Nothing; only Unix hands sockets over.
    #[cfg(not(unix))]
    pub fn take() -> Self {
        Self::default()
    }

    /// The addresses of what was handed over, HTTP and UDP.
    pub fn addresses(&self) -> (Vec<SocketAddr>, Vec<SocketAddr>) {
        let http = self.http.iter().filter_map(|socket| socket.local_addr().ok()).collect();
        let mut udp: Vec<SocketAddr> =
            self.udp.iter().filter_map(|socket| socket.local_addr().ok()).collect();
        udp.dedup();
        (http, udp)
    }

    /// The UDP sockets by their addresses.
    pub(super) fn groups(udp: Vec<UdpSocket>) -> Vec<Vec<UdpSocket>> {
        let mut groups: Vec<Vec<UdpSocket>> = Vec::new();
        for socket in udp {
            let addr = socket.local_addr().ok();
            match groups
                .iter_mut()
                .find(|group| group.first().and_then(|known| known.local_addr().ok()) == addr)
            {
                Some(group) => group.push(socket),
                None => groups.push(vec![socket]),
            }
        }
        groups
    }
}

#[cfg(unix)]
mod unix {
    use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

    use socket2::{Socket, Type};

    use super::Inherited;

    /// Numbers 0 to 2 are the terminal.
    const FIRST: RawFd = 3;
    /// More than any unit names.
    const MOST: u32 = 256;

    pub(super) fn take(count: u32) -> Inherited {
        let mut inherited = Inherited::default();
        for fd in FIRST..FIRST + count.min(MOST) as RawFd {
            // SAFETY: whether the number is open does not matter to this call.
            if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
                continue;
            }
            // SAFETY: it is open, and whoever started us says that it is ours; nothing else here has taken it.
            let socket = Socket::from(unsafe { OwnedFd::from_raw_fd(fd) });
            match socket.r#type() {
                Ok(Type::STREAM) if socket.set_nonblocking(true).is_ok() => {
                    inherited.http.push(socket.into())
                }
                Ok(Type::DGRAM) if socket.set_nonblocking(false).is_ok() => inherited.udp.push(socket.into()),
                _ => tracing::warn!(fd, "a socket that was handed over is of no use here"),
            }
        }
        inherited
    }
}
