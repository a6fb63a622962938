//! The store against a plain model: whatever is announced, stopped and cleaned, both know the same peers.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use crate::base::{InfoHash, Moment, PeerId, Rng, Span};
use crate::tracker::Config;
use crate::tracker::store::{For, Found, Limits, Note, Saved, Shard, State, Want, new_shards};
use crate::wire::tracker::{take_compact_v4, take_compact_v6};

const FREE: Limits = Limits { torrents: 1_000, peers: 100_000, peers_per_torrent: 100_000 };

fn at(secs: u64) -> Moment {
    Moment::ZERO + Span::from_secs(1_000 + secs)
}

fn shard(limits: Limits) -> Shard {
    Shard::new(limits, Moment::ZERO, &mut Rng::new(1))
}

fn peer(number: u32, six: bool) -> SocketAddr {
    let ip: IpAddr = if six {
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, (number >> 4) as u16].into()
    } else {
        [81, 2, 3, (number >> 4) as u8].into()
    };
    SocketAddr::new(ip, 6881 + (number & 15) as u16)
}

fn note(addr: SocketAddr, state: State) -> Note {
    Note { addr, id: None, state, completed: false, here: false }
}

fn to(addr: SocketAddr) -> For {
    For { ip: addr.ip(), port: addr.port(), id: PeerId([255; 20]), local: None }
}

fn peers(found: &Found<'_>, to: &For) -> Vec<SocketAddr> {
    let (mut four, mut six, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    found.four.write(to, &mut four);
    found.six.write(to, &mut six);
    take_compact_v4(&four, &mut peers);
    take_compact_v6(&six, &mut peers);
    peers
}

#[derive(Clone, Debug)]
enum Step {
    Announce { torrent: u8, peer: u32, six: bool, state: u8, completed: bool, id: bool, want: usize },
    Stop { torrent: u8, peer: u32, six: bool },
    Clean { silence: u64 },
}

fn step(peers: u32) -> impl Strategy<Value = Step> {
    let announce = (0..3_u8, 0..peers, any::<bool>(), 0..3_u8, any::<bool>(), any::<bool>(), 0..80_usize)
        .prop_map(|(torrent, peer, six, state, completed, id, want)| Step::Announce {
            torrent,
            peer,
            six,
            state: if completed { 0 } else { state },
            completed,
            id,
            want,
        });
    prop_oneof![
        12 => announce,
        3 => (0..3_u8, 0..peers, any::<bool>()).prop_map(|(torrent, peer, six)| Step::Stop { torrent, peer, six }),
        1 => (50..400_u64).prop_map(|silence| Step::Clean { silence }),
    ]
}

/// Peers with what they are and when they were heard, and finished downloads, by torrent.
#[derive(Default)]
struct Model {
    peers: BTreeMap<(u8, SocketAddr), (State, u64)>,
    downloaded: BTreeMap<u8, u32>,
}

impl Model {
    fn counts(&self, torrent: u8) -> (u32, u32, u32) {
        let of = |wanted: State| {
            self.peers.iter().filter(|((at, _), (state, _))| *at == torrent && *state == wanted).count()
                as u32
        };
        (of(State::Seed), of(State::Leecher) + of(State::PartialSeed), of(State::Leecher))
    }
}

fn agrees(steps: &[Step], pace: u64) {
    let mut shard = shard(FREE);
    let mut rng = Rng::new(steps.len() as u64);
    let mut model = Model::default();
    for (turn, step) in steps.iter().enumerate() {
        let secs = turn as u64 * pace;
        match *step {
            Step::Announce { torrent, peer: number, six, state, completed, id, want } => {
                let addr = peer(number, six);
                let state = [State::Seed, State::PartialSeed, State::Leecher][usize::from(state)];
                let before = model.peers.insert((torrent, addr), (state, secs));
                if completed && before.is_none_or(|(state, _)| state != State::Seed) {
                    *model.downloaded.entry(torrent).or_default() += 1;
                }
                let id = id.then_some(PeerId([(number % 250) as u8; 20]));
                let note = Note { addr, id, state, completed, here: false };
                let want_seed = Want { peers: want, seed: state == State::Seed };
                let noted =
                    shard.announce(InfoHash([torrent; 20]), note, want_seed, true, at(secs), &mut rng);
                assert!(noted.stored);
                let given = peers(&noted.found, &to(addr));
                let known: Vec<SocketAddr> =
                    model.peers.keys().filter(|(at, _)| *at == torrent).map(|(_, addr)| *addr).collect();
                assert!(!given.contains(&addr), "never itself");
                assert!(given.iter().all(|peer| known.contains(peer)), "only who is there");
                let mut once = given.clone();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), given.len(), "each once");
                assert_eq!(given.len(), want.min(known.len() - 1), "as many as there are");
            }
            Step::Stop { torrent, peer: number, six } => {
                model.peers.remove(&(torrent, peer(number, six)));
                shard.stop(InfoHash([torrent; 20]), peer(number, six), at(secs));
            }
            Step::Clean { silence } => {
                let before = model.peers.len();
                model.peers.retain(|_, (_, heard)| *heard + silence >= secs);
                let removed = shard.clean(Span::from_secs(silence), at(secs));
                assert_eq!(removed, before - model.peers.len());
            }
        }
        let (mut seeders, mut leechers) = (0, 0);
        for torrent in 0..3 {
            let counts = shard.counts(&InfoHash([torrent; 20])).unwrap_or_default();
            let expected = model.counts(torrent);
            assert_eq!((counts.complete, counts.incomplete, counts.downloaders), expected);
            seeders += u64::from(counts.complete);
            leechers += u64::from(counts.incomplete);
        }
        let gauges = shard.gauges();
        assert_eq!((gauges.seeders, gauges.leechers), (seeders, leechers));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn small_swarms_agree_with_the_model(steps in prop::collection::vec(step(6), 0..120)) {
        agrees(&steps, 7);
    }

    #[test]
    fn large_swarms_agree_with_the_model(steps in prop::collection::vec(step(400), 300..700)) {
        agrees(&steps, 1);
    }
}

