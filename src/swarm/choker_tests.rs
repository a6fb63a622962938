//! The choker against its promises, over half hours of simulated peers.

use std::collections::BTreeMap;

use super::*;

fn at(secs: u64) -> Moment {
    Moment::ZERO + Span::from_secs(secs)
}

fn candidate(peer: u64) -> Candidate {
    Candidate {
        peer: ConnKey(peer),
        interested: true,
        unchoked: false,
        snubbed: false,
        is_seed: false,
        down_rate: 0,
        up_rate: 0,
        connected_at: at(0),
        changed_at: at(0),
        sent: 0,
    }
}

/// Peers that take what they are given and give as `gives` says, over rounds of ten seconds.
struct Swarm {
    choker: Choker,
    peers: Vec<Candidate>,
    now: Moment,
    /// Seconds that each peer was served.
    served: BTreeMap<ConnKey, u64>,
}

impl Swarm {
    fn new(peers: u64, seed: u64) -> Self {
        let peers = (0..peers).map(candidate).collect();
        Self { choker: Choker::new(Rng::new(seed)), peers, now: at(100), served: BTreeMap::new() }
    }

    fn round(&mut self, seeding: bool, upload: Upload) -> usize {
        let changes = self.choker.round(self.now, seeding, upload, &self.peers);
        for peer in &mut self.peers {
            let (on, off) = (changes.unchoke.contains(&peer.peer), changes.choke.contains(&peer.peer));
            assert!(!(on && off) && on <= !peer.unchoked && off <= peer.unchoked);
            if on || off {
                (peer.unchoked, peer.changed_at, peer.sent) = (on, self.now, 0);
            }
        }
        assert!(self.choker.next_deadline() > self.now && self.choker.next_deadline() <= self.now + ROUND);
        self.now = self.choker.next_deadline();
        for peer in self.peers.iter().filter(|peer| peer.unchoked) {
            *self.served.entry(peer.peer).or_default() += 10;
        }
        self.peers.iter().filter(|peer| peer.unchoked).count()
    }
}

#[test]
fn a_few_peers_are_all_served_at_once_and_go_on_being_served() {
    let mut swarm = Swarm::new(8, 1);
    assert!(swarm.choker.unchoke_now(7) && !swarm.choker.unchoke_now(8));
    for _ in 0..20 {
        assert_eq!(swarm.round(false, Upload::default()), 8);
        assert!(swarm.choker.optimistic().is_empty());
    }
    swarm.peers[3].interested = false;
    assert_eq!(swarm.round(false, Upload::default()), 8, "there is no need to choke who may come back");
}

#[test]
fn those_who_give_most_are_served() {
    let mut swarm = Swarm::new(20, 2);
    for (at, peer) in swarm.peers.iter_mut().enumerate() {
        peer.down_rate = 1_000 * at as u64;
    }
    swarm.peers[19].snubbed = true;
    for _ in 0..30 {
        assert_eq!(swarm.round(false, Upload { limit: Some(20 * 1024), rate: 20 * 1024 }), 4);
        for best in [18, 17, 16] {
            assert!(swarm.peers[best].unchoked);
        }
        assert_eq!(swarm.choker.optimistic().len(), 1);
    }
}

#[test]
fn the_optimistic_turn_lasts_half_a_minute_and_comes_to_all_alike() {
    let mut swarm = Swarm::new(24, 3);
    for peer in 0..3 {
        swarm.peers[peer].down_rate = 100_000;
    }
    let (mut turns, mut last) = (Vec::new(), None);
    for _ in 0..180 * 20 {
        swarm.round(false, Upload { limit: Some(20 * 1024), rate: 20 * 1024 });
        let now = swarm.choker.optimistic().to_vec();
        match &mut last {
            Some((who, rounds)) if *who == now => *rounds += 1,
            _ => turns.extend(last.replace((now, 1))),
        }
    }
    assert!(turns[1..].iter().all(|(_, rounds)| rounds % 3 == 0), "turns change every third round only");
    let others: Vec<u64> =
        (3..24).map(|peer| swarm.served.get(&ConnKey(peer)).copied().unwrap_or(0)).collect();
    let mean = others.iter().sum::<u64>() / 21;
    assert!(others.iter().all(|secs| *secs > mean / 2 && *secs < mean * 2), "{others:?}");
}

