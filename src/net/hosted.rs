//! The trackers in this program: where they answer, and under which addresses the first goes into what is shared.

use std::cmp::Reverse;
use std::collections::HashMap;
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

/// The trackers, where they run.
#[derive(Debug, Default)]
pub(super) struct Hosted {
    /// The first is the one that shares name where there is no network.
    servers: Vec<Server>,
    /// Why they do not run, or not as they should.
    fault: Option<String>,
    /// The addresses each should answer at, loopback last.
    ips: Vec<IpAddr>,
}

/// Lines for the log.
pub(super) type Notes = Vec<(Level, String)>;

impl Hosted {
    /// Starts the trackers as the settings say. Where that fails there are none or fewer, and it is said why.
    pub(super) async fn start(settings: &Settings) -> (Self, Notes) {
        let mut hosted = Self { servers: Vec::new(), fault: None, ips: wanted(settings) };
        let notes = hosted.be_as_many(settings).await;
        (hosted, notes)
    }

    /// Ends the last ones or starts more, until there are as many as the settings say; those between go on.
    pub(super) async fn be_as_many(&mut self, settings: &Settings) -> Notes {
        let mut notes = Notes::new();
        self.fault = None;
        let many = if self.ips.is_empty() { 0 } else { settings.trackers as usize };
        let over = self.servers.split_off(many.min(self.servers.len()));
        stop(over).await;
        while self.servers.len() < many {
            let chosen = settings.tracker_port;
            let last =
                self.servers.last().and_then(|server| server.http_addresses().first().map(SocketAddr::port));
            let wanted = match last {
                Some(last) if chosen != 0 => last.checked_add(1).unwrap_or(0),
                _ => chosen,
            };
            match one(&self.ips, wanted).await {
                Ok((server, port)) => {
                    if last.is_none() && chosen != 0 && port != chosen {
                        let text = format!("Port {chosen} is in use; the tracker answers at port {port}.");
                        notes.push((Level::Warning, text));
                    }
                    self.servers.push(server);
                }
                Err(why) => {
                    let text = match self.servers.len() {
                        0 => format!("The tracker does not run: {why}."),
                        some => format!("Only {some} of {many} trackers run: {why}."),
                    };
                    notes.push((Level::Error, text.clone()));
                    self.fault = Some(if self.servers.is_empty() { why } else { text });
                    break;
                }
            }
        }
        notes
    }

    /// Ends the trackers.
    pub(super) async fn stop(self) {
        stop(self.servers).await;
    }

    /// Whether other settings need other trackers, however many.
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

    /// A look at each tracker that runs.
    pub(super) fn observers(&self) -> Vec<Observer> {
        self.servers.iter().map(Server::observer).collect()
    }

    /// What the trackers do, all together. A torrent that several know is told with the largest figures of each kind: who
    /// announces to one tier may announce to the next.
    pub(super) fn view(&self, names: impl Fn(&InfoHash) -> Option<String>) -> HostedTracker {
        let mut views = self.servers.iter().map(|server| server.view(&names));
        let Some(mut all) = views.next() else {
            return HostedTracker { fault: self.fault.clone(), ..HostedTracker::default() };
        };
        all.fault = all.fault.or_else(|| self.fault.clone());
        for view in views {
            add(&mut all, view);
        }
        all
    }

    /// The announce URLs by which those who may have a share find it: one tier for each address, the farthest first, so that
    /// nobody else asks a loopback address before one that leads here.
    pub(super) fn tiers(&self, reach: Reachable) -> Vec<Vec<String>> {
        let Some(server) = self.servers.first() else { return Vec::new() };
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
        !self.servers.is_empty() && self.ips.iter().any(|ip| !ip.is_loopback())
    }

    /// Why they do not, and what to do.
    pub(super) fn why_not_reached(&self) -> &'static str {
        match self.servers.first() {
            None if self.fault.is_some() => "the tracker does not run; the Trackers panel says why.",
            None => "the tracker is turned off in the settings.",
            Some(_) => {
                "the tracker answers this computer alone; see the settings, and whether there is a network."
            }
        }
    }
}

