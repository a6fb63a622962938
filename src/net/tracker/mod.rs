//! The sockets of a [tracker](crate::tracker): HTTP and UDP on one store, in this program or on a machine of its own.
//!
//! - `shared`: `Shared`, the tracker, its rules and its clock, as every task and thread sees them
//! - `http`: connections, with their limits and deadlines
//! - `tls`: [`CertificateError`], the certificate of HTTPS
//! - `udp`: datagrams, in batches where the system can
//! - `admin`: keys and lists changed over HTTP
//! - `inherited`: [`Inherited`], sockets that the system opened for us
//! - `behind`: a thread that works behind the answers
//! - `cluster`: [`ClusterError`], swarms shared with trackers on other machines
//! - `cluster_peers`: peers as those keep them
//! - `keep`: [`KeepError`], swarms beyond the end of the process
//! - `lists`: [`ListFileError`], the files that say who may announce what
//! - `urls`: announce URLs of the addresses that are listened at

mod admin;
mod behind;
mod cluster;
mod cluster_peers;
mod http;
mod inherited;
mod keep;
mod lists;
mod shared;
#[cfg(test)]
mod tests;
mod tls;
mod udp;
mod urls;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::api::{HostedSwarm, HostedTracker};
use crate::base::InfoHash;
use crate::tracker::{Config, ConnectionIds, Tracker};

use behind::Behind;
pub use cluster::ClusterError;
pub use inherited::Inherited;
pub use keep::KeepError;
pub use lists::ListFileError;
use shared::{Locked, Shared, secret};
pub use tls::CertificateError;

/// A tracker that answers.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    udp: Vec<SocketAddr>,
    certificate: Option<Arc<tls::Certificate>>,
    tasks: JoinSet<()>,
    workers: udp::Workers,
    keeper: Option<Behind>,
    cluster: Option<Behind>,
}

/// A look at a running tracker: who is in its swarms, and how many peers it tells of.
#[derive(Clone, Debug)]
pub struct Observer {
    shared: Arc<Shared>,
    urls: Vec<String>,
    /// What the configuration says.
    answer_max_peers: u32,
}

/// The peers of one swarm, and who of them is a seed.
pub type Swarm = (InfoHash, Vec<(SocketAddr, bool)>);

impl Observer {
    /// The announce URLs.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// The largest swarms, and in them not more than so many peers in all.
    pub fn swarms(&self, max_swarms: usize, max_peers: usize) -> Vec<Swarm> {
        let mut room = max_peers;
        let mut swarms = Vec::new();
        for (hash, _) in self.shared.tracker.largest(max_swarms) {
            let peers = self.shared.tracker.peers(&hash, room);
            room -= peers.len();
            if !peers.is_empty() {
                swarms.push((hash, peers));
            }
        }
        swarms
    }

    /// Tells of not more than so many peers in one answer from now on: nobody has more connections than that.
    pub fn set_answer_peers(&self, most: u32) {
        self.shared.set_answer_peers(most.clamp(1, self.answer_max_peers));
    }
}

