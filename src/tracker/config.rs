//! What an operator may choose: etracker's settings by their names, and those that came with UDP and with limits.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use crate::tracker::{Access, Network};

/// The configuration of a tracker. Its file is TOML; every key may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where HTTP is answered; `http_ip`, one address or a list, with `http_port`.
    pub http: Vec<SocketAddr>,
    /// Where HTTPS is answered; `https_ip`, that of HTTP where it is left out, with `https_port`. Nowhere without a port.
    pub https: Vec<SocketAddr>,
    /// `tls_certificate`: the certificate of HTTPS and those that vouch for it, a PEM file.
    pub tls_certificate: Option<PathBuf>,
    /// `tls_key`: its private key, a PEM file.
    pub tls_key: Option<PathBuf>,
    /// Where UDP is answered; `udp_ip` and `udp_port`, those of HTTP where they are left out.
    pub udp: Vec<SocketAddr>,
    /// `http_num_acceptors`: tasks that accept connections.
    pub http_num_acceptors: u32,
    /// `http_max_connections`: connections held open at once.
    pub http_max_connections: u32,
    /// `http_timeout`: seconds for one whole request, and for an idle connection before it is closed.
    pub http_timeout: u32,
    /// `udp_workers`: threads for each UDP address; 0 for one a core.
    pub udp_workers: u32,
    /// `answer_compact`: always give peers in the compact form (BEP 23), whatever the client asks for.
    pub answer_compact: bool,
    /// `answer_max_peers`: the most peers in one answer.
    pub answer_max_peers: u32,
    /// `answer_interval`: seconds between a client's announces.
    pub answer_interval: u32,
    /// `enforce_min_interval`: whether a client that announces again before half of `answer_interval` is over, with nothing
    /// new to say, is refused and told when to come back (BEP 31).
    pub enforce_min_interval: bool,
    /// `scrape_request_interval`: seconds between a client's scrapes.
    pub scrape_request_interval: u32,
    /// `clean_interval`: seconds of silence after which a peer is removed; one and a half `answer_interval` where left out.
    pub clean_interval: u32,
    /// `db_cache_size`: torrents kept in memory; further ones take the place of those that nobody shares.
    pub db_cache_size: u32,
    /// `db_cache_peers_ttl`: seconds for which peers that other machines know count as fresh, where a store is shared.
    pub db_cache_peers_ttl: u32,
    /// `shared_store`: the address of a Valkey or Redis through which several trackers share their swarms, such as
    /// `redis://127.0.0.1:6379/0`; none where it is left out.
    pub shared_store: Option<String>,
    /// `shared_store_prefix`: what the names of everything in it begin with.
    pub shared_store_prefix: String,
    /// `shared_store_interval`: seconds between two exchanges with it.
    pub shared_store_interval: u32,
    /// `max_peers`: peers kept in memory, over all torrents.
    pub max_peers: u32,
    /// `max_peers_per_torrent`: peers kept of one torrent.
    pub max_peers_per_torrent: u32,
    /// `max_scrape_torrents`: torrents in one scrape.
    pub max_scrape_torrents: u32,
    /// `full_scrape`: whether a scrape without info-hashes is answered with all torrents.
    pub full_scrape: bool,
    /// `db_cache_full_scrape_ttl`: seconds for which the answer to a scrape of all torrents is given again, where they are many.
    pub db_cache_full_scrape_ttl: u32,
    /// `rate_limit`: queries a minute from one IPv4 address or IPv6 /64 network; 0 for any number. Loopback has no limit.
    pub rate_limit: u32,
    /// `trusted_proxies`: networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// `accept_ip`: whether a client of a private network may name the address that others reach it at.
    pub accept_ip: bool,
    /// `private`: whether only users with a key are answered; it stands in the path, as in `/KEY/announce`.
    pub private: bool,
    /// `keys_file`: the users' keys, one a line.
    pub keys_file: Option<PathBuf>,
    /// `allow_file`: the only torrents served, one info-hash a line.
    pub allow_file: Option<PathBuf>,
    /// `deny_file`: torrents that are not served, one info-hash a line.
    pub deny_file: Option<PathBuf>,
    /// `state_file`: where swarms are kept, so that they outlive the process; nowhere where it is left out.
    pub state_file: Option<PathBuf>,
    /// `state_interval`: seconds between two savings.
    pub state_interval: u32,
    /// `admin_token`: the secret of whoever manages the tracker over HTTP; without one nobody does.
    pub admin_token: Option<String>,
    /// What the lists say; whoever reads files fills it in.
    pub access: Access,
}