#[test]
fn a_repeated_completed_counts_once() {
    let mut shard = shard(FREE);
    let hash = InfoHash([1; 20]);
    let mut rng = Rng::new(1);
    let done = Note { completed: true, ..note(peer(1, false), State::Seed) };
    for _ in 0..3 {
        shard.announce(hash, done, Want { peers: 9, seed: true }, true, at(0), &mut rng);
    }
    assert_eq!(shard.counts(&hash).map(|counts| (counts.complete, counts.downloaded)), Some((1, 1)));
    // What was finished here is remembered for a while after the last peer has gone.
    shard.stop(hash, peer(1, false), at(0));
    assert_eq!(shard.counts(&hash).map(|counts| (counts.complete, counts.downloaded)), Some((0, 1)));
    shard.clean(Span::from_secs(100), at(290));
    assert!(shard.counts(&hash).is_some());
    shard.clean(Span::from_secs(100), at(301));
    assert_eq!(shard.counts(&hash), None);
}

#[test]
fn seeds_are_given_to_downloaders_and_downloaders_to_seeds() {
    let mut shard = shard(FREE);
    let (hash, mut rng) = (InfoHash([1; 20]), Rng::new(1));
    for number in 0..200 {
        let state = if number < 100 { State::Seed } else { State::Leecher };
        let want = Want { peers: 0, seed: false };
        shard.announce(hash, note(peer(number, false), state), want, true, at(0), &mut rng);
    }
    let mut given = |number: u32, state: State| {
        let addr = peer(number, false);
        let want = Want { peers: 40, seed: state == State::Seed };
        let noted = shard.announce(hash, note(addr, state), want, true, at(0), &mut rng);
        let given = peers(&noted.found, &to(addr));
        let seeds = given.iter().filter(|addr| (0..100).any(|number| peer(number, false) == **addr)).count();
        (seeds, given.len())
    };
    assert_eq!(given(150, State::Leecher), (20, 40));
    assert_eq!(given(50, State::Seed), (0, 40));
}

#[test]
fn every_peer_of_a_large_swarm_is_given_out_in_time() {
    let mut shard = shard(FREE);
    let (hash, mut rng) = (InfoHash([1; 20]), Rng::new(1));
    let mut seen = std::collections::BTreeSet::new();
    for turn in 0..3_000 {
        let addr = peer(turn % 500, false);
        let state = if turn % 3 == 0 { State::Seed } else { State::Leecher };
        let want = Want { peers: 30, seed: state == State::Seed };
        let noted = shard.announce(hash, note(addr, state), want, true, at(0), &mut rng);
        seen.extend(peers(&noted.found, &to(addr)));
    }
    assert_eq!(seen.len(), 500);
}

