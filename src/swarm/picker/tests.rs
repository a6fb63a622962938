//! The picker against its promises, by example and against a naive model under random operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::open::Block;
use super::{Picker, Received, Speed};
use crate::base::{BLOCK_SIZE, Bitfield, BlockRef, ConnKey, PieceIndex, Rng};
use crate::metainfo::{File, Layout};
use crate::swarm::{Pieces, Priority};

mod model;

/// A torrent of equal files of one piece each.
fn layout(pieces: u32, blocks: u32) -> Arc<Layout> {
    let length = u64::from(blocks * BLOCK_SIZE);
    let file = |at| File { path: vec![format!("{at}")], length, pad: false, executable: false };
    Arc::new(Layout::new((0..pieces).map(file).collect(), blocks * BLOCK_SIZE).expect("a small layout"))
}

struct Table {
    picker: Picker,
    pieces: Pieces,
    has: BTreeMap<ConnKey, Bitfield>,
}

impl Table {
    fn new(pieces: u32, blocks: u32) -> Self {
        let layout = layout(pieces, blocks);
        let picker = Picker::new(layout.clone(), Rng::new(5));
        Self { picker, pieces: Pieces::new(layout), has: BTreeMap::new() }
    }

    fn join(&mut self, peer: u64, has: impl IntoIterator<Item = u32>) -> ConnKey {
        let mut field = Bitfield::new(self.pieces.have().len());
        has.into_iter().for_each(|piece| _ = field.insert(PieceIndex(piece)));
        self.picker.peer_has(&field);
        self.has.insert(ConnKey(peer), field);
        ConnKey(peer)
    }

    fn seed(&mut self, peer: u64) -> ConnKey {
        self.join(peer, 0..self.pieces.have().len() as u32)
    }

    fn pick(&mut self, peer: ConnKey, count: usize, speed: Speed) -> Vec<BlockRef> {
        let mut out = Vec::new();
        self.picker.pick(&self.pieces, peer, &self.has[&peer], count, speed, None, &mut out);
        self.check();
        out
    }

    fn receive(&mut self, peer: ConnKey, block: BlockRef) -> Received {
        let received = self.picker.received(peer, block);
        if received == (Received::New { piece_complete: true, also_asked: Vec::new() }) {
            self.pieces.insert(block.piece);
            self.picker.piece_done(block.piece);
        }
        self.check();
        received
    }

    /// The first pieces are random; with so many had, rarity counts.
    fn have(&mut self, pieces: std::ops::Range<u32>) {
        for piece in pieces.map(PieceIndex) {
            self.pieces.insert(piece);
            self.picker.piece_done(piece);
        }
    }

    fn check(&self) {
        self.picker.open.check();
        self.picker.pool.check();
        let mut asked = BTreeSet::new();
        for (who, asker) in self.picker.askers.iter() {
            for block in &asker.asked {
                assert!(asked.insert((who, *block)), "nothing is asked twice of one peer");
                assert!(self.picker.open.asked_for(*block).contains(&who), "{block:?} is asked of {who}");
            }
        }
        let blocks: BTreeSet<BlockRef> = asked.iter().map(|(_, block)| *block).collect();
        for block in blocks {
            for who in self.picker.open.asked_for(block) {
                assert!(asked.contains(&(who, block)), "{who} knows of {block:?}");
            }
        }
    }
}

fn pieces_of(blocks: &[BlockRef]) -> Vec<u32> {
    let mut pieces: Vec<u32> = blocks.iter().map(|block| block.piece.0).collect();
    pieces.dedup();
    pieces
}

#[test]
fn the_rarest_piece_comes_first() {
    let mut table = Table::new(20, 1);
    table.have(0..4);
    let all = table.seed(1);
    for peer in 2..6 {
        table.join(peer, (4..20).filter(|piece| *piece != 13));
    }
    table.join(6, (4..20).filter(|piece| *piece != 13 && *piece != 7));
    let picked = table.pick(all, 16, Speed::Slow);
    assert_eq!(pieces_of(&picked)[..2], [13, 7]);
    assert_eq!(picked.len(), 16);
    assert_eq!((table.picker.availability(PieceIndex(13)), table.picker.availability(PieceIndex(7))), (1, 5));
}

