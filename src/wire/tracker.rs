//! What clients and trackers tell each other, whatever carries it: HTTP ([`tracker_http`](crate::wire::tracker_http)) or UDP
//! ([`tracker_udp`](crate::wire::tracker_udp)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::base::{InfoHash, PeerId};

/// Why a client announces (BEP 3, 21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The interval is over.
    #[default]
    None,
    /// The download is complete now.
    Completed,
    /// The client begins.
    Started,
    /// The client ends.
    Stopped,
    /// The client wants no more pieces though some are missing: a partial seed (BEP 21).
    Paused,
}

/// What a client tells in an announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// The torrent.
    pub info_hash: InfoHash,
    /// The client, for this session.
    pub peer_id: PeerId,
    /// The TCP port it listens on.
    pub port: u16,
    /// Bytes uploaded since `started`.
    pub uploaded: u64,
    /// Bytes downloaded since `started`.
    pub downloaded: u64,
    /// Bytes still missing; zero for a seed.
    pub left: u64,
    /// Why now.
    pub event: Event,
    /// Peers wanted.
    pub numwant: u32,
    /// A secret that proves to the tracker that a later announce from another address is the same client.
    pub key: u32,
    /// What the tracker asked to be told again (BEP 3).
    pub tracker_id: Option<Vec<u8>>,
}

/// What a tracker answers; a scrape fills the counts only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Peers that may be connected to.
    pub peers: Vec<SocketAddr>,
    /// Seconds until the next announce.
    pub interval_secs: Option<u32>,
    /// Seconds before which no further announce is welcome.
    pub min_interval_secs: Option<u32>,
    /// Seeds.
    pub complete: Option<u32>,
    /// Downloaders.
    pub incomplete: Option<u32>,
    /// Downloads that were ever finished.
    pub downloaded: Option<u32>,
    /// The client's address as the tracker sees it (BEP 24).
    pub external_ip: Option<IpAddr>,
    /// A remark for the user.
    pub warning: Option<String>,
    /// What the tracker wants to be told again.
    pub tracker_id: Option<Vec<u8>>,
}

/// One torrent's counts in a scrape (BEP 48).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Seeds.
    pub complete: u32,
    /// Downloads that were ever finished.
    pub downloaded: u32,
    /// Those of the incomplete that want what they lack, where the tracker tells them apart (BEP 21).
    pub downloaders: Option<u32>,
    /// Peers that lack something.
    pub incomplete: u32,
}

/// When a tracker that refuses may be asked again (BEP 31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryIn {
    /// After so many minutes.
    Minutes(u32),
    /// Not again.
    Never,
}

/// An answer that brings nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It does not read.
    #[error("the tracker's answer does not read: {0}")]
    Malformed(&'static str),
    /// The tracker said no.
    #[error("{reason}")]
    Refused {
        /// In its own words, made fit to be shown.
        reason: String,
        /// Whether and when to come back.
        retry_in: Option<RetryIn>,
    },
}

/// Appends a peer in the compact form: 6 bytes for IPv4, 18 for IPv6 (BEP 7, 23).
pub fn put_compact(peer: SocketAddr, out: &mut Vec<u8>) {
    match peer.ip() {
        IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
    }
    out.extend_from_slice(&peer.port().to_be_bytes());
}

/// Adds the peers of a compact IPv4 string, skipping what is no peer. Bytes after the last whole peer are ignored.
pub fn take_compact_v4(bytes: &[u8], peers: &mut Vec<SocketAddr>) {
    for entry in bytes.as_chunks::<6>().0 {
        let [a, b, c, d, high, low] = *entry;
        add_peer(peers, SocketAddr::from((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]))));
    }
}

/// The same for a compact IPv6 string.
pub fn take_compact_v6(bytes: &[u8], peers: &mut Vec<SocketAddr>) {
    for entry in bytes.as_chunks::<18>().0 {
        let [ip @ .., high, low] = *entry;
        let ip = Ipv6Addr::from(ip).to_canonical();
        add_peer(peers, SocketAddr::from((ip, u16::from_be_bytes([high, low]))));
    }
}

/// Keeps a peer that can be one, up to [`PEERS`].
pub(crate) fn add_peer(peers: &mut Vec<SocketAddr>, peer: SocketAddr) {
    let reachable = match peer.ip() {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast(),
    };
    if reachable && peer.port() != 0 && peers.len() < PEERS {
        peers.push(peer);
    }
}

/// Peers kept from one answer.
pub const PEERS: usize = 1_000;

/// Characters kept of a tracker's words.
pub(crate) const WORDS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_peers_survive_the_wire_and_junk_does_not() {
        let v4: Vec<SocketAddr> =
            ["1.2.3.4:5", "127.0.0.1:65535"].iter().map(|text| text.parse().expect("an address")).collect();
        let v6: Vec<SocketAddr> =
            ["[2001:db8::1]:6881"].iter().map(|text| text.parse().expect("an address")).collect();
        let (mut four, mut six) = (Vec::new(), Vec::new());
        v4.iter().for_each(|peer| put_compact(*peer, &mut four));
        v6.iter().for_each(|peer| put_compact(*peer, &mut six));
        for junk in ["1.2.3.4:0", "0.0.0.0:1", "224.0.0.1:9", "255.255.255.255:9"] {
            put_compact(junk.parse().expect("an address"), &mut four);
        }
        put_compact("[ff02::1]:9".parse().expect("an address"), &mut six);
        four.extend([1, 2, 3, 4, 5]);
        let mut peers = Vec::new();
        take_compact_v4(&four, &mut peers);
        take_compact_v6(&six, &mut peers);
        assert_eq!(peers, [v4, v6].concat());
    }

    #[test]
    fn a_flood_of_peers_is_cut() {
        let mut peers = Vec::new();
        take_compact_v4(&[9; 60_000], &mut peers);
        assert_eq!(peers.len(), PEERS);
    }
}