#[test]
fn a_flood_of_made_up_torrents_leaves_real_ones() {
    let mut shard = shard(Limits { torrents: 1_000, peers: 4_000, peers_per_torrent: 100 });
    let (real, mut rng) = (InfoHash([7; 20]), Rng::new(1));
    let want = Want { peers: 50, seed: false };
    for number in 0..20 {
        shard.announce(real, note(peer(number, false), State::Leecher), want, true, at(0), &mut rng);
    }
    for _ in 0..50_000 {
        let mut hash = InfoHash::default();
        rng.fill(&mut hash.0);
        let from = peer(rng.bits32(), false);
        shard.announce(hash, note(from, State::Leecher), want, true, at(1), &mut rng);
    }
    let gauges = shard.gauges();
    assert!(gauges.torrents <= 1_000 && gauges.peers() <= 4_000, "{gauges:?}");
    let addr = peer(3, false);
    let noted = shard.announce(real, note(addr, State::Leecher), want, true, at(2), &mut rng);
    assert!(noted.stored);
    assert_eq!(peers(&noted.found, &to(addr)).len(), 19);
}

#[test]
fn a_flood_of_made_up_peers_stays_within_the_limit() {
    let mut shard = shard(Limits { torrents: 10, peers: 4_000, peers_per_torrent: 100 });
    let (hash, mut rng) = (InfoHash([7; 20]), Rng::new(1));
    let want = Want { peers: 50, seed: false };
    let mut refused = 0;
    for number in 0..5_000_u32 {
        let addr = SocketAddr::from((number.to_be_bytes(), 1));
        let noted = shard.announce(hash, note(addr, State::Leecher), want, true, at(0), &mut rng);
        refused += u32::from(!noted.stored);
        assert!(noted.found.four.len() > 0 || number == 0, "answered all the same");
    }
    assert_eq!((shard.gauges().peers(), refused), (100, 4_900));
    let known = note(SocketAddr::from(([0, 0, 0, 5], 1)), State::Seed);
    assert!(shard.announce(hash, known, want, true, at(0), &mut rng).stored, "who is known may come back");
}

#[test]
fn peers_on_the_trackers_machine_are_reachable_from_others() {
    let mut shard = shard(FREE);
    let (hash, mut rng) = (InfoHash([7; 20]), Rng::new(1));
    let addr = |text: &str| -> SocketAddr { text.parse().expect("an address") };
    let mut ask = |peer: &str, local: &str| {
        let (peer, local) = (addr(peer), local.parse::<IpAddr>().expect("an address"));
        let here = peer.ip().is_loopback() || peer.ip() == local;
        let note = Note { here, ..note(peer, State::Leecher) };
        let want = Want { peers: 50, seed: false };
        let noted = shard.announce(hash, note, want, true, at(0), &mut rng);
        let mut given = peers(&noted.found, &For { local: Some(local), ..to(peer) });
        given.sort();
        given
    };
    // Over loopback alone, everything is as it was announced.
    ask("127.0.0.1:6881", "127.0.0.1");
    assert_eq!(ask("127.0.0.1:6882", "127.0.0.1"), [addr("127.0.0.1:6881")]);
    // Another machine reaches both where it reached the tracker.
    let both = [addr("192.168.1.2:6881"), addr("192.168.1.2:6882")];
    assert_eq!(ask("192.168.1.9:6881", "192.168.1.2"), both);
    // A program that announces over loopback and by its own address is one to others and nobody to itself.
    let others = [addr("192.168.1.2:6882"), addr("192.168.1.9:6881")];
    assert_eq!(ask("192.168.1.2:6881", "192.168.1.2"), others);
    assert_eq!(ask("192.168.1.9:6881", "192.168.1.2"), both);
    assert_eq!(ask("127.0.0.1:6881", "127.0.0.1"), [addr("127.0.0.1:6882"), addr("192.168.1.9:6881")]);
    // Where the address that was asked is not known, a peer out of reach is left out.
    let noted = shard.announce(
        hash,
        note(addr("9.9.9.9:1"), State::Leecher),
        Want { peers: 50, seed: false },
        true,
        at(0),
        &mut rng,
    );
    let given = peers(&noted.found, &to(addr("9.9.9.9:1")));
    assert!(given.iter().all(|peer| !peer.ip().is_loopback()) && given.len() == 2, "{given:?}");
}

