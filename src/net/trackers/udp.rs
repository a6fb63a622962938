//! Announces and scrapes over UDP (BEP 15), with the path of the announce URL in them (BEP 41).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::announce::{AnnounceRequest, Answer, Facts, Failure, Kind};
use crate::net::trackers::http::{plain, unreadable};
use crate::net::trackers::socket::{Action, Socket};
use crate::wire::text::printable;
use crate::wire::tracker::{Counts, WORDS, take_compact_v4, take_compact_v6};
use crate::wire::tracker_udp::{Announce, Options, Request, Response};

/// How long a connection id is used. A tracker takes it for a minute (BEP 15); the rest is left for sending again.
const CONNECTED: Duration = Duration::from_secs(45);
/// Connection ids kept.
const CONNECTIONS: usize = 1_024;
/// After this without a response the tracker's other address is tried too.
const STEP_IN: Duration = Duration::from_secs(1);

/// Asks over UDP.
pub(super) struct Udp {
    bind: Option<IpAddr>,
    tries: [Duration; 3],
    v4: OnceCell<Socket>,
    v6: OnceCell<Socket>,
    connections: Mutex<HashMap<SocketAddr, Connection>>,
}

/// A tracker's leave to ask it.
#[derive(Clone, Copy)]
struct Connection {
    id: u64,
    since: Instant,
}

impl Udp {
    pub(super) fn new(bind: Option<IpAddr>, tries: [Duration; 3]) -> Self {
        Self { bind, tries, v4: OnceCell::new(), v6: OnceCell::new(), connections: Mutex::default() }
    }

    /// Asks one question.
    pub(super) async fn ask(
        &self,
        url: &Url,
        request: &AnnounceRequest,
        facts: Facts,
    ) -> Result<Answer, Failure> {
        let trackers = self.addresses(url).await?;
        let known = trackers.iter().find_map(|tracker| Some((*tracker, self.known(*tracker)?)));
        if let Some((tracker, id)) = known {
            match self.question(tracker, id, url, request, facts).await {
                // Perhaps it has only forgotten us, as one that was started anew has.
                Err(Failure::Refused { .. }) => _ = self.connections().remove(&tracker),
                outcome => return outcome,
            }
        }
        let (tracker, id) = self.connect_any(&trackers).await?;
        self.question(tracker, id, url, request, facts).await
    }

    async fn question(
        &self,
        tracker: SocketAddr,
        connection_id: u64,
        url: &Url,
        request: &AnnounceRequest,
        facts: Facts,
    ) -> Result<Answer, Failure> {
        match request.kind {
            Kind::Announce => self.announce(tracker, connection_id, url, request, facts).await,
            Kind::Scrape => self.scrape(tracker, connection_id, facts).await,
        }
    }

    async fn announce(
        &self,
        tracker: SocketAddr,
        connection_id: u64,
        url: &Url,
        request: &AnnounceRequest,
        facts: Facts,
    ) -> Result<Answer, Failure> {
        let mut options = Vec::new();
        Options::write_url_data(
            url[url::Position::BeforePath..url::Position::AfterQuery].as_bytes(),
            &mut options,
        );
        let announce = Announce {
            info_hash: facts.info_hash,
            peer_id: facts.peer_id,
            downloaded: request.stats.downloaded,
            left: request.stats.left,
            uploaded: request.stats.uploaded,
            event: request.event,
            ip: None,
            key: request.key,
            numwant: Some(request.numwant),
            port: facts.port,
            options: Options(&options),
        };
        let write = |transaction_id, out: &mut Vec<u8>| {
            Request::Announce { connection_id, transaction_id, announce: announce.clone() }.write(out);
        };
        let datagram = self.socket(tracker).await?.ask(tracker, Action::Announce, &self.tries, write).await?;
        match Response::parse(&datagram) {
            Some(Response::Announce { interval_secs, leechers, seeders, peers, .. }) => {
                let mut answer = Answer {
                    interval_secs: Some(interval_secs),
                    complete: Some(seeders),
                    incomplete: Some(leechers),
                    ..Answer::default()
                };
                match tracker {
                    SocketAddr::V4(_) => take_compact_v4(peers, &mut answer.peers),
                    SocketAddr::V6(_) => take_compact_v6(peers, &mut answer.peers),
                }
                Ok(answer)
            }
            other => Err(refusal(other)),
        }
    }

