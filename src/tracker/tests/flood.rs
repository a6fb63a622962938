//! What strangers make up fills no more memory than the limits say, and costs no real swarm its peers.
#![expect(clippy::print_stdout, reason = "the figures are worth reading")]

use std::net::IpAddr;
use std::process::{Command, Stdio};

use super::{Bench, announce, announce_bytes};
use crate::base::{InfoHash, Rng, Span};
use crate::tracker::{Asker, Config, Request};
use crate::wire::tracker::Event;
use crate::wire::tracker_udp::{self as udp, Response};

/// How made-up queries come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Over UDP, from IPv4 and IPv6 in turn.
    Udp,
    /// Over HTTP from IPv6, with peer ids: what takes the most memory.
    Http,
}

impl Bench {
    /// Announces over UDP; gives how many peers came, nothing where it was refused.
    fn over_udp(&mut self, ip: IpAddr, info_hash: InfoHash, port: u16) -> Option<usize> {
        let id = self.tracker.connection_ids().issue(ip, self.now);
        let bytes = announce_bytes(id, udp::Announce { info_hash, port, ..announce(1, Event::Started, 5) });
        let asker = Asker { ip, local: None, now: self.now, config: &self.config };
        let mut out = Vec::new();
        self.tracker.datagram(&asker, 5_000, &bytes, &mut self.rng, &mut out);
        match Response::parse(&out) {
            Some(Response::Announce { peers, .. }) => Some(peers.len() / 6),
            _ => None,
        }
    }

    fn over_http(&mut self, ip: IpAddr, info_hash: InfoHash, port: u16, target: &mut String) {
        target.clear();
        target.push_str("/announce?peer_id=-XX0000-000000000009&compact=1&left=5&info_hash=");
        crate::wire::tracker_http::encode_component(&info_hash.0, target);
        target.push_str("&port=");
        target.push_str(&port.to_string());
        let request = Request::get(target.as_bytes());
        let asker = Asker { ip, local: None, now: self.now, config: &self.config };
        self.tracker.respond(&asker, &request, &mut self.rng, &mut Vec::new());
    }
}

/// Announces of made-up torrents and of made-up peers in turn, while real swarms go on; checks that they do.
fn flood(config: Config, queries: u32, way: Way) -> Bench {
    let mut bench = Bench::new(config);
    let mut rng = Rng::new(9);
    let real = |number: u32| {
        let mut hash = InfoHash([0xee; 20]);
        hash.0[..4].copy_from_slice(&(number % 50).to_be_bytes());
        hash
    };
    for number in 0..50 * 30 {
        bench.over_udp([81, 2, (number / 50) as u8, 1].into(), real(number), 6_881);
    }
    let mut target = String::new();
    for number in 0..queries {
        let mut info_hash = InfoHash([0xdd; 20]);
        // One half are torrents that nobody has; the other half are peers that do not exist, of a torrent that does.
        if number % 2 == 0 {
            rng.fill(&mut info_hash.0);
        } else {
            info_hash.0[..2].copy_from_slice(&(rng.bits32() as u16 & 0x3ff).to_be_bytes());
        }
        let (low, port) = (rng.bits32(), 1 + (rng.bits32() >> 17) as u16);
        let six = [0x2001, 0xdb8, (low >> 16) as u16, low as u16, 0, 0, 0, 1];
        match way {
            Way::Udp if number / 2 % 2 == 0 => _ = bench.over_udp(low.to_be_bytes().into(), info_hash, port),
            Way::Udp => _ = bench.over_udp(six.into(), info_hash, port),
            Way::Http => bench.over_http(six.into(), info_hash, port, &mut target),
        }
        if number % 1_000 == 0 {
            bench.now += Span::from_millis(10);
            let number = number / 1_000;
            let from = [81, 2, (number / 50 % 30) as u8, 1].into();
            assert_eq!(bench.over_udp(from, real(number), 6_881), Some(29), "query {number}");
        }
    }
    bench
}

/// Bytes that this process has in use; nothing where the system does not say.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1_024)
}

/// Floods a tracker with so many made-up torrents and as many made-up peers in each way, in a process of its own, whose memory
/// holds nothing else. `name` is that of the test that calls this.
fn flood_alone(name: &str, config: Config, queries: u32) {
    const WAY: &str = "FYRIS_FLOOD";
    let ways = [("udp", Way::Udp), ("http", Way::Http)];
    let Ok(wanted) = std::env::var(WAY) else {
        let binary = std::env::current_exe().expect("this program has a file");
        let test = format!("{}::{name}", module_path!().split_once("::").expect("a room").1);
        let start = |(way, _)| {
            let mut command = Command::new(&binary);
            command.args(["--exact", &test, "--include-ignored", "--nocapture"]).env(WAY, way);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("this program can be run")
        };
        for run in ways.map(start) {
            let run = run.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
            assert!(said.contains("1 passed"), "{said}");
            said.lines().filter(|line| line.contains("MiB")).for_each(|line| println!("{line}"));
        }
        return;
    };
    let (_, way) = ways.into_iter().find(|(name, _)| *name == wanted).expect("a way");
    let config = Config { rate_limit: 0, ..config };
    let before = memory();
    let bench = flood(config, 2 * queries, way);
    let (torrents, peers) = (bench.figure("torrents"), bench.figure("peers"));
    let (most_torrents, most_peers) = (bench.config.db_cache_size.into(), bench.config.max_peers.into());
    assert!(torrents <= most_torrents && peers <= most_peers, "{torrents} torrents, {peers} peers");
    assert!(peers == most_peers && torrents > most_torrents / 2, "what it may hold, it holds");
    assert!(bench.figure("rejected") > u64::from(queries / 4), "much of it was refused");
    let (Some(before), Some(after)) = (before, memory()) else { return };
    let (used, most) = (after - before, bench.config.memory_bytes());
    println!(
        "{queries} made-up torrents and as many peers over {wanted}: {} MiB in use for {torrents} torrents and {peers} peers, \
         at most {} MiB",
        used >> 20,
        most >> 20
    );
    assert!(used <= most, "{used} bytes are in use, at most {most} should be");
}

#[test]
fn a_flood_leaves_real_swarms_and_takes_no_more_than_the_limits_allow() {
    let name = "a_flood_leaves_real_swarms_and_takes_no_more_than_the_limits_allow";
    let config = Config { db_cache_size: 20_000, max_peers: 250_000, ..Config::default() };
    flood_alone(name, config, 500_000);
}

/// All of the default limits; `make flood`, and with it `make test`, runs it.
#[test]
#[ignore = "takes minutes: make flood runs it"]
fn ten_million_of_each_take_no_more_than_the_limits_allow() {
    let name = "ten_million_of_each_take_no_more_than_the_limits_allow";
    flood_alone(name, Config::default(), 10_000_000);
}