impl Default for Config {
    fn default() -> Self {
        Self::from_keys(Keys::default()).unwrap_or_else(|_| unreachable!("the defaults are in their ranges"))
    }
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is not TOML, or a value is of the wrong kind.
    #[error("the tracker's configuration cannot be read: {0}")]
    Syntax(String),
    /// A key that there is none of.
    #[error("unknown key `{key}`; did you mean `{nearest}`?")]
    Unknown {
        /// As it stands in the file.
        key: String,
        /// The known key that is spelt most like it.
        nearest: &'static str,
    },
    /// A value is out of its range.
    #[error("{key} {why}")]
    Range {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        why: &'static str,
    },
}

impl Config {
    /// Reads the TOML form.
    ///
    /// # Errors
    /// Where it is not TOML, a key is unknown, or a value is out of range.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let syntax = |error: toml::de::Error| ConfigError::Syntax(error.to_string().trim_end().to_owned());
        let table: toml::Table = toml::from_str(text).map_err(syntax)?;
        if let Some(key) = table.keys().find(|key| !NAMES.contains(&key.as_str())) {
            return Err(ConfigError::Unknown { key: key.clone(), nearest: nearest(key) });
        }
        Self::from_keys(toml::from_str(text).map_err(syntax)?)
    }

    /// Bytes that all swarms take at most, whatever is made up: most is taken by a torrent with one to five IPv6 peers that
    /// announced over HTTP, and by further such peers of it.
    pub fn memory_bytes(&self) -> u64 {
        const TORRENT: u64 = 576;
        const PEER: u64 = 80;
        u64::from(self.db_cache_size) * TORRENT + u64::from(self.max_peers) * PEER
    }

    /// Seconds before which no further announce is welcome.
    pub fn min_interval(&self) -> u32 {
        self.answer_interval / 2
    }

    fn from_keys(keys: Keys) -> Result<Self, ConfigError> {
        let range = |key, why| Err(ConfigError::Range { key, why });
        let udp_ip = keys.udp_ip.unwrap_or_else(|| keys.http_ip.clone());
        let udp_port = keys.udp_port.unwrap_or(keys.http_port);
        let sockets = |wanted: bool, ips: &Ips, port| match ips {
            _ if !wanted => Vec::new(),
            Ips::One(ip) => vec![SocketAddr::new(*ip, port)],
            Ips::Many(ips) => ips.iter().map(|ip| SocketAddr::new(*ip, port)).collect(),
        };
        let config = Self {
            http: sockets(keys.http, &keys.http_ip, keys.http_port),
            udp: sockets(keys.udp, &udp_ip, udp_port),
            https: sockets(
                keys.https_port.is_some(),
                keys.https_ip.as_ref().unwrap_or(&keys.http_ip),
                keys.https_port.unwrap_or_default(),
            ),
            tls_certificate: keys.tls_certificate,
            tls_key: keys.tls_key,
            http_num_acceptors: keys.http_num_acceptors,
            http_max_connections: keys.http_max_connections,
            http_timeout: keys.http_timeout,
            udp_workers: keys.udp_workers,
            answer_compact: keys.answer_compact,
            answer_max_peers: keys.answer_max_peers,
            answer_interval: keys.answer_interval,
            enforce_min_interval: keys.enforce_min_interval,
            scrape_request_interval: keys.scrape_request_interval,
            clean_interval: keys.clean_interval.unwrap_or(keys.answer_interval.saturating_mul(3) / 2),
            db_cache_size: keys.db_cache_size,
            db_cache_peers_ttl: keys.db_cache_peers_ttl,
            shared_store: keys.shared_store,
            shared_store_prefix: keys.shared_store_prefix,
            shared_store_interval: keys.shared_store_interval,
            max_peers: keys.max_peers,
            max_peers_per_torrent: keys.max_peers_per_torrent,
            max_scrape_torrents: keys.max_scrape_torrents,
            full_scrape: keys.full_scrape,
            db_cache_full_scrape_ttl: keys.db_cache_full_scrape_ttl,
            rate_limit: keys.rate_limit,
            trusted_proxies: keys.trusted_proxies,
            accept_ip: keys.accept_ip,
            private: keys.private,
            keys_file: keys.keys_file,
            allow_file: keys.allow_file,
            deny_file: keys.deny_file,
            state_file: keys.state_file,
            state_interval: keys.state_interval,
            admin_token: keys.admin_token,
            // Until the lists are read nobody is let in who may not be.
            access: Access { keys: keys.private.then(Arc::default), ..Access::default() },
        };
        if config.http.is_empty() && config.udp.is_empty() && config.https.is_empty() {
            return range("http", "and udp are both switched off; a tracker needs one of them");
        }
        if !config.https.is_empty() && (config.tls_certificate.is_none() || config.tls_key.is_none()) {
            return range("https_port", "needs tls_certificate and tls_key");
        }
        // A datagram holds about 240 IPv4 peers without being split, and 3,600 at all.
        if !(1..=1_000).contains(&config.answer_max_peers) {
            return range("answer_max_peers", "must lie between 1 and 1000");
        }
        for (key, secs) in
            [("answer_interval", config.answer_interval), ("clean_interval", config.clean_interval)]
        {
            if !(1..=604_800).contains(&secs) {
                return range(key, "must lie between 1 second and one week (604800)");
            }
        }
        if !(1..=3_600).contains(&config.state_interval) {
            return range("state_interval", "must lie between 1 and 3600 seconds");
        }
        if !(1..=3_600).contains(&config.shared_store_interval) {
            return range("shared_store_interval", "must lie between 1 and 3600 seconds");
        }
        let is_store = |url: &String| url.starts_with("redis://") || url.starts_with("unix://");
        if !config.shared_store.as_ref().is_none_or(is_store) {
            return range(
                "shared_store",
                "must be an address such as redis://127.0.0.1:6379/0 or unix:///run/redis.sock",
            );
        }
        if !(1..=3_600).contains(&config.http_timeout) {
            return range("http_timeout", "must lie between 1 and 3600 seconds");
        }
        if config.udp_workers > 1_024 {
            return range("udp_workers", "must be at most 1024");
        }
        for (key, number) in [
            ("http_num_acceptors", config.http_num_acceptors),
            ("http_max_connections", config.http_max_connections),
            ("db_cache_size", config.db_cache_size),
            ("max_peers", config.max_peers),
            ("max_peers_per_torrent", config.max_peers_per_torrent),
            ("max_scrape_torrents", config.max_scrape_torrents),
        ] {
            if number == 0 {
                return range(key, "must be at least 1");
            }
        }
        if config.admin_token.as_ref().is_some_and(|token| token.len() < 16) {
            return range("admin_token", "must have at least 16 characters");
        }
        if config.keys_file.is_some() && !config.private {
            return range("keys_file", "needs private = true");
        }
        if config.http_num_acceptors > 1_024 {
            return range("http_num_acceptors", "must be at most 1024");
        }
        Ok(config)
    }
}

