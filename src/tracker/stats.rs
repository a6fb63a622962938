//! What the tracker counts: queries since the start, and what is there now.

use std::sync::atomic::{AtomicU64, Ordering};

/// One thing that is counted since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Counter {
    /// Announces accepted.
    Announces,
    /// Scrapes accepted.
    Scrapes,
    /// Queries refused for wrong parameters, among them datagrams with a connection id that is not ours.
    InvalidQueries,
    /// Queries that do not read at all.
    FailedQueries,
    /// Requests for pages that there are none of.
    UnknownQueries,
    /// Peers removed because they fell silent.
    DeletedPeers,
    /// Queries refused because of who asked or what for, or because memory is full.
    Rejected,
    /// Scrapes of all torrents.
    FullScrapes,
    /// Connection ids given out.
    UdpConnections,
    /// Datagrams received.
    UdpReceived,
    /// Datagrams sent.
    UdpSent,
    /// Connections accepted.
    HttpConnections,
    /// Connections closed because there were too many, or because a request took too long.
    HttpDropped,
    /// Bytes received, payload only.
    BytesIn,
    /// Bytes sent, payload only.
    BytesOut,
    /// Peers told to the shared store.
    StoreTold,
    /// Peers brought or taken by the shared store.
    StoreHeard,
    /// Exchanges with the shared store that failed.
    StoreFailures,
}

impl Counter {
    /// All of them with the names that statistics show.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Announces, "announces"),
        (Self::Scrapes, "scrapes"),
        (Self::InvalidQueries, "invalid_queries"),
        (Self::FailedQueries, "failed_queries"),
        (Self::UnknownQueries, "unknown_queries"),
        (Self::DeletedPeers, "deleted_peers"),
        (Self::Rejected, "rejected"),
        (Self::FullScrapes, "full_scrapes"),
        (Self::UdpConnections, "udp_connections"),
        (Self::UdpReceived, "udp_received"),
        (Self::UdpSent, "udp_sent"),
        (Self::HttpConnections, "http_connections"),
        (Self::HttpDropped, "http_dropped"),
        (Self::BytesIn, "bytes_in"),
        (Self::BytesOut, "bytes_out"),
        (Self::StoreTold, "store_told"),
        (Self::StoreHeard, "store_heard"),
        (Self::StoreFailures, "store_failures"),
    ];
}

/// What was counted since the start; shared by all who count.
#[derive(Debug, Default)]
pub struct Stats([AtomicU64; Counter::ALL.len()]);

impl Stats {
    /// Counts one.
    pub fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Counts several.
    pub fn add(&self, counter: Counter, number: u64) {
        self.0[counter as usize].fetch_add(number, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn value(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }
}

/// What is there now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Torrents known.
    pub torrents: u64,
    /// Complete peers.
    pub seeders: u64,
    /// Incomplete peers.
    pub leechers: u64,
}

impl Gauges {
    /// All peers.
    pub fn peers(&self) -> u64 {
        self.seeders + self.leechers
    }

    /// All figures by their names, in the order in which statistics show them.
    pub fn with(&self, stats: &Stats) -> Vec<(&'static str, u64)> {
        let now = [
            ("torrents", self.torrents),
            ("seeders", self.seeders),
            ("leechers", self.leechers),
            ("peers", self.peers()),
        ];
        let counted = Counter::ALL.map(|(counter, name)| (name, stats.value(counter)));
        now.into_iter().chain(counted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_its_place() {
        let stats = Stats::default();
        for (at, (counter, _)) in Counter::ALL.iter().enumerate() {
            assert_eq!(*counter as usize, at);
            stats.add(*counter, at as u64 + 1);
        }
        let figures = Gauges { torrents: 1, seeders: 2, leechers: 3 }.with(&stats);
        let names: Vec<&str> = figures.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names[..10],
            [
                "torrents",
                "seeders",
                "leechers",
                "peers",
                "announces",
                "scrapes",
                "invalid_queries",
                "failed_queries",
                "unknown_queries",
                "deleted_peers"
            ]
        );
        assert_eq!((figures[3].1, figures[4].1, figures[18].1), (5, 1, 15));
    }
}
