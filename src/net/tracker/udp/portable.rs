//! One datagram at a time, with what every system has.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::net::tracker::udp::{DATAGRAM_BYTES, Worker};
use crate::net::tracker::urls::local_for;
use crate::tracker::Counter;

/// How long it may take until a thread sees that it is to end.
const PATIENCE: Duration = Duration::from_millis(200);

/// Answers until it is told to stop.
pub(super) fn run(mut worker: Worker) {
    if let Err(error) = serve(&mut worker) {
        tracing::error!(%error, "the tracker no longer answers over UDP");
    }
}

fn serve(worker: &mut Worker) -> io::Result<()> {
    worker.socket.set_read_timeout(Some(PATIENCE))?;
    let bound = worker.socket.local_addr()?.ip();
    let mut input = [0; DATAGRAM_BYTES];
    let mut output = Vec::new();
    while !worker.is_stopped() {
        let (len, from) = match worker.socket.recv_from(&mut input) {
            Ok(received) => received,
            // Also what earlier answers came back with, and on Windows datagrams that are too long.
            Err(_) => continue,
        };
        let shared = &worker.shared;
        let config = shared.config();
        let local = if bound.is_unspecified() { asked_at(from.ip(), from) } else { Some(bound) };
        let stats = &shared.tracker.stats;
        stats.count(Counter::UdpReceived);
        stats.add(Counter::BytesIn, len as u64);
        output.clear();
        let asker = shared.asker(from.ip(), local, &config);
        shared.tracker.datagram(&asker, from.port(), &input[..len], &mut worker.rng, &mut output);
        if !output.is_empty() && worker.socket.send_to(&output, from).is_ok() {
            stats.count(Counter::UdpSent);
            stats.add(Counter::BytesOut, output.len() as u64);
        }
    }
    Ok(())
}

/// Where a client of the local network must have asked: the address from which it is reached. Others are never told it.
fn asked_at(ip: IpAddr, from: std::net::SocketAddr) -> Option<IpAddr> {
    let near = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    };
    if near { local_for(from) } else { None }
}