/// One address or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "an IP address in quotes, or a list of them")]
enum Ips {
    One(IpAddr),
    Many(Vec<IpAddr>),
}

macro_rules! keys {
    ($($name:ident: $kind:ty = $default:expr),* $(,)?) => {
        /// The file as it is written.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(default)]
        struct Keys { $($name: $kind),* }

        impl Default for Keys {
            fn default() -> Self {
                Self { $($name: $default),* }
            }
        }

        /// Every key there is.
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

keys! {
    http: bool = true,
    udp: bool = true,
    http_ip: Ips = Ips::One(Ipv4Addr::LOCALHOST.into()),
    http_port: u16 = 6969,
    http_num_acceptors: u32 = 16,
    http_max_connections: u32 = 20_000,
    http_timeout: u32 = 20,
    https_ip: Option<Ips> = None,
    https_port: Option<u16> = None,
    tls_certificate: Option<PathBuf> = None,
    tls_key: Option<PathBuf> = None,
    udp_ip: Option<Ips> = None,
    udp_port: Option<u16> = None,
    udp_workers: u32 = 0,
    answer_compact: bool = false,
    answer_max_peers: u32 = 50,
    answer_interval: u32 = 1_800,
    enforce_min_interval: bool = false,
    scrape_request_interval: u32 = 1_800,
    clean_interval: Option<u32> = None,
    db_cache_size: u32 = 1_000_000,
    db_cache_peers_ttl: u32 = 120,
    shared_store: Option<String> = None,
    shared_store_prefix: String = "fyris".to_owned(),
    shared_store_interval: u32 = 1,
    max_peers: u32 = 5_000_000,
    max_peers_per_torrent: u32 = 1_000_000,
    max_scrape_torrents: u32 = 100,
    full_scrape: bool = true,
    db_cache_full_scrape_ttl: u32 = 600,
    rate_limit: u32 = 6_000,
    trusted_proxies: Vec<Network> = Vec::new(),
    accept_ip: bool = false,
    private: bool = false,
    keys_file: Option<PathBuf> = None,
    allow_file: Option<PathBuf> = None,
    deny_file: Option<PathBuf> = None,
    state_file: Option<PathBuf> = None,
    state_interval: u32 = 5,
    admin_token: Option<String> = None,
}

/// The known key with the fewest letters changed.
fn nearest(key: &str) -> &'static str {
    NAMES.iter().min_by_key(|name| distance(key, name)).copied().unwrap_or_default()
}

/// Letters to be changed, added or left out on the way from one word to the other (Levenshtein's distance).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in to.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let config = Config::from_toml("").expect("nothing is required");
        assert_eq!(config, Config::default());
        assert_eq!(config.http, ["127.0.0.1:6969".parse().expect("an address")]);
        assert_eq!((config.udp, config.clean_interval), (config.http, 2_700));
    }

    #[test]
    fn the_keys_of_etracker_do_what_they_say() {
        let config = Config::from_toml(
            "http_ip = \"0.0.0.0\"\nhttp_port = 8080\nhttp_num_acceptors = 2\nanswer_compact = true\n\
             answer_max_peers = 7\nanswer_interval = 60\nscrape_request_interval = 30\nclean_interval = 61\n\
             db_cache_size = 10\ndb_cache_peers_ttl = 0\nudp_ip = [\"127.0.0.1\", \"::1\"]\n",
        )
        .expect("a good file");
        assert_eq!(config.http, ["0.0.0.0:8080".parse().expect("an address")]);
        assert_eq!(config.udp.len(), 2);
        assert!(config.udp.contains(&"[::1]:8080".parse().expect("an address")));
        assert!(config.answer_compact);
        assert_eq!((config.answer_max_peers, config.answer_interval, config.clean_interval), (7, 60, 61));
        assert_eq!(Config::from_toml("answer_interval = 60").expect("good").clean_interval, 90);
    }

    #[test]
    fn the_file_that_is_handed_out_names_every_key_with_its_default() {
        let file = include_str!("../../packaging/tracker/tracker.toml");
        let lines = || file.lines().filter_map(|line| line.strip_prefix('#'));
        for name in NAMES {
            let stands = lines().filter(|line| line.starts_with(&format!("{name} = "))).count();
            assert_eq!(stands, 1, "{name}");
        }
        // What nobody has unless he names it is shown with an example.
        let examples = [
            "https_port",
            "tls_certificate",
            "tls_key",
            "shared_store ",
            "state_file",
            "keys_file",
            "allow_file",
            "deny_file",
            "admin_token",
            "https_ip",
        ];
        let is_setting = |line: &&str| line.split(" = ").next().is_some_and(|name| NAMES.contains(&name));
        let is_example = |line: &str| examples.iter().any(|name| line.starts_with(name));
        let defaults: Vec<&str> = lines().filter(is_setting).filter(|line| !is_example(line)).collect();
        assert_eq!(defaults.len(), NAMES.len() - examples.len());
        assert_eq!(Config::from_toml(&defaults.join("\n")), Ok(Config::default()));
        let all: Vec<&str> = lines().filter(is_setting).collect();
        let all = all.join("\n").replace("private = false", "private = true");
        assert!(Config::from_toml(&all).is_ok_and(|config| config.https.len() == 1));
    }

    #[test]
    fn unknown_keys_and_wild_values_are_refused_in_one_sentence() {
        let says = |text: &str| Config::from_toml(text).expect_err("a bad file").to_string();
        assert_eq!(
            says("answer_intervall = 5"),
            "unknown key `answer_intervall`; did you mean `answer_interval`?"
        );
        assert_eq!(says("http_prot = 5"), "unknown key `http_prot`; did you mean `http_port`?");
        assert_eq!(says("answer_max_peers = 0"), "answer_max_peers must lie between 1 and 1000");
        assert_eq!(
            says("http = false\nudp = false"),
            "http and udp are both switched off; a tracker needs one of them"
        );
        assert!(says("http_ip = \"nowhere\"").contains("an IP address in quotes"));
        for bad in ["http_port = 70000", "x", "answer_interval = -1", "db_cache_size = 0", "[http]"] {
            assert!(Config::from_toml(bad).is_err(), "{bad}");
        }
    }
}
