//! How fast the tracker answers once a datagram is in its hands: 100,000 torrents, 1,000,000 peers, 30 peers an answer.

use std::cell::RefCell;
use std::net::IpAddr;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fyris::base::{InfoHash, Moment, PeerId, Rng, Span};
use fyris::tracker::{Asker, Config, ConnectionIds, Request, Tracker, new_shards};
use fyris::wire::tracker::Event;
use fyris::wire::tracker_udp as udp;

const TORRENTS: u32 = 100_000;
const PEERS: u32 = 1_000_000;

fn announce(number: u32, connection_id: u64) -> Vec<u8> {
    // A few torrents have many peers, most have few.
    let torrent = (u64::from(number).pow(2) % u64::from(TORRENTS)) as u32;
    let mut info_hash = InfoHash::default();
    Rng::new(torrent.into()).fill(&mut info_hash.0);
    let announce = udp::Announce {
        info_hash,
        peer_id: PeerId([1; 20]),
        downloaded: 0,
        left: u64::from(number.is_multiple_of(4)),
        uploaded: 0,
        event: Event::None,
        ip: None,
        key: 0,
        numwant: Some(30),
        port: 1 + (number % 65_535) as u16,
        options: udp::Options(&[]),
    };
    let mut bytes = Vec::new();
    udp::Request::Announce { connection_id, transaction_id: number, announce }.write(&mut bytes);
    bytes
}

fn tracker(bench: &mut Criterion) {
    let mut rng = Rng::new(1);
    let config = Config { rate_limit: 0, ..Config::default() };
    let now = Moment::ZERO + Span::from_secs(1_000_000);
    let shards: Vec<_> = new_shards(&config, now, &mut rng).into_iter().map(RefCell::new).collect();
    let tracker = Tracker::new(shards, ConnectionIds::new([3; 16]), &mut rng);
    let ip = |number: u32| IpAddr::from([81, 2, (number / 65_535) as u8, 1]);
    let mut out = Vec::new();
    let asked = |number: u32| Asker { ip: ip(number), local: None, now, config: &config };
    let bytes = |number: u32| announce(number, tracker.connection_ids().issue(ip(number), now));
    for number in 0..PEERS {
        out.clear();
        tracker.datagram(&asked(number), 5_000, &bytes(number), &mut rng, &mut out);
        assert!(out.len() >= 20);
    }
    assert_eq!(tracker.gauges().peers(), u64::from(PEERS));

    let some: Vec<(u32, Vec<u8>)> =
        (0..10_000).map(|_| rng.below(PEERS as usize) as u32).map(|number| (number, bytes(number))).collect();
    let mut group = bench.benchmark_group("tracker, 1,000,000 peers");
    group.throughput(Throughput::Elements(some.len() as u64));
    group.bench_function("announce, UDP", |bench| {
        bench.iter(|| {
            for (number, bytes) in &some {
                out.clear();
                tracker.datagram(&asked(*number), 5_000, bytes, &mut rng, &mut out);
            }
            out.len()
        });
    });
    let hash = "%61".repeat(20);
    let target = format!(
        "/announce?info_hash={hash}&peer_id=-XX0000-000000000001&port=6001&uploaded=0&downloaded=0&left=1&compact=1&numwant=30"
    );
    let request = Request::get(target.as_bytes());
    group.throughput(Throughput::Elements(1));
    group.bench_function("announce, HTTP", |bench| {
        bench.iter(|| {
            out.clear();
            tracker.respond(&asked(1), &request, &mut rng, &mut out);
            out.len()
        });
    });
    group.finish();
}

criterion_group!(benches, tracker);
criterion_main!(benches);