#[test]
fn new_peers_are_tried_three_times_as_often() {
    let mut first = [0u32; 2];
    for seed in 0..2_000 {
        let mut swarm = Swarm::new(24, seed);
        for (at_, peer) in swarm.peers.iter_mut().enumerate() {
            (peer.down_rate, peer.connected_at) = (u64::from(at_ < 4) * 9_999, at(u64::from(at_ >= 14) * 90));
        }
        swarm.round(false, Upload { limit: Some(20 * 1024), rate: 20 * 1024 });
        let turn = swarm.choker.optimistic()[0].0;
        if turn >= 4 {
            first[usize::from(turn >= 14)] += 1;
        }
    }
    let ratio = f64::from(first[1]) / f64::from(first[0]);
    assert!((2.4..3.7).contains(&ratio), "{first:?}");
}

#[test]
fn a_seed_serves_everybody_in_turn() {
    let mut swarm = Swarm::new(20, 4);
    for _ in 0..180 {
        for peer in &mut swarm.peers {
            peer.up_rate = if peer.unchoked { 200_000 } else { 0 };
            peer.sent += peer.up_rate * 10;
        }
        let served = swarm.round(true, Upload { limit: Some(50 * 1024), rate: 50 * 1024 });
        assert_eq!(served, 4);
    }
    let served: Vec<u64> =
        (0..20).map(|peer| swarm.served.get(&ConnKey(peer)).copied().unwrap_or(0)).collect();
    let mean = served.iter().sum::<u64>() / 20;
    assert!(served.iter().all(|secs| *secs >= mean * 7 / 10 && *secs <= mean * 13 / 10), "{served:?}");
}

#[test]
fn a_seed_does_not_wait_for_peers_that_take_nothing() {
    let mut swarm = Swarm::new(12, 5);
    for _ in 0..60 {
        for peer in &mut swarm.peers {
            peer.up_rate = if peer.unchoked && peer.peer.0 >= 6 { 50_000 } else { 0 };
            peer.sent += peer.up_rate * 10;
        }
        swarm.round(true, Upload { limit: Some(40 * 1024), rate: 40 * 1024 });
    }
    let sum = |range: std::ops::Range<u64>| {
        range.map(|p| swarm.served.get(&ConnKey(p)).copied().unwrap_or(0)).sum()
    };
    let (idle, busy): (u64, u64) = (sum(0..6), sum(6..12));
    assert!(busy > 2 * idle, "{busy} against {idle}");
}

#[test]
fn slots_grow_with_what_there_is_to_give() {
    // Each peer takes so much at most, and the line carries so much.
    let slots = |limit: Option<u64>, each: u64, line: u64| {
        let mut swarm = Swarm::new(200, 6);
        let mut slots = 0;
        for _ in 0..60 {
            let served = swarm.peers.iter().filter(|peer| peer.unchoked).count() as u64;
            let each = each.min(line / served.max(1));
            for peer in &mut swarm.peers {
                peer.up_rate = if peer.unchoked { each } else { 0 };
            }
            slots = swarm.round(false, Upload { limit, rate: each * served });
        }
        slots
    };
    const MIB: u64 = 1 << 20;
    assert_eq!(slots(Some(10 * 1024), MIB, 10 * 1024), 4);
    assert!(
        (16..=17).contains(&slots(Some(8 * MIB), MIB, 8 * MIB)),
        "{}",
        slots(Some(8 * MIB), MIB, 8 * MIB)
    );
    assert!(slots(Some(MIB), 10_000, MIB) > 60, "those served take too little");
    assert!((8..=9).contains(&slots(None, MIB, MIB)), "{}", slots(None, MIB, MIB));
    assert!((16..=17).contains(&slots(None, 100 * MIB, 8 * MIB)), "{}", slots(None, 100 * MIB, 8 * MIB));
    assert!(slots(None, 20_000, MIB) > 45, "the line is found out: {}", slots(None, 20_000, MIB));
    assert_eq!(slots(None, 10 * MIB, 1 << 40), 100);
}

#[test]
fn the_first_rounds_follow_each_other_quickly() {
    let mut swarm = Swarm::new(60, 7);
    for _ in 0..4 {
        for peer in &mut swarm.peers {
            peer.up_rate = if peer.unchoked { 5_000_000 } else { 0 };
        }
        let rate = swarm.peers.iter().map(|peer| peer.up_rate).sum();
        swarm.round(true, Upload { limit: None, rate });
    }
    assert!(swarm.now.since(at(100)) <= Span::from_secs(15));
    assert!(swarm.peers.iter().all(|peer| peer.unchoked), "a fast seed soon serves sixty");
}
