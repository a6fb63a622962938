//! Random operations, each answer compared with what a naive model allows.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Join(u64, Vec<bool>),
    Gain(u64, u32),
    Lose(u64, u32),
    Leave(u64),
    Pick(u64, usize, bool),
    Allowed(u64, Vec<u32>),
    Receive(u64, usize),
    Stray(u64, u32, u32),
    GiveBack(u64, usize),
    Refuse(u64, usize),
    Choke(u64),
    Forgive(u64),
    Fail(u32),
    Parole(u32),
    Lost(u32),
    Prioritise(Vec<u8>),
    Sequential(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = || 0u64..6;
    let piece = || 0u32..24;
    prop_oneof![
        2 => (peer(), prop::collection::vec(prop::bool::weighted(0.6), 24)).prop_map(|(p, has)| Step::Join(p, has)),
        1 => peer().prop_map(|p| Step::Join(p, vec![true; 24])),
        3 => (peer(), piece()).prop_map(|(p, piece)| Step::Gain(p, piece)),
        1 => (peer(), piece()).prop_map(|(p, piece)| Step::Lose(p, piece)),
        1 => peer().prop_map(Step::Leave),
        12 => (peer(), 1usize..9, any::<bool>()).prop_map(|(p, count, fast)| Step::Pick(p, count, fast)),
        1 => (peer(), prop::collection::vec(piece(), 0..4)).prop_map(|(p, only)| Step::Allowed(p, only)),
        20 => (peer(), any::<usize>()).prop_map(|(p, which)| Step::Receive(p, which)),
        1 => (peer(), piece(), 0u32..4).prop_map(|(p, piece, block)| Step::Stray(p, piece, block)),
        2 => (peer(), any::<usize>()).prop_map(|(p, which)| Step::GiveBack(p, which)),
        1 => (peer(), any::<usize>()).prop_map(|(p, which)| Step::Refuse(p, which)),
        1 => peer().prop_map(Step::Choke),
        1 => peer().prop_map(Step::Forgive),
        1 => piece().prop_map(Step::Fail),
        1 => piece().prop_map(Step::Parole),
        1 => piece().prop_map(Step::Lost),
        1 => prop::collection::vec(0u8..4, 24).prop_map(Step::Prioritise),
        1 => any::<bool>().prop_map(Step::Sequential),
    ]
}

/// The table, and what it should know.
struct Model {
    table: Table,
    count: u32,
    blocks: u32,
    refused: BTreeSet<(ConnKey, PieceIndex)>,
    sequential: bool,
}

impl Model {
    fn new(count: u32, blocks: u32) -> Self {
        let table = Table::new(count, blocks);
        Self { table, count, blocks, refused: BTreeSet::new(), sequential: false }
    }

    fn state(&self, block: BlockRef) -> Block {
        let picker = &self.table.picker;
        picker.open.state(&picker.layout, block).map_or(Block::Free, |(_, state)| state)
    }

    /// Every block that may be asked of the peer for the first time.
    fn free_for(&self, peer: ConnKey) -> BTreeSet<BlockRef> {
        let has = &self.table.has[&peer];
        let pieces = self.table.pieces.missing().iter().filter(|piece| {
            has.contains(*piece)
                && !self.refused.contains(&(peer, *piece))
                && !self.table.picker.parole.contains(piece)
        });
        let layout = self.table.pieces.layout();
        let blocks = pieces.flat_map(|piece| (0..self.blocks).filter_map(move |at| layout.block(piece, at)));
        blocks.filter(|block| self.state(*block) == Block::Free).collect()
    }

    fn asked(&self, peer: ConnKey, which: usize) -> Option<BlockRef> {
        let asked: Vec<BlockRef> = self.table.picker.requests_of(peer).collect();
        asked.get(which.checked_rem(asked.len())?).copied()
    }

    fn pick(&mut self, peer: ConnKey, count: usize, speed: Speed) {
        if !self.table.has.contains_key(&peer) {
            return;
        }
        let free = self.free_for(peer);
        let before: BTreeSet<BlockRef> = self.table.picker.requests_of(peer).collect();
        let begun: BTreeSet<PieceIndex> =
            self.table.pieces.layout().pieces().filter(|p| self.table.picker.open.id(*p).is_some()).collect();
        let queue = before.len();
        let out = self.table.pick(peer, count, speed);
        assert!(out.len() <= count);
        let has = &self.table.has[&peer];
        let mut new = BTreeSet::new();
        for block in &out {
            assert!(new.insert(*block) && !before.contains(block), "{block:?} is asked once");
            assert!(self.table.pieces.missing().contains(block.piece) && has.contains(block.piece));
            assert!(!self.refused.contains(&(peer, block.piece)));
        }
        let again: Vec<_> = out.iter().filter(|block| !free.contains(block)).collect();
        let parole = |block: &&BlockRef| self.table.picker.parole.contains(&block.piece);
        let repeats = again.iter().filter(|block| !parole(block)).count();
        if repeats > 0 {
            assert!(out.len() + queue <= 4.max(queue), "only short queues repeat");
            assert!(free.iter().all(|block| new.contains(block)), "what is free comes first");
        }
        assert!(out.len() >= count.min(free.len()), "{} of {} free for {count}", out.len(), free.len());
        // The first piece begun is as rare as any at its level.
        let first = out.iter().map(|block| block.piece).find(|piece| !begun.contains(piece));
        if let Some(first) = first.filter(|_| self.table.pieces.have().count() >= 4 && !self.sequential) {
            let level = self.table.pieces.wanted(first);
            let others = free
                .iter()
                .map(|block| block.piece)
                .filter(|piece| self.table.pieces.wanted(*piece) == level && !begun.contains(piece));
            let rarest = others.map(|piece| self.table.picker.availability(piece)).min();
            assert!(rarest.is_none_or(|rarest| self.table.picker.availability(first) <= rarest));
        }
    }

