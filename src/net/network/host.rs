//! A coordinator that answers: its socket, its state, and what it keeps.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::api::NetworkRules;
use crate::base::Moment;
use crate::net::clock::Clock;
use crate::net::lan;
use crate::net::network::door::Door;
use crate::net::network::keep::Keeper;
use crate::net::network::{Identity, IdentityError, KeepError, server, tls};
use crate::network::{Code, JoinLink, Network, Place, Refusal, Secret};

/// How often silent members are looked for.
const TICK: Duration = Duration::from_secs(1);
/// Places in a join link.
const PLACES: usize = 4;

/// How a coordinator is to be run.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The folder that index and rules are kept in; nothing is kept where it is absent.
    pub folder: Option<PathBuf>,
    /// Who it is.
    pub identity: Identity,
    /// Where it answers.
    pub listen: SocketAddr,
    /// Bytes of a piece, in place of what was kept.
    pub piece_length: Option<u32>,
    /// Connections of one torrent on one machine, in place of what was kept.
    pub max_connections: Option<u32>,
}

/// Why a coordinator cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Its address cannot be listened at.
    #[error("the coordinator cannot listen at {addr}: {why}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        why: io::Error,
    },
    /// Its identity cannot be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its certificate is of no use.
    #[error("the coordinator's certificate cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
    /// Its index cannot be kept.
    #[error("the index cannot be kept: {0}")]
    Keep(#[from] KeepError),
    /// Its index cannot be read.
    #[error("the index cannot be read: {0}")]
    Index(String),
}

/// A coordinator that answers, with index and statistics.
#[derive(Debug)]
pub struct Host {
    shared: Arc<Shared>,
    addr: SocketAddr,
    link: JoinLink,
    tasks: JoinSet<()>,
}

/// What every connection sees.
pub(super) struct Shared {
    network: Mutex<Network>,
    keeper: Option<Mutex<Keeper>>,
    secret: Secret,
    pub(super) door: Door,
    clock: Clock,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Host {
    /// Takes up what was kept, binds the address, and begins to answer.
    ///
    /// # Errors
    /// Says what cannot be had.
    pub async fn start(config: HostConfig) -> Result<Self, HostError> {
        let HostConfig { folder, identity, listen, piece_length, max_connections } = config;
        let acceptor = tls::acceptor(&identity)?;
        let error = |why| HostError::Listen { addr: listen, why };
        let listener = TcpListener::bind(listen).await.map_err(error)?;
        let addr = listener.local_addr().map_err(error)?;
        let clock = Clock::start();
        let keeper = folder.as_deref().map(Keeper::open).transpose()?;
        let kept = keeper.as_ref().and_then(Keeper::rules).unwrap_or_default();
        let rules = NetworkRules {
            piece_length: piece_length.or(kept.piece_length),
            max_connections: max_connections.unwrap_or(kept.max_connections),
            ..kept
        };
        let mut network = Network::new(rules);
        if let Some(keeper) = &keeper {
            for note in keeper.restore(&mut network).map_err(HostError::Index)? {
                network.screens_mut().index.say(clock.unix_now(), note);
            }
        }
        let (places, own_ip) = places(addr);
        network.set_own_ip(own_ip, !addr.ip().is_loopback());
        let link = JoinLink { places, secret: identity.secret, fingerprint: identity.fingerprint() };
        let shared = Arc::new(Shared {
            network: Mutex::new(network),
            keeper: keeper.map(Mutex::new),
            secret: identity.secret,
            door: Door::default(),
            clock,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(server::accept(Arc::clone(&shared), listener, acceptor));
        tasks.spawn(tick(Arc::clone(&shared)));
        Ok(Self { shared, addr, link, tasks })
    }

    /// Where it answers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What others join with.
    pub fn link(&self) -> &JoinLink {
        &self.link
    }

    /// Whether other machines can reach it.
    pub fn is_open(&self) -> bool {
        !self.addr.ip().is_loopback()
    }

    /// Changes what applies, and keeps it.
    ///
    /// # Errors
    /// Where it cannot be kept; nothing changes then.
    pub fn set_rules(&self, rules: NetworkRules) -> Result<(), String> {
        self.shared.keep(|keeper| keeper.keep_rules(&rules))?;
        self.with(|network, now| network.set_rules(now, rules));
        Ok(())
    }

    /// Looks at the network, or changes a screen of it.
    pub fn with<R>(&self, with: impl FnOnce(&mut Network, Moment) -> R) -> R {
        with(&mut self.shared.lock(), self.shared.clock.unix_now())
    }

    /// Closes every connection and waits until nothing runs any more.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

impl Shared {
    /// Whether this is the secret.
    pub(super) fn lets_in(&self, bearer: &[u8]) -> bool {
        self.secret.matches(bearer)
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.unix_now()
    }

    /// Answers an operation, and writes what has to last before that. To be called where one may wait for a disk.
    pub(super) fn answer(&self, from: IpAddr, operation: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut network = self.lock();
        let answer = network.handle(self.now(), from, operation, body);
        while let Some(effect) = network.poll_effect() {
            if let Err(why) = self.keep(|keeper| keeper.apply(&effect)) {
                // The index is what is on the disk.
                network.undo(effect);
                let text = format!("the coordinator cannot write its index: {why}");
                network.screens_mut().index.say(self.now(), text.clone());
                return Err(Refusal::new(Code::Internal, text));
            }
        }
        answer
    }

    fn keep(&self, change: impl FnOnce(&Keeper) -> Result<(), String>) -> Result<(), String> {
        match &self.keeper {
            Some(keeper) => change(&keeper.lock().unwrap_or_else(PoisonError::into_inner)),
            None => Ok(()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn tick(shared: Arc<Shared>) {
    loop {
        shared.lock().tick(shared.now());
        tokio::time::sleep(TICK).await;
    }
}

/// Where a coordinator at that address is found, and by which address others know this machine.
fn places(addr: SocketAddr) -> (Vec<Place>, Option<IpAddr>) {
    let mut ips = if addr.ip().is_unspecified() { lan::addresses() } else { vec![addr.ip()] };
    ips.retain(|ip| addr.is_ipv6() || ip.is_ipv4());
    ips.truncate(PLACES);
    let own_ip = match addr.ip() {
        ip if ip.is_loopback() => lan::addresses().first().copied(),
        ip if ip.is_unspecified() => ips.first().copied(),
        ip => Some(ip),
    };
    if ips.is_empty() {
        ips.push(Ipv4Addr::LOCALHOST.into());
    }
    let place = |ip: IpAddr| Place { host: ip.to_string(), port: addr.port() };
    (ips.into_iter().map(place).collect(), own_ip)
}

/// The folder that the coordinator of a state folder keeps its things in.
pub fn folder_in(state: &Path) -> PathBuf {
    state.join("network")
}
