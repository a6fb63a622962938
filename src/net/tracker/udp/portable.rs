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
    if crate::net::lan::is_private(ip.to_canonical()) { local_for(from) } else { None }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::base::Rng;
    use crate::net::tracker::embedded;
    use crate::net::tracker::shared::Shared;
    use crate::wire::tracker_udp::{Request, Response};

    #[test]
    fn it_answers_as_the_other_way_does() {
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let shared = Arc::new(Shared::new(embedded(any)).expect("random numbers"));
        let socket = UdpSocket::bind(any).expect("a port");
        let port = socket.local_addr().expect("bound").port();
        let stop = Arc::new(AtomicBool::new(false));
        let worker =
            Worker { shared: Arc::clone(&shared), socket, stop: Arc::clone(&stop), rng: Rng::new(1) };
        let named = std::thread::Builder::new().name("portable".to_owned());
        let thread = named.spawn(move || run(worker)).expect("a thread");
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        client.connect((Ipv4Addr::LOCALHOST, port)).expect("loopback is reached");
        client.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        let ask = |request: &Request<'_>| {
            let mut bytes = Vec::new();
            request.write(&mut bytes);
            client.send(&bytes).expect("sent");
            let mut answer = vec![0; 4_096];
            let len = client.recv(&mut answer).expect("an answer");
            answer.truncate(len);
            answer
        };
        let answer = ask(&Request::Connect { transaction_id: 3 });
        let Some(Response::Connect { transaction_id: 3, connection_id }) = Response::parse(&answer) else {
            panic!("{answer:?}")
        };
        // What is too long, too short or of a stranger is met with silence; then an answer comes all the same.
        for len in [0, 15, 98, DATAGRAM_BYTES + 1, 9_000] {
            client.send(&vec![0; len]).expect("sent");
        }
        let hashes = [[7; 20]; 3];
        let answer = ask(&Request::Scrape { connection_id, transaction_id: 4, hashes: &hashes });
        assert!(
            matches!(Response::parse(&answer), Some(Response::Scrape { transaction_id: 4, counts }) if counts.len() == 3)
        );
        stop.store(true, Ordering::Release);
        thread.join().expect("it ends when it is told to");
        assert_eq!(shared.tracker.stats.value(Counter::UdpSent), 2);
    }
}