    fn receive(&mut self, peer: ConnKey, block: BlockRef) {
        let state = self.state(block);
        let expected = self.table.picker.requests_of(peer).any(|asked| asked == block);
        match self.table.picker.received(peer, block) {
            Received::New { piece_complete, also_asked } => {
                assert!(state != Block::Done && self.state(block) == Block::Done);
                assert!(!also_asked.contains(&peer));
                let number = |at| self.table.pieces.layout().block(block.piece, at).expect("a block");
                let whole = (0..self.blocks).all(|at| self.state(number(at)) == Block::Done);
                assert_eq!(piece_complete, whole);
                if whole && !block.piece.0.is_multiple_of(7) {
                    self.table.pieces.insert(block.piece);
                    self.table.picker.piece_done(block.piece);
                }
            }
            Received::Duplicate | Received::Unrequested => assert!(!expected),
        }
    }

    fn apply(&mut self, step: Step) {
        let picker = &mut self.table.picker;
        match step {
            Step::Join(peer, has) => {
                let peer = ConnKey(peer);
                if !self.table.has.contains_key(&peer) {
                    let has = has.iter().zip(0..self.count).filter(|(has, _)| **has).map(|(_, piece)| piece);
                    self.table.join(peer.0, has.collect::<Vec<_>>());
                }
            }
            Step::Gain(peer, piece) => {
                if let Some(has) = self.table.has.get_mut(&ConnKey(peer))
                    && has.insert(PieceIndex(piece))
                {
                    picker.peer_gains(PieceIndex(piece));
                }
            }
            Step::Lose(peer, piece) => {
                if let Some(has) = self.table.has.get_mut(&ConnKey(peer))
                    && has.remove(PieceIndex(piece))
                {
                    picker.peer_loses(PieceIndex(piece));
                }
            }
            Step::Leave(peer) => {
                if let Some(has) = self.table.has.remove(&ConnKey(peer)) {
                    picker.peer_leaves(&has);
                    picker.peer_gone(ConnKey(peer));
                    self.refused.retain(|(other, _)| *other != ConnKey(peer));
                }
            }
            Step::Pick(peer, count, fast) => {
                self.pick(ConnKey(peer), count, if fast { Speed::Fast } else { Speed::Slow });
            }
            Step::Allowed(peer, only) => {
                let only: Vec<_> = only.into_iter().map(PieceIndex).collect();
                let mut out = Vec::new();
                if let Some(has) = self.table.has.get(&ConnKey(peer)) {
                    let pieces = &self.table.pieces;
                    picker.pick(pieces, ConnKey(peer), has, 5, Speed::Slow, Some(&only), &mut out);
                    assert!(out.iter().all(|block| only.contains(&block.piece) && has.contains(block.piece)));
                }
            }
            Step::Receive(peer, which) => {
                if let Some(block) = self.asked(ConnKey(peer), which) {
                    self.receive(ConnKey(peer), block);
                }
            }
            Step::Stray(peer, piece, block) => {
                let begin = block * BLOCK_SIZE;
                self.receive(ConnKey(peer), BlockRef { piece: PieceIndex(piece), begin, len: BLOCK_SIZE });
            }
            Step::GiveBack(peer, which) => {
                if let Some(block) = self.asked(ConnKey(peer), which) {
                    self.table.picker.give_back(ConnKey(peer), block);
                }
            }
            Step::Refuse(peer, which) => {
                if let Some(block) = self.asked(ConnKey(peer), which) {
                    self.table.picker.refused(ConnKey(peer), block);
                    self.refused.insert((ConnKey(peer), block.piece));
                }
            }
            Step::Choke(peer) => picker.give_back_all(ConnKey(peer)),
            Step::Forgive(peer) => {
                picker.forgive(ConnKey(peer));
                self.refused.retain(|(other, _)| *other != ConnKey(peer));
            }
            Step::Fail(piece) => picker.piece_failed(PieceIndex(piece)),
            Step::Parole(piece) => picker.set_parole(PieceIndex(piece % self.count)),
            Step::Lost(piece) => _ = self.table.pieces.remove(PieceIndex(piece)),
            Step::Prioritise(list) => {
                use Priority::{High, Low, Normal, Skip};
                let list: Vec<_> =
                    list.iter().map(|at| [Skip, Low, Normal, High][usize::from(*at)]).collect();
                self.table.pieces.set_priorities(&list);
            }
            Step::Sequential(on) => {
                picker.set_sequential(on);
                self.sequential = on;
            }
        }
        self.table.check();
    }

    /// With one honest seed everything comes in the end.
    fn finish(&mut self) {
        let peers: Vec<_> = self.table.has.keys().copied().collect();
        for peer in peers {
            self.apply(Step::Leave(peer.0));
        }
        let stuck: Vec<_> = self.table.pieces.missing().iter().collect();
        stuck.into_iter().for_each(|piece| self.table.picker.piece_failed(piece));
        let seed = self.table.seed(99);
        while !self.table.pieces.is_complete() {
            let blocks = self.table.pick(seed, 5, Speed::Slow);
            assert!(!blocks.is_empty(), "{:?} is stuck", self.table.pieces.missing());
            for block in blocks {
                self.table.receive(seed, block);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn any_operations_keep_the_promises(
        count in 1u32..24,
        blocks in 1u32..4,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut model = Model::new(count, blocks);
        steps.into_iter().for_each(|step| model.apply(step));
        model.finish();
    }
}
