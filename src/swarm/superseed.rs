//! Spreading a torrent from its only seed (BEP 16): each piece is sent to somebody else, and nothing twice before all is out.

use std::collections::{BTreeMap, HashMap};

use super::pool::{Memory, Offer, Order, Pool};
use crate::base::{Bitfield, ConnKey, Moment, PieceIndex, Rng, Span};

/// Pieces revealed to one peer that it has not got yet: at the start, and at most.
const WINDOW: std::ops::RangeInclusive<usize> = 2..=64;
/// A piece that is with a peer sooner than this shows that it could have more before it.
const SOON: Span = Span::from_millis(250);
/// A piece that takes longer than this shows that it has too many before it.
const LATE: Span = Span::from_secs(1);
/// Pieces that a peer may keep to itself before it must pass one on to be shown more.
const KEPT: usize = 8;

/// What the only seed shows to whom.
#[derive(Debug)]
pub struct SuperSeed {
    rng: Rng,
    /// Copies of each piece, those promised to somebody included.
    pool: Pool,
    /// Copies that others really have.
    copies: Vec<u16>,
    /// Pieces that nobody else has.
    alone: usize,
    peers: BTreeMap<ConnKey, Peer>,
    /// The only other peer that has the piece, where it got it from us.
    kept_by: HashMap<PieceIndex, ConnKey>,
    /// Pieces shown to anybody and not there yet.
    awaited: usize,
}

#[derive(Debug)]
struct Peer {
    has: Bitfield,
    /// Pieces shown to it that it has not got yet, and since when.
    awaited: Vec<(PieceIndex, Moment)>,
    /// How many may be awaited at once.
    window: usize,
    /// Pieces from here that nobody else has.
    kept: usize,
}

impl SuperSeed {
    /// Nobody is there.
    pub fn new(piece_count: u32, rng: Rng) -> Self {
        let pieces = piece_count as usize;
        let mut pool = Pool::new(pieces);
        (0..piece_count).for_each(|piece| pool.put(PieceIndex(piece), 0));
        Self {
            rng,
            pool,
            copies: vec![0; pieces],
            alone: pieces,
            peers: BTreeMap::new(),
            kept_by: HashMap::new(),
            awaited: 0,
        }
    }

    /// A peer has come with those pieces.
    pub fn peer_joins(&mut self, peer: ConnKey, has: &Bitfield) {
        self.peer_leaves(peer);
        self.pool.add_peer(has);
        has.iter().for_each(|piece| self.copied(peer, piece));
        let window = *WINDOW.start();
        self.peers.insert(peer, Peer { has: has.clone(), awaited: Vec::new(), window, kept: 0 });
    }

    /// A peer has left.
    pub fn peer_leaves(&mut self, peer: ConnKey) {
        let Some(gone) = self.peers.remove(&peer) else { return };
        self.pool.remove_peer(&gone.has);
        gone.awaited.iter().for_each(|(piece, _)| self.pool.remove(*piece));
        self.awaited -= gone.awaited.len();
        for piece in gone.has.iter() {
            self.copies[piece.at()] -= 1;
            self.alone += usize::from(self.copies[piece.at()] == 0);
        }
        self.kept_by.retain(|_, keeper| *keeper != peer);
    }

    /// A peer has got a piece, from here or elsewhere. Returns the peer that has passed it on, which may be shown more now.
    pub fn peer_has(&mut self, peer: ConnKey, piece: PieceIndex, now: Moment) -> Option<ConnKey> {
        let state = self.peers.get_mut(&peer)?;
        if piece.at() >= self.copies.len() || !state.has.insert(piece) {
            return None;
        }
        if let Some(at) = state.awaited.iter().position(|(awaited, _)| *awaited == piece) {
            let (_, since) = state.awaited.remove(at);
            self.awaited -= 1;
            match now.since(since) {
                taken if taken < SOON => state.window = (state.window + 1).min(*WINDOW.end()),
                taken if taken > LATE => state.window = (state.window - 1).max(*WINDOW.start()),
                _ => {}
            }
            if self.copies[piece.at()] == 0 {
                state.kept += 1;
                self.kept_by.insert(piece, peer);
            }
        } else {
            self.pool.add(piece);
        }
        let keeper = self.kept_by.get(&piece).copied().filter(|keeper| *keeper != peer);
        self.copied(peer, piece);
        keeper
    }

    /// The next piece to show to the peer, as a `Have`; nothing while it has enough before it. To be asked again whenever
    /// it got a piece or passed one on.
    pub fn reveal(&mut self, peer: ConnKey, now: Moment) -> Option<PieceIndex> {
        let others = self.peers.len() > 1;
        let state = self.peers.get_mut(&peer)?;
        let keeps = others && state.kept >= KEPT + 2 * state.window && self.awaited >= *WINDOW.start();
        if keeps || state.awaited.len() >= state.window {
            return None;
        }
        let everything = Bitfield::full(self.copies.len());
        let shown: Vec<PieceIndex> = state.awaited.iter().map(|(piece, _)| *piece).collect();
        let offer = Offer { has: &everything, have: &state.has, refused: &shown };
        let piece = self.pool.choose(0, offer, Order::Rarest, &mut Memory::default(), &mut self.rng)?;
        self.pool.add(piece);
        state.awaited.push((piece, now));
        self.awaited += 1;
        Some(piece)
    }

