//! Lines within a machine or a room: what keeps a long line fair and short of queues costs these processor time alone.

use std::os::fd::AsRawFd as _;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

/// The way there and back on a line that nobody far away has a part in.
const NEAR: Duration = Duration::from_millis(1);
/// Known to every Linux, and sends whenever the other side has room.
const PLAIN: &[u8] = b"reno";

/// Does without pacing on a near line: BBR sets a timer for every few packets there.
pub(super) fn hasten(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let paces = socket.tcp_congestion().is_ok_and(|name| name.starts_with(b"bbr"));
    if paces && round_trip(stream).is_some_and(|round_trip| round_trip < NEAR) {
        // Where it may not be had all goes on as it was.
        let _ = socket.set_tcp_congestion(PLAIN);
    }
}

/// The time from here to the other side and back, as the handshake has shown.
fn round_trip(stream: &TcpStream) -> Option<Duration> {
    // SAFETY: a `tcp_info` of zeros is a valid value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut len = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the system writes no more than `len` bytes to `info`, which is so long; the socket is open.
    let result = unsafe {
        let info = (&raw mut info).cast();
        libc::getsockopt(stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info, &mut len)
    };
    (result == 0 && info.tcpi_rtt > 0).then(|| Duration::from_micros(u64::from(info.tcpi_rtt)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_within_this_machine_is_near_and_not_paced() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let (dialled, accepted) = tokio::join!(TcpStream::connect(addr), listener.accept());
        let (dialled, (accepted, _)) = (dialled.expect("a connection"), accepted.expect("a connection"));
        for stream in [dialled, accepted] {
            assert!(round_trip(&stream).is_some_and(|time| time < Duration::from_secs(5)));
            // Asked for outright, since few systems have it by default; where it is unknown there is nothing to undo.
            let paced = SockRef::from(&stream).set_tcp_congestion(b"bbr").is_ok();
            let before = SockRef::from(&stream).tcp_congestion().expect("a name");
            hasten(&stream);
            let after = SockRef::from(&stream).tcp_congestion().expect("a name");
            let is_near = round_trip(&stream).is_some_and(|time| time < NEAR);
            assert_eq!(after.starts_with(PLAIN), paced && is_near || before.starts_with(PLAIN));
        }
    }
}