#[test]
fn ties_are_broken_at_random_and_the_same_way_for_one_seed() {
    let picks = |seed| {
        let mut table = Table::new(500, 1);
        table.picker = Picker::new(table.pieces.layout().clone(), Rng::new(seed));
        table.have(0..4);
        let peer = table.seed(1);
        pieces_of(&table.pick(peer, 30, Speed::Slow))
    };
    assert_eq!(picks(1), picks(1));
    assert_ne!(picks(1), picks(2));
    assert!(!picks(3).is_sorted());
}

#[test]
fn the_first_pieces_are_any() {
    let mut seen = BTreeSet::new();
    for seed in 0..40 {
        let mut table = Table::new(40, 2);
        table.picker = Picker::new(table.pieces.layout().clone(), Rng::new(seed));
        let peer = table.seed(1);
        // One piece is rarer than all others, and yet not everybody begins with it.
        table.join(2, 1..40);
        seen.extend(pieces_of(&table.pick(peer, 1, Speed::Slow)));
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[test]
fn slow_peers_share_a_piece_and_fast_ones_get_their_own() {
    let mut table = Table::new(10, 8);
    let (a, b, c) = (table.seed(1), table.seed(2), table.seed(3));
    let first = table.pick(a, 3, Speed::Slow);
    let second = table.pick(b, 3, Speed::Slow);
    assert_eq!(pieces_of(&first), pieces_of(&second));
    let fast = table.pick(c, 5, Speed::Fast);
    assert_eq!(fast[0].piece, first[0].piece, "what is begun comes first");
    assert_eq!(pieces_of(&fast).len(), 2);
    let again = table.pick(b, 1, Speed::Slow);
    assert!(!pieces_of(&fast).contains(&again[0].piece.0), "the fast peer's piece is left to it");
    let rest = table.pick(c, 5, Speed::Fast);
    assert_eq!(pieces_of(&rest), [fast[4].piece.0]);
    let begins: Vec<u32> = fast[2..].iter().chain(&rest).map(|block| block.begin / BLOCK_SIZE).collect();
    assert_eq!(begins, (0..8).collect::<Vec<_>>());
}

#[test]
fn what_is_wanted_more_comes_before_what_is_begun() {
    let mut table = Table::new(6, 4);
    let peer = table.seed(1);
    use Priority::{High, Low, Normal, Skip};
    table.pieces.set_priorities(&[Low, Skip, Normal, High, Skip, Low]);
    let order = pieces_of(&table.pick(peer, 12, Speed::Fast));
    assert_eq!(order[..2], [3, 2]);
    let other = table.seed(2);
    table.picker.give_back_all(peer);
    assert_eq!(table.picker.open_pieces(), 0);
    table.pick(other, 2, Speed::Slow);
    table.pieces.set_priorities(&[High, Skip, Skip, Normal, Skip, Skip]);
    assert_eq!(pieces_of(&table.pick(peer, 8, Speed::Slow)), [0, 3]);
}

#[test]
fn pieces_come_in_order_when_asked_so() {
    let mut table = Table::new(200, 2);
    table.picker.set_sequential(true);
    let peer = table.join(1, (0..200).filter(|piece| *piece != 2));
    table.join(2, 100..200);
    assert_eq!(pieces_of(&table.pick(peer, 8, Speed::Slow)), [0, 1, 3, 4]);
}

#[test]
fn the_end_game_asks_others_and_tells_whom_to_cancel() {
    let mut table = Table::new(1, 6);
    let (a, b, c, d) = (table.seed(1), table.seed(2), table.seed(3), table.seed(4));
    let first = table.pick(a, 4, Speed::Slow);
    let second = table.pick(b, 10, Speed::Slow);
    assert_eq!((first.len(), second.len()), (4, 4), "two free ones, then two of the other's last ones");
    assert_eq!(second[2..], [first[3], first[2]]);
    assert_eq!(table.pick(a, 1, Speed::Slow), [], "four are enough for now");
    let third = table.pick(c, 10, Speed::Slow);
    assert_eq!(third.len(), 4);
    assert!(!third.contains(&first[3]), "those asked of one come first");
    let fourth = table.pick(d, 10, Speed::Slow);
    let mut askers: BTreeMap<BlockRef, usize> = BTreeMap::new();
    for block in [&first, &second, &third, &fourth].into_iter().flatten() {
        *askers.entry(*block).or_default() += 1;
    }
    assert!(askers.values().all(|askers| *askers <= 3), "{askers:?}");
    assert_eq!(table.pick(d, 10, Speed::Slow), []);
    let shared = second[2];
    let asked = |(peer, blocks): (ConnKey, &Vec<BlockRef>)| blocks.contains(&shared).then_some(peer);
    let also_asked: Vec<_> = [(a, &first), (c, &third), (d, &fourth)].into_iter().filter_map(asked).collect();
    assert_eq!(table.receive(b, shared), Received::New { piece_complete: false, also_asked });
    assert_eq!(table.receive(a, shared), Received::Duplicate);
    assert_eq!(table.receive(a, shared), Received::Unrequested, "once is no offence, twice is");
}

#[test]
fn there_is_no_end_game_while_something_is_free() {
    let mut table = Table::new(2, 4);
    let a = table.join(1, [0]);
    let b = table.join(2, [0]);
    let c = table.join(3, [1]);
    table.pick(a, 4, Speed::Slow);
    assert_eq!(table.pick(b, 4, Speed::Slow), [], "piece 1 is still free");
    table.pick(c, 4, Speed::Slow);
    assert_eq!(table.pick(b, 4, Speed::Slow).len(), 4);
}

#[test]
fn what_nobody_has_does_not_hold_up_the_end_game() {
    let mut table = Table::new(2, 2);
    let (a, b) = (table.join(1, [0]), table.join(2, [0]));
    table.pick(a, 2, Speed::Slow);
    assert_eq!(table.pick(b, 2, Speed::Slow).len(), 2);
}

#[test]
fn what_is_given_back_goes_to_others_and_is_welcome_late() {
    let mut table = Table::new(3, 4);
    let (a, b) = (table.seed(1), table.seed(2));
    let asked = table.pick(a, 4, Speed::Fast);
    assert!(matches!(table.receive(a, asked[0]), Received::New { piece_complete: false, .. }));
    table.picker.give_back(a, asked[2]);
    assert_eq!(table.pick(b, 1, Speed::Slow), [asked[2]]);
    assert_eq!(table.receive(a, asked[2]), Received::New { piece_complete: false, also_asked: vec![b] });
    table.picker.peer_gone(a);
    assert_eq!(table.pick(b, 2, Speed::Slow), [asked[1], asked[3]]);
    assert_eq!(table.receive(a, asked[1]), Received::Unrequested);
    assert_eq!(table.picker.requests_of(b).collect::<Vec<_>>(), [asked[1], asked[3]]);
}

#[test]
fn a_failed_piece_is_fetched_again_and_on_parole_from_one_peer() {
    let mut table = Table::new(1, 4);
    let (a, b) = (table.seed(1), table.seed(2));
    for block in table.pick(a, 4, Speed::Slow) {
        table.picker.received(a, block);
    }
    assert_eq!(table.pick(b, 4, Speed::Slow), [], "it waits for its verdict");
    table.picker.set_parole(PieceIndex(0));
    table.picker.piece_failed(PieceIndex(0));
    let again = table.pick(b, 2, Speed::Slow);
    assert_eq!(again.len(), 2);
    assert_eq!(table.pick(a, 4, Speed::Slow), [], "one peer alone");
    assert_eq!(table.pick(b, 9, Speed::Slow).len(), 2);
    table.picker.peer_gone(b);
    assert_eq!(table.pick(a, 4, Speed::Fast).len(), 4);
}

#[test]
fn a_choking_peer_is_asked_only_for_what_it_allows() {
    let mut table = Table::new(8, 2);
    let peer = table.join(1, [1, 2, 3]);
    let mut out = Vec::new();
    let allowed = [PieceIndex(5), PieceIndex(2), PieceIndex(99)];
    let has = table.has[&peer].clone();
    table.picker.pick(&table.pieces, peer, &has, 9, Speed::Slow, Some(&allowed), &mut out);
    assert_eq!((out.len(), pieces_of(&out)), (2, vec![2]));
    table.picker.refused(peer, out[0]);
    table.picker.refused(peer, out[1]);
    out.clear();
    table.picker.pick(&table.pieces, peer, &has, 9, Speed::Slow, Some(&allowed), &mut out);
    assert_eq!(out, []);
    assert_eq!(pieces_of(&table.pick(peer, 9, Speed::Slow)).len(), 2);
    table.picker.forgive(peer);
    assert_eq!(pieces_of(&table.pick(peer, 9, Speed::Slow)), [2]);
}

#[test]
fn who_was_told_not_to_send_is_asked_again_when_the_other_is_gone() {
    let mut table = Table::new(1, 2);
    let (a, b) = (table.seed(1), table.seed(2));
    let first = table.pick(a, 2, Speed::Slow);
    let again = table.pick(b, 2, Speed::Slow);
    assert_eq!((first.len(), again.len()), (2, 2), "the end game");
    // A gives one; B is told, and confirms it with a rejection.
    let came = table.picker.received(a, first[0]);
    assert_eq!(came, Received::New { piece_complete: false, also_asked: vec![b] });
    table.picker.refused(b, first[0]);
    table.picker.give_back(b, first[1]);
    assert_eq!(table.pick(b, 2, Speed::Slow), [], "A is to give the rest");
    table.picker.peer_gone(a);
    assert_eq!(table.pick(b, 2, Speed::Slow), [first[1]]);
    // What it gives nothing of by itself, it is not asked for again.
    table.picker.refused(b, first[1]);
    let c = table.seed(3);
    assert_eq!(table.pick(c, 2, Speed::Slow), [first[1]]);
    table.picker.peer_gone(c);
    assert_eq!(table.pick(b, 2, Speed::Slow), []);
}

#[test]
fn memory_bounds_how_much_is_begun() {
    let mut table = Table::new(100, 16);
    table.picker.set_open_limit(4 * 16 * u64::from(BLOCK_SIZE));
    for peer in 0..50 {
        let peer = table.seed(peer);
        for _ in 0..3 {
            table.pick(peer, 8, Speed::Fast);
        }
    }
    assert!((4..=20).contains(&table.picker.open_pieces()), "{}", table.picker.open_pieces());
    assert!(table.picker.open_bytes() <= 20 * 16 * u64::from(BLOCK_SIZE));
}

#[test]
fn copies_are_counted_however_peers_came_by_them() {
    let mut table = Table::new(4, 1);
    let mut field = Bitfield::new(4);
    table.picker.peer_has(&field);
    for piece in 0..4 {
        table.picker.peer_gains(PieceIndex(piece));
        field.insert(PieceIndex(piece));
    }
    assert_eq!(table.picker.rarest(), 1.0);
    table.picker.peer_has(&Bitfield::full(4));
    table.picker.peer_leaves(&field);
    table.picker.peer_loses(PieceIndex(1));
    assert_eq!(table.picker.rarest(), 0.75);
    assert_eq!(table.picker.availability(PieceIndex(1)), 0);
    let mut rest = Bitfield::full(4);
    rest.remove(PieceIndex(1));
    table.picker.peer_leaves(&rest);
    assert_eq!((table.picker.rarest(), table.picker.availability(PieceIndex(9))), (0.0, 0));
    table.check();
}

#[test]
fn pieces_found_on_the_disk_are_not_asked_for() {
    let mut table = Table::new(10, 1);
    let peer = table.seed(1);
    let mut found = Bitfield::full(10);
    found.remove(PieceIndex(6));
    table.pieces.set_have(&found);
    assert_eq!(pieces_of(&table.pick(peer, 10, Speed::Slow)), [6]);
    table.pieces.remove(PieceIndex(3));
    assert_eq!(pieces_of(&table.pick(peer, 10, Speed::Slow)), [3]);
}

#[test]
fn what_a_fast_peer_is_asked_for_comes_side_by_side() {
    let mut table = Table::new(8, 6);
    let peer = table.seed(1);
    let before = table.pick(peer, 3, Speed::Fast);
    let mut picked = table.pick(peer, 15, Speed::Fast);
    let mut sorted = picked.clone();
    table.picker.side_by_side(peer, &mut picked, 2);
    table.check();
    let runs: Vec<(u32, usize)> =
        picked.chunk_by(|a, b| a.piece == b.piece).map(|run| (run[0].piece.0, run.len())).collect();
    // Three blocks end the first piece, then come two whole ones.
    assert_eq!(runs.iter().map(|(_, len)| *len).collect::<Vec<_>>(), [2, 2, 2, 1, 2, 2, 2, 2]);
    assert_eq!((runs[0].0, runs[1].0, runs[2].0), (runs[3].0, runs[4].0, runs[5].0));
    assert!(picked.chunk_by(|a, b| a.piece == b.piece).all(|run| run.is_sorted()));
    let asked: Vec<BlockRef> = table.picker.requests_of(peer).collect();
    assert_eq!(asked, [before, picked.clone()].concat(), "they are expected as they are asked for");
    sorted.sort();
    picked.sort();
    assert_eq!(sorted, picked);
}