    /// Whether others have every piece between them: then it is no longer of use, and everything may be shown.
    pub fn finished(&self) -> bool {
        self.alone == 0
    }

    /// One more copy of the piece is out; whoever kept it to itself does so no longer.
    fn copied(&mut self, peer: ConnKey, piece: PieceIndex) {
        self.alone -= usize::from(self.copies[piece.at()] == 0);
        self.copies[piece.at()] += 1;
        if self.kept_by.get(&piece).is_some_and(|keeper| *keeper != peer)
            && let Some(keeper) = self.kept_by.remove(&piece).and_then(|keeper| self.peers.get_mut(&keeper))
        {
            keeper.kept -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Span::from_millis(millis)
    }

    fn seed(pieces: u32, peers: u64) -> SuperSeed {
        let mut seed = SuperSeed::new(pieces, Rng::new(1));
        (0..peers).for_each(|peer| seed.peer_joins(ConnKey(peer), &Bitfield::new(pieces as usize)));
        seed
    }

    #[test]
    fn nothing_is_shown_twice_before_everything_is_shown_once() {
        let mut seed = seed(40, 3);
        let mut shown = Vec::new();
        let mut now = 0;
        while shown.len() < 40 {
            now += 500;
            for peer in (0..3).map(ConnKey) {
                while let Some(piece) = seed.reveal(peer, at(now)) {
                    shown.push((peer, piece));
                }
            }
            // Everybody passes on what it has.
            for (peer, piece) in shown.clone() {
                seed.peer_has(peer, piece, at(now + 300));
                (0..3).for_each(|other| _ = seed.peer_has(ConnKey(other), piece, at(now + 400)));
            }
        }
        let mut pieces: Vec<_> = shown[..40].iter().map(|(_, piece)| *piece).collect();
        pieces.sort_unstable();
        pieces.dedup();
        assert_eq!(pieces.len(), 40);
        assert!(seed.finished());
    }

    #[test]
    fn who_passes_nothing_on_is_shown_no_more_while_others_do() {
        let mut seed = seed(400, 3);
        let (keeper, giver, other) = (ConnKey(0), ConnKey(1), ConnKey(2));
        let mut counts = [0; 2];
        for now in 0..100 {
            for peer in [keeper, giver] {
                if let Some(piece) = seed.reveal(peer, at(now * 500)) {
                    counts[peer.0 as usize] += 1;
                    seed.peer_has(peer, piece, at(now * 500 + 400));
                    if peer == giver {
                        assert_eq!(seed.peer_has(other, piece, at(now * 500 + 450)), Some(giver));
                    }
                }
                // Somebody always has something before it.
                while seed.reveal(other, at(now * 500)).is_some() {}
            }
        }
        assert_eq!(counts[1], 100);
        assert!((8..16).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn a_lone_peer_is_shown_everything() {
        let mut seed = seed(300, 1);
        for now in 0..300 {
            let piece = seed.reveal(ConnKey(0), at(now)).expect("there is more");
            seed.peer_has(ConnKey(0), piece, at(now));
        }
        assert!(seed.finished() && seed.reveal(ConnKey(0), at(999)).is_none());
    }

    #[test]
    fn what_left_with_a_peer_is_shown_again() {
        let mut seed = seed(2, 1);
        let first = seed.reveal(ConnKey(0), at(0)).expect("a piece");
        seed.peer_has(ConnKey(0), first, at(1));
        seed.reveal(ConnKey(0), at(1)).expect("the other");
        seed.peer_leaves(ConnKey(0));
        let mut has = Bitfield::new(2);
        has.insert(PieceIndex(1));
        seed.peer_joins(ConnKey(5), &has);
        assert_eq!(seed.reveal(ConnKey(5), at(2)), Some(PieceIndex(0)));
        assert!(!seed.finished() && seed.awaited == 1);
        seed.peer_has(ConnKey(5), PieceIndex(0), at(3));
        assert!(seed.finished());
    }

    #[test]
    fn a_fast_peer_gets_more_before_it_and_a_slow_one_less() {
        let mut seed = seed(1_000, 1);
        let peer = ConnKey(0);
        for now in 0..20 {
            let piece = seed.reveal(peer, at(now * 10)).expect("a piece");
            seed.peer_has(peer, piece, at(now * 10 + 5));
        }
        let shown: Vec<_> = std::iter::from_fn(|| seed.reveal(peer, at(500))).collect();
        assert!(shown.len() > 20, "{}", shown.len());
        shown.iter().for_each(|piece| _ = seed.peer_has(peer, *piece, at(5_000)));
        assert_eq!(std::iter::from_fn(|| seed.reveal(peer, at(6_000))).count(), 2);
    }
}
