//! The tracker in this program: where it answers, and under which addresses it goes into what is shared.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use crate::api::{HostedTracker, Level, Reachable, Settings};
use crate::base::InfoHash;
use crate::net::lan;
use crate::net::tracker::{Observer, Server, embedded};
use crate::tracker::Config;

/// Ports tried after the chosen one, before any is taken.
const NEXT_PORTS: u16 = 20;
/// Ports tried after that.
const ANY_PORTS: usize = 5;
/// How long the tracker may take to stop.
const STOP: Duration = Duration::from_secs(2);

/// The tracker, where it runs.
#[derive(Debug, Default)]
pub(super) struct Hosted {
    server: Option<Server>,
    /// Why it does not run, or not as it should.
    fault: Option<String>,
    /// The addresses it should answer at, loopback last.
    ips: Vec<IpAddr>,
}

/// Lines for the log.
pub(super) type Notes = Vec<(Level, String)>;

impl Hosted {
    /// Starts the tracker as the settings say. Where that fails there is none, and it is said why.
    pub(super) async fn start(settings: &Settings) -> (Self, Notes) {
        let mut hosted = Self { server: None, fault: None, ips: wanted(settings) };
        let mut notes = Notes::new();
        if hosted.ips.is_empty() {
            return (hosted, notes);
        }
        let wanted = settings.tracker_port;
        let next = if wanted == 0 { 0..0 } else { wanted..wanted.saturating_add(NEXT_PORTS) };
        for port in next.map(Some).chain([None; ANY_PORTS]) {
            let Some(port) = port.or_else(free_port) else { break };
            match Server::start(at(&hosted.ips, port)).await {
                Ok(server) => {
                    if wanted != 0 && port != wanted {
                        let text = format!("Port {wanted} is in use; the tracker answers at port {port}.");
                        notes.push((Level::Warning, text));
                    }
                    hosted.fault = None;
                    hosted.server = Some(server);
                    return (hosted, notes);
                }
                Err(error) => hosted.fault = Some(error.to_string()),
            }
        }
        let why = hosted.fault.get_or_insert_with(|| "no port is free".into());
        notes.push((Level::Error, format!("The tracker does not run: {why}.")));
        (hosted, notes)
    }

    /// Ends the tracker.
    pub(super) async fn stop(self) {
        if let Some(server) = self.server {
            // One that does not stop in time has no more torrents to speak of.
            let _ = tokio::time::timeout(STOP, server.stop()).await;
        }
    }

    /// Whether other settings need another tracker.
    pub(super) fn differs(old: &Settings, new: &Settings) -> bool {
        let of = |settings: &Settings| {
            (settings.tracker, settings.tracker_port, settings.tracker_on_network, settings.bind)
        };
        of(old) != of(new)
    }

    /// Whether this machine's addresses have changed since it was started.
    pub(super) fn is_outdated(&self, settings: &Settings) -> bool {
        self.ips != wanted(settings)
    }

    /// A look at the tracker, where it runs.
    pub(super) fn observer(&self) -> Option<Observer> {
        self.server.as_ref().map(Server::observer)
    }

    /// What the tracker does.
    pub(super) fn view(&self, names: impl Fn(&InfoHash) -> Option<String>) -> HostedTracker {
        match &self.server {
            Some(server) => server.view(names),
            None => HostedTracker { fault: self.fault.clone(), ..HostedTracker::default() },
        }
    }

    /// The announce URLs by which those who may have a share find it: one tier for each address, the farthest first, so that
    /// nobody else asks a loopback address before one that leads here.
    pub(super) fn tiers(&self, reach: Reachable) -> Vec<Vec<String>> {
        let Some(server) = &self.server else { return Vec::new() };
        let (http, udp) = (server.http_addresses(), server.udp_addresses());
        let may_reach = |ip: &&IpAddr| ip.is_loopback() || reach == Reachable::LocalNetwork;
        let tier = |ip: &IpAddr| {
            let at = |addrs: &[SocketAddr]| addrs.iter().find(|addr| addr.ip() == *ip).copied();
            let http = at(&http).map(|addr| format!("http://{addr}/announce"));
            let udp = at(&udp).map(|addr| format!("udp://{addr}/announce"));
            http.into_iter().chain(udp).collect::<Vec<_>>()
        };
        self.ips.iter().filter(may_reach).map(tier).filter(|tier| !tier.is_empty()).collect()
    }

    /// Whether machines on the network reach the tracker.
    pub(super) fn is_on_network(&self) -> bool {
        self.server.is_some() && self.ips.iter().any(|ip| !ip.is_loopback())
    }

    /// Why they do not, and what to do.
    pub(super) fn why_not_reached(&self) -> &'static str {
        match &self.server {
            None if self.fault.is_some() => "the tracker does not run; the Trackers panel says why.",
            None => "the tracker is turned off in the settings.",
            Some(_) => {
                "the tracker answers this computer alone; see the settings, and whether there is a network."
            }
        }
    }
}

/// The addresses that a tracker should answer at; none where there is to be none.
fn wanted(settings: &Settings) -> Vec<IpAddr> {
    if !settings.tracker {
        return Vec::new();
    }
    let mut ips = if settings.tracker_on_network { lan::addresses() } else { Vec::new() };
    // Whoever chose one address wants to be found there, not on another network.
    if let Some(bind) = settings.bind {
        ips.retain(|ip| *ip == bind);
    }
    ips.push(Ipv4Addr::LOCALHOST.into());
    ips
}

fn at(ips: &[IpAddr], port: u16) -> Config {
    let addrs: Vec<SocketAddr> = ips.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
    Config { udp: addrs.clone(), http: addrs.clone(), ..embedded(addrs[addrs.len() - 1]) }
}

/// A port that was free a moment ago.
fn free_port() -> Option<u16> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    Some(socket.local_addr().ok()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { tracker_port: 0, tracker_on_network: true, ..Settings::default() }
    }

    #[tokio::test]
    async fn what_a_share_carries_is_what_those_people_reach() {
        let (hosted, notes) = Hosted::start(&settings()).await;
        assert!(notes.is_empty(), "{notes:?}");
        let here = hosted.tiers(Reachable::ThisComputer);
        assert_eq!((here.len(), here[0].len()), (1, 2));
        assert!(here[0].iter().all(|url| url.contains("://127.0.0.1:")), "{here:?}");
        let everywhere = hosted.tiers(Reachable::LocalNetwork);
        assert_eq!(everywhere.last(), here.first());
        assert_eq!(everywhere.len() > 1, hosted.is_on_network());
        assert!(hosted.view(|_| None).running && !hosted.is_outdated(&settings()));

        // The next one finds that port taken.
        let taken = here[0][0].rsplit(':').next().and_then(|rest| rest.split('/').next()?.parse().ok());
        let second = Settings { tracker_port: taken.expect("a port"), ..settings() };
        let (other, notes) = Hosted::start(&second).await;
        assert!(other.server.is_some() && notes.len() == 1, "{notes:?}");
        other.stop().await;
        hosted.stop().await;
    }

    #[tokio::test]
    async fn a_tracker_that_is_turned_off_is_nowhere() {
        let off = Settings { tracker: false, ..settings() };
        let (hosted, notes) = Hosted::start(&off).await;
        assert!(notes.is_empty() && hosted.tiers(Reachable::LocalNetwork).is_empty());
        assert_eq!(hosted.view(|_| None), HostedTracker::default());
        assert!(Hosted::differs(&off, &settings()));
    }
}