async fn stop(servers: Vec<Server>) {
    let all = async {
        for server in servers {
            server.stop().await;
        }
    };
    // One that does not stop in time has no more torrents to speak of.
    let _ = tokio::time::timeout(STOP, all).await;
}

/// A tracker at that port, or at one of the next, or at any; 0 asks for any.
async fn one(ips: &[IpAddr], wanted: u16) -> Result<(Server, u16), String> {
    let mut fault = None;
    let next = if wanted == 0 { 0..0 } else { wanted..wanted.saturating_add(NEXT_PORTS) };
    for port in next.map(Some).chain([None; ANY_PORTS]) {
        let Some(port) = port.or_else(free_port) else { break };
        match Server::start(at(ips, port)).await {
            Ok(server) => return Ok((server, port)),
            Err(error) => fault = Some(error.to_string()),
        }
    }
    Err(fault.unwrap_or_else(|| "no port is free".into()))
}

/// Takes what another tracker does into the view of all.
fn add(all: &mut HostedTracker, other: HostedTracker) {
    all.urls.extend(other.urls);
    for (sum, (_, value)) in all.counters.iter_mut().zip(other.counters) {
        sum.1 += value;
    }
    let mut known: HashMap<InfoHash, usize> =
        all.swarms.iter().enumerate().map(|(at, swarm)| (swarm.info_hash, at)).collect();
    for swarm in other.swarms {
        if let Some(&at) = known.get(&swarm.info_hash) {
            let same = &mut all.swarms[at];
            same.seeders = same.seeders.max(swarm.seeders);
            same.leechers = same.leechers.max(swarm.leechers);
            same.downloaded = same.downloaded.max(swarm.downloaded);
        } else {
            known.insert(swarm.info_hash, all.swarms.len());
            all.swarms.push(swarm);
        }
    }
    all.swarms.sort_by_key(|swarm| {
        (Reverse(u64::from(swarm.seeders) + u64::from(swarm.leechers)), swarm.info_hash)
    });
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
    use crate::api::HostedSwarm;

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
        assert!(other.servers.len() == 1 && notes.len() == 1, "{notes:?}");
        other.stop().await;
        hosted.stop().await;
    }

    #[tokio::test]
    async fn several_run_side_by_side() {
        let three = Settings { trackers: 3, ..settings() };
        let (mut hosted, notes) = Hosted::start(&three).await;
        assert!(notes.is_empty(), "{notes:?}");
        let view = hosted.view(|_| None);
        let first: Vec<_> = hosted.observers().iter().map(|it| it.urls()[0].clone()).collect();
        assert!(first.len() == 3 && first.iter().all(|url| view.urls.contains(url)), "{view:?}");
        assert!(first[0] != first[1] && first[1] != first[2], "{first:?}");
        assert!(view.running && !Hosted::differs(&three, &settings()));
        let two = Settings { trackers: 2, ..three };
        assert!(hosted.be_as_many(&two).await.is_empty());
        let left: Vec<_> = hosted.observers().iter().map(|it| it.urls()[0].clone()).collect();
        assert_eq!(left, first[..2], "the others go on");
        hosted.stop().await;
    }

    #[test]
    fn a_torrent_of_two_trackers_is_told_once() {
        let swarm = |hash: u8, seeders, leechers| HostedSwarm {
            info_hash: InfoHash([hash; 20]),
            name: None,
            seeders,
            leechers,
            downloaded: 1,
        };
        let view = |swarms| HostedTracker {
            running: true,
            swarms,
            counters: vec![("announces".to_owned(), 2)],
            ..HostedTracker::default()
        };
        let mut all = view(vec![swarm(1, 2, 0), swarm(2, 0, 1)]);
        add(&mut all, view(vec![swarm(3, 1, 4), swarm(1, 1, 1)]));
        let both = HostedSwarm { leechers: 1, ..swarm(1, 2, 0) };
        assert_eq!(all.swarms, [swarm(3, 1, 4), both, swarm(2, 0, 1)]);
        assert_eq!(all.counters[0].1, 4);
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