    async fn scrape(&self, tracker: SocketAddr, connection_id: u64, facts: Facts) -> Result<Answer, Failure> {
        let write = |transaction_id, out: &mut Vec<u8>| {
            Request::Scrape { connection_id, transaction_id, hashes: &[facts.info_hash.0] }.write(out);
        };
        let datagram = self.socket(tracker).await?.ask(tracker, Action::Scrape, &self.tries, write).await?;
        match Response::parse(&datagram) {
            Some(Response::Scrape { counts: [counts, ..], .. }) => {
                let counts = Counts::from_udp(counts);
                Ok(Answer {
                    complete: Some(counts.complete),
                    incomplete: Some(counts.incomplete),
                    downloaded: Some(counts.downloaded),
                    ..Answer::default()
                })
            }
            other => Err(refusal(other)),
        }
    }

    /// Connects to whichever of the addresses answers first; the second joins in where the first does not answer soon.
    async fn connect_any(&self, trackers: &[SocketAddr]) -> Result<(SocketAddr, u64), Failure> {
        let [first, second] = match *trackers {
            [only] => return self.connect(only).await,
            [first, second, ..] => [first, second],
            [] => return Err(unreadable("the tracker has no address")),
        };
        let (mut first, mut second) = (pin!(self.connect(first)), pin!(self.connect(second)));
        tokio::select! {
            outcome = &mut first => match outcome {
                Ok(connected) => return Ok(connected),
                Err(failure) => return second.await.map_err(|_| failure),
            },
            () = sleep(STEP_IN) => {}
        }
        tokio::select! {
            outcome = &mut first => match outcome {
                Ok(connected) => Ok(connected),
                Err(failure) => second.await.map_err(|_| failure),
            },
            outcome = &mut second => match outcome {
                Ok(connected) => Ok(connected),
                Err(_) => first.await,
            },
        }
    }

    async fn connect(&self, tracker: SocketAddr) -> Result<(SocketAddr, u64), Failure> {
        // The tracker's minute begins after this.
        let since = Instant::now();
        let write = |transaction_id, out: &mut Vec<u8>| Request::Connect { transaction_id }.write(out);
        let datagram = self.socket(tracker).await?.ask(tracker, Action::Connect, &self.tries, write).await?;
        match Response::parse(&datagram) {
            Some(Response::Connect { connection_id: id, .. }) => {
                let mut connections = self.connections();
                if connections.len() >= CONNECTIONS {
                    connections.retain(|_, connection| connection.since.elapsed() < CONNECTED);
                }
                if connections.len() < CONNECTIONS {
                    connections.insert(tracker, Connection { id, since });
                }
                Ok((tracker, id))
            }
            other => Err(refusal(other)),
        }
    }

    fn known(&self, tracker: SocketAddr) -> Option<u64> {
        let connection = *self.connections().get(&tracker)?;
        (connection.since.elapsed() < CONNECTED).then_some(connection.id)
    }

    /// The tracker's addresses: one of each family that we can ask from, the system's favourite first.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Failure> {
        let (Some(host), Some(port)) = (url.host_str(), url.port()) else {
            return Err(unreadable("the tracker's address names no host and port"));
        };
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((name, port))
            .await
            .map_err(|error| Failure::Unreachable(format!("{host} cannot be found: {}", plain(&error))))?;
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for addr in found.map(|addr| SocketAddr::new(addr.ip().to_canonical(), port)) {
            let usable = self.bind.is_none_or(|bind| bind.is_ipv4() == addr.is_ipv4());
            if usable && addresses.iter().all(|other| other.is_ipv4() != addr.is_ipv4()) {
                addresses.push(addr);
            }
        }
        if addresses.is_empty() {
            return Err(Failure::Unreachable(format!("{host} has no address that can be asked from here")));
        }
        Ok(addresses)
    }

    /// The socket for a tracker's family, opened when it is first needed.
    async fn socket(&self, tracker: SocketAddr) -> Result<&Socket, Failure> {
        let (cell, any) = match tracker {
            SocketAddr::V4(_) => (&self.v4, IpAddr::from(Ipv4Addr::UNSPECIFIED)),
            SocketAddr::V6(_) => (&self.v6, IpAddr::from(Ipv6Addr::UNSPECIFIED)),
        };
        cell.get_or_try_init(|| Socket::new(self.bind.unwrap_or(any)))
            .await
            .map_err(|error| Failure::Unreachable(format!("no UDP socket can be opened: {}", plain(&error))))
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<SocketAddr, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tracker's refusal; the socket lets nothing else through but what was asked for, which may be too short.
fn refusal(response: Option<Response<'_>>) -> Failure {
    match response {
        Some(Response::Error { message, .. }) => Failure::Refused {
            reason: printable(message, WORDS).unwrap_or_else(|| "no reason given".to_owned()),
            retry_in: None,
        },
        _ => unreadable("the tracker's answer does not read: too short"),
    }
}