/// Why a tracker cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// An address cannot be listened at.
    #[error("the tracker cannot listen at {addr} over {over}: {why}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// `HTTP`, `HTTPS` or `UDP`.
        over: &'static str,
        /// What the system says.
        why: io::Error,
    },
    /// A list of torrents or keys cannot be used.
    #[error("the tracker cannot start: {0}")]
    List(#[from] ListFileError),
    /// HTTPS has no certificate that can be used.
    #[error("the tracker cannot answer over HTTPS: {0}")]
    Certificate(#[from] CertificateError),
    /// The file that swarms are kept in cannot be used.
    #[error("the tracker cannot use {path}: {why}")]
    Keep {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: KeepError,
    },
    /// The store that swarms are shared through cannot be used.
    #[error("the tracker cannot share its swarms: {0}")]
    Cluster(#[from] ClusterError),
    /// The system gives no random numbers or no threads.
    #[error("the tracker cannot start: {0}")]
    System(io::Error),
}

/// The tracker of the desktop program: HTTP and UDP at one address, small enough to be one of several. Where the port is 0 the
/// system chooses one, the same for both.
pub fn embedded(http: SocketAddr) -> Config {
    Config {
        http: vec![http],
        udp: vec![http],
        http_num_acceptors: 1,
        http_max_connections: 1_000,
        udp_workers: 1,
        db_cache_size: 20_000,
        max_peers: 200_000,
        ..Config::default()
    }
}

impl Server {
    /// Binds every address and begins to answer.
    ///
    /// # Errors
    /// Says which address cannot be had, and why; none is kept then.
    pub async fn start(config: Config) -> Result<Self, ServerError> {
        Self::start_with(config, Inherited::default()).await
    }

    /// The same on sockets that the system opened already, of each kind that there are any of.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with(mut config: Config, inherited: Inherited) -> Result<Self, ServerError> {
        let (http, udp) = inherited.addresses();
        if !http.is_empty() {
            config.http.clear();
        }
        if !udp.is_empty() {
            config.udp.clear();
        }
        config.access = lists::load(&config)?;
        let certificate = tls::Certificate::of(&config)?.map(Arc::new);
        let Bound { mut plain, secure, mut sockets } = bind(&config)?;
        for (listener, addr) in inherited.http.into_iter().zip(&http) {
            let listener = TcpListener::from_std(listener);
            plain.push(listener.map_err(|why| ServerError::Listen { addr: *addr, over: "HTTP", why })?);
        }
        sockets.extend(Inherited::groups(inherited.udp));
        config.http.extend(http);
        config.udp.extend(udp);
        let at = |listeners: &[TcpListener]| {
            listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
        };
        let (http, https) = (at(&plain), at(&secure));
        let udp = sockets.iter().filter_map(|group| group.first()?.local_addr().ok()).collect();
        let acceptors = config.http_num_acceptors;
        let shared = Arc::new(Shared::new(config).map_err(ServerError::System)?);
        // What was known before is there again when the first one asks.
        let keeper = match shared.config().state_file.clone() {
            Some(path) => {
                let started = keep::start(&path, &shared);
                Some(started.map_err(|why| ServerError::Keep { path, why })?)
            }
            None => None,
        };
        let cluster = match shared.config().shared_store.clone() {
            Some(url) => Some(cluster::start(&url, &shared)?),
            None => None,
        };
        let workers = udp::Workers::start(&shared, sockets).map_err(ServerError::System)?;
        let mut tasks = JoinSet::new();
        let plain = plain.into_iter().map(|listener| (listener, None));
        let secure = secure.into_iter().map(|listener| (listener, certificate.clone()));
        for (listener, certificate) in plain.chain(secure) {
            let listener = Arc::new(listener);
            for _ in 0..acceptors {
                tasks.spawn(http::accept(Arc::clone(&shared), Arc::clone(&listener), certificate.clone()));
            }
        }
        tasks.spawn(clean(Arc::clone(&shared)));
        tasks.spawn(sample(Arc::clone(&shared)));
        // Where swarms are shared the keys are, too.
        if cluster.is_none() {
            tasks.spawn(rotate(Arc::clone(&shared)));
        }
        tasks.spawn(lists::watch(Arc::clone(&shared)));
        let server = Self { shared, http, https, udp, certificate, tasks, workers, keeper, cluster };
        tracing::info!(http = ?server.http, https = ?server.https, udp = ?server.udp, "the tracker answers");
        Ok(server)
    }

    /// Where HTTP is answered.
    pub fn http_addresses(&self) -> Vec<SocketAddr> {
        self.http.clone()
    }

    /// Where HTTPS is answered.
    pub fn https_addresses(&self) -> Vec<SocketAddr> {
        self.https.clone()
    }

    /// Where UDP is answered.
    pub fn udp_addresses(&self) -> Vec<SocketAddr> {
        self.udp.clone()
    }

    /// The announce URLs of those addresses.
    pub fn urls(&self) -> Vec<String> {
        urls::announce_urls(&[("http", &self.http), ("https", &self.https), ("udp", &self.udp)])
    }

    /// A look at the tracker from elsewhere, for as long as it runs.
    pub fn observer(&self) -> Observer {
        let answer_max_peers = self.shared.config().answer_max_peers;
        Observer { shared: Arc::clone(&self.shared), urls: self.urls(), answer_max_peers }
    }

    /// What the tracker does, for a window; `names` knows what a torrent is called.
    pub fn view(&self, names: impl Fn(&InfoHash) -> Option<String>) -> HostedTracker {
        let swarms = self.shared.tracker.largest(1_000);
        HostedTracker {
            running: true,
            fault: None,
            urls: self.urls(),
            swarms: swarms
                .into_iter()
                .map(|(info_hash, counts)| HostedSwarm {
                    name: names(&info_hash),
                    info_hash,
                    seeders: counts.complete,
                    leechers: counts.incomplete,
                    downloaded: counts.downloaded,
                })
                .collect(),
            last_minute: self.shared.tracker.last_minute(),
            counters: self
                .shared
                .tracker
                .figures()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }

    /// Keeps to other rules from now on, without losing a swarm. Addresses and numbers of tasks stay until the next start;
    /// gives whether they would be others.
    ///
    /// # Errors
    /// Where a list or a certificate that the configuration names cannot be used; everything stays as it was then.
    pub fn reload(&self, mut config: Config) -> Result<bool, ServerError> {
        config.access = lists::load(&config)?;
        if let Some(certificate) = &self.certificate {
            certificate.reload(&config)?;
        }
        Ok(self.shared.reload(config))
    }

    /// Closes every socket and waits until nothing runs any more.
    pub async fn stop(mut self) {
        self.workers.stop();
        self.tasks.shutdown().await;
        if let Some(cluster) = &mut self.cluster {
            cluster.stop();
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.stop();
        }
        tracing::info!("the tracker has stopped");
    }
}

/// Everything that is listened at.
struct Bound {
    plain: Vec<TcpListener>,
    secure: Vec<TcpListener>,
    /// A group for each address.
    sockets: Vec<Vec<std::net::UdpSocket>>,
}

/// Binds everything. A port that the system chose for HTTP may be taken over UDP; then both are chosen again.
fn bind(config: &Config) -> Result<Bound, ServerError> {
    let shares_port = |udp: &SocketAddr| udp.port() == 0 && config.http.contains(udp);
    let tries = if config.udp.iter().any(shares_port) { 16 } else { 1 };
    let mut last = bind_once(config);
    for _ in 1..tries {
        match &last {
            Err(ServerError::Listen { over: "UDP", why, .. }) if why.kind() == io::ErrorKind::AddrInUse => {
                last = bind_once(config);
            }
            _ => break,
        }
    }
    last
}

fn bind_once(config: &Config) -> Result<Bound, ServerError> {
    let listen = |over: &'static str, addresses: &[SocketAddr]| -> Result<Vec<TcpListener>, ServerError> {
        let error = |addr, why| ServerError::Listen { addr, over, why };
        addresses.iter().map(|addr| listen_at(*addr).map_err(|why| error(*addr, why))).collect()
    };
    let (plain, secure) = (listen("HTTP", &config.http)?, listen("HTTPS", &config.https)?);
    let mut sockets = Vec::new();
    for addr in &config.udp {
        let mut at = *addr;
        if at.port() == 0
            && let Some(which) = config.http.iter().position(|http| http == addr)
        {
            let bound = plain[which].local_addr();
            at.set_port(bound.map_err(|why| ServerError::Listen { addr: at, over: "UDP", why })?.port());
        }
        let group = udp::bind(at, config.udp_workers);
        sockets.push(group.map_err(|why| ServerError::Listen { addr: at, over: "UDP", why })?);
    }
    Ok(Bound { plain, secure, sockets })
}

fn listen_at(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows this would let another program take the port while we hold it.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(4_096)?;
    TcpListener::from_std(socket.into())
}

/// Notes how things stand, for the page that plots it.
async fn sample(shared: Arc<Shared>) {
    let period = Duration::from_secs(u64::from(Tracker::<Locked>::SAMPLE_SECS));
    loop {
        shared.tracker.sample();
        tokio::time::sleep(period).await;
    }
}

/// Gives every hour a key for connection ids before it begins.
async fn rotate(shared: Arc<Shared>) {
    let mut known = None;
    loop {
        let next = ConnectionIds::hour(shared.now()) + 1;
        if known != Some(next)
            && let Ok(key) = secret()
        {
            shared.tracker.connection_ids().set_key(next, key);
            known = Some(next);
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

/// Removes silent peers, a shard at a time: all within an eighth of the time after which a peer counts as silent.
async fn clean(shared: Arc<Shared>) {
    let turns = shared.tracker.turns();
    for turn in 0.. {
        let silence = shared.config().clean_interval;
        let round = Duration::from_secs(u64::from(silence / 8).clamp(1, 300));
        tokio::time::sleep(round / turns as u32).await;
        shared.tracker.clean(&shared.config(), turn, shared.now());
        if turn % turns == turns - 1 {
            let gauges = shared.tracker.gauges();
            tracing::debug!(torrents = gauges.torrents, peers = gauges.peers(), "cleaned");
        }
    }
}
