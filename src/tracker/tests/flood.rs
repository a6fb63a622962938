//! What strangers make up fills no memory and costs no real swarm its peers.

use std::net::IpAddr;

use super::{Bench, announce, announce_bytes};
use crate::base::{InfoHash, Rng, Span};
use crate::tracker::{Asker, Config};
use crate::wire::tracker::Event;
use crate::wire::tracker_udp::{self as udp, Response};

/// Announces of made-up torrents and of made-up peers in turn, while real swarms go on; checks that they do and what stays.
fn flood(config: Config, queries: u32) -> Bench {
    let mut bench = Bench::new(config);
    let mut rng = Rng::new(9);
    let real = |number: u32| {
        let mut hash = InfoHash([0xee; 20]);
        hash.0[..4].copy_from_slice(&(number % 50).to_be_bytes());
        hash
    };
    let send = |bench: &mut Bench, ip: IpAddr, info_hash: InfoHash, port: u16| {
        let id = bench.tracker.connection_ids().issue(ip, bench.now);
        let bytes = announce_bytes(id, udp::Announce { info_hash, port, ..announce(1, Event::Started, 5) });
        let asker = Asker { ip, local: None, now: bench.now, config: &bench.config };
        let mut out = Vec::new();
        bench.tracker.datagram(&asker, 5_000, &bytes, &mut bench.rng, &mut out);
        match Response::parse(&out) {
            Some(Response::Announce { peers, .. }) => Some(peers.len() / 6),
            _ => None,
        }
    };
    for number in 0..50 * 30 {
        send(&mut bench, [81, 2, (number / 50) as u8, 1].into(), real(number), 6_881);
    }
    for number in 0..queries {
        let mut info_hash = InfoHash([0xdd; 20]);
        // One half are torrents that nobody has; the other half are peers that do not exist, of a torrent that does.
        if number % 2 == 0 {
            rng.fill(&mut info_hash.0);
        } else {
            info_hash.0[0] = (number % 7) as u8;
        }
        send(&mut bench, rng.bits32().to_be_bytes().into(), info_hash, 1 + (rng.bits32() >> 17) as u16);
        if number % 1_000 == 0 {
            bench.now += Span::from_millis(10);
            let number = number / 1_000;
            let from = [81, 2, (number / 50 % 30) as u8, 1].into();
            assert_eq!(send(&mut bench, from, real(number), 6_881), Some(29), "query {number}");
        }
    }
    bench
}

#[test]
fn a_flood_leaves_real_swarms_and_its_traces_are_bounded() {
    let config = Config { db_cache_size: 20_000, max_peers: 60_000, ..Config::default() };
    let bench = flood(Config { rate_limit: 0, max_peers_per_torrent: 5_000, ..config }, 300_000);
    assert!(bench.figure("torrents") <= 20_000 && bench.figure("peers") <= 60_000);
    assert!(bench.figure("torrents") >= 5_000, "what it may hold, it holds");
    assert!(bench.figure("rejected") > 0);
}

#[test]
#[ignore = "takes a minute and more than half a gigabyte: cargo test --release -- --ignored ten_million --nocapture"]
#[expect(clippy::print_stdout, reason = "the figure is what this is for")]
fn ten_million_false_queries_take_no_more_than_the_limits_allow() {
    let memory = || {
        let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        status.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4 / 1_024
    };
    let before = memory();
    // Both halves of the default limits: a million torrents, five million peers.
    let bench = flood(Config { rate_limit: 0, ..Config::default() }, 20_000_000);
    let more = memory() - before;
    let (torrents, peers) = (bench.figure("torrents"), bench.figure("peers"));
    println!("{more} MiB for {torrents} torrents and {peers} peers");
    assert!(torrents <= 1_000_000 && peers <= 5_000_000);
    assert!(more < 600, "{more} MiB");
}