#[test]
fn what_was_saved_comes_back() {
    let config = Config { state_file: Some("somewhere".into()), db_cache_size: 1_000, ..Config::default() };
    let new = || new_shards(&config, Moment::ZERO, &mut Rng::new(1)).remove(0);
    let (mut old, mut rng) = (new(), Rng::new(1));
    let want = Want { peers: 50, seed: false };
    for number in 0..3_000_u32 {
        let mut hash = InfoHash([1; 20]);
        hash.0[..2].copy_from_slice(&((number % 600) as u16).to_be_bytes());
        let state = [State::Seed, State::PartialSeed, State::Leecher][number as usize % 3];
        let id = number.is_multiple_of(2).then_some(PeerId([(number % 250) as u8 + 1; 20]));
        let note = Note { id, completed: state == State::Seed, ..note(peer(number, number % 5 == 0), state) };
        old.announce(hash, note, want, true, at(number.into()), &mut rng);
    }
    let all = |shard: &mut Shard| {
        let (mut saved, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            from = shard.changes(at, 100, &mut saved);
        }
        saved
    };
    let saved = all(&mut old);
    assert_eq!(saved.len(), 600);
    assert_eq!(all(&mut old), [], "nothing has changed since");
    let mut back = new();
    saved.iter().for_each(|saved| back.restore(saved));
    assert_eq!(back.gauges(), old.gauges());
    for (hash, counts) in old.torrents() {
        assert_eq!(back.counts(&hash), Some(counts));
    }
    // What goes is told of once, and silence counts from when a peer was heard, not from when it was put back.
    let removed = old.clean(Span::from_secs(1_000), at(3_000));
    assert_eq!(back.clean(Span::from_secs(1_000), at(3_000)), removed);
    old.stop(saved[0].info_hash, peer(0, true), at(3_000));
    assert!(all(&mut old).iter().any(|saved| saved.peers.len() < 100));
    // Bytes from a broken file are no reason to fail.
    let mut rng = Rng::new(9);
    for len in 0..200 {
        let mut peers = vec![0; len];
        rng.fill(&mut peers);
        back.restore(&Saved {
            info_hash: InfoHash([len as u8; 20]),
            downloaded: 1,
            touched_secs: u64::MAX,
            peers,
        });
    }
}

#[test]
fn what_is_forgotten_while_nobody_saves_is_bounded() {
    let config = Config { state_file: Some("somewhere".into()), db_cache_size: 100, ..Config::default() };
    let mut shard = new_shards(&config, Moment::ZERO, &mut Rng::new(1)).remove(0);
    let (want, mut rng) = (Want { peers: 50, seed: false }, Rng::new(1));
    for _ in 0..10_000 {
        let mut hash = InfoHash::default();
        rng.fill(&mut hash.0);
        shard.announce(hash, note(peer(rng.bits32(), false), State::Leecher), want, true, at(0), &mut rng);
    }
    let mut saved = Vec::new();
    assert_eq!(shard.changes(0, 1_000, &mut saved), None);
    let gone = saved.iter().filter(|saved| saved.is_gone()).count();
    assert_eq!((gone, saved.len()), (100, 200));
}

#[test]
fn others_are_asked_again_when_what_they_said_is_no_longer_fresh() {
    let ttl = |secs| {
        let store = Some("redis://somewhere".to_owned());
        let config = Config { shared_store: store, db_cache_peers_ttl: secs, ..Config::default() };
        new_shards(&config, Moment::ZERO, &mut Rng::new(1)).remove(0)
    };
    let (want, mut rng) = (Want { peers: 50, seed: false }, Rng::new(1));
    let mut asks = |shard: &mut Shard, torrent: u8, secs: u64| {
        let note = note(peer(1, false), State::Leecher);
        shard.announce(InfoHash([torrent; 20]), note, want, true, at(secs), &mut rng);
        shard.take_exchange().is_some_and(|exchange| exchange.wanted == [InfoHash([torrent; 20])])
    };
    let mut shard = ttl(120);
    for (torrent, secs, asked) in
        [(1, 0, true), (1, 60, false), (2, 60, true), (1, 119, false), (1, 120, true), (1, 121, false)]
    {
        assert_eq!(asks(&mut shard, torrent, secs), asked, "{torrent} after {secs}");
    }
    shard.set_ask_after(10);
    assert!(asks(&mut shard, 1, 130), "another setting counts at once");
    let mut always = ttl(0);
    assert!((0..5).all(|secs| asks(&mut always, 1, secs + 1)));
    let mut alone = new_shards(&Config::default(), Moment::ZERO, &mut Rng::new(1)).remove(0);
    assert!(!asks(&mut alone, 1, 0));
}
