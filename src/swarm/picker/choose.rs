//! What to ask of a peer: pieces that are begun before others, then the rarest.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::asked::Askers;
use super::open::Open;
use crate::base::{Bitfield, BlockRef, ConnKey, PieceIndex, Rng};
use crate::metainfo::Layout;
use crate::swarm::pool::{LEVELS, Offer, Order, Pool};
use crate::swarm::{Pieces, Priority};

/// So many pieces are taken at random before rarity counts, so that there soon is something to trade.
const RANDOM_PIECES: usize = 4;
/// Bytes of blocks that may be asked for or held back by a gap, unless told otherwise.
const OPEN_BYTES: u64 = 64 * 1024 * 1024;

/// How a peer is best used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// It would take long over a piece, so it shares pieces with others.
    Slow,
    /// It gets whole pieces of its own.
    Fast,
}

/// The choice of blocks for one torrent.
///
/// Every missing piece is exactly one of: not wanted, in the pool, or open. An open block is exactly one of: free, asked of
/// at least one peer, or here.
#[derive(Debug)]
pub struct Picker {
    pub(super) layout: Arc<Layout>,
    rng: Rng,
    pub(super) pool: Pool,
    pub(super) open: Open,
    pub(super) askers: Askers,
    /// Pieces that one peer alone is to deliver.
    pub(super) parole: BTreeSet<PieceIndex>,
    sequential: bool,
    open_bytes: u64,
    /// The state of [`Pieces`] that the pool was made from.
    generation: Option<u64>,
}

/// One request for blocks as it goes through the steps of the choice.
pub(super) struct Wish<'a> {
    pub(super) who: usize,
    pub(super) has: &'a Bitfield,
    pub(super) speed: Speed,
    /// The length of `out` at which there is enough.
    pub(super) goal: usize,
    pub(super) out: &'a mut Vec<BlockRef>,
}

impl Wish<'_> {
    pub(super) fn is_filled(&self) -> bool {
        self.out.len() >= self.goal
    }
}

impl Picker {
    /// Nobody is there and nothing is begun.
    pub fn new(layout: Arc<Layout>, rng: Rng) -> Self {
        Self {
            pool: Pool::new(layout.piece_count() as usize),
            open: Open::default(),
            askers: Askers::default(),
            parole: BTreeSet::new(),
            sequential: false,
            open_bytes: OPEN_BYTES,
            generation: None,
            layout,
            rng,
        }
    }

    /// Takes pieces in order instead of the rarest first, or ceases to.
    pub fn set_sequential(&mut self, on: bool) {
        self.sequential = on;
    }

    /// Limits the bytes of blocks that are asked for or held back by a gap before them; no piece is begun above it.
    pub fn set_open_limit(&mut self, max_open_bytes: u64) {
        self.open_bytes = max_open_bytes;
    }

    /// A peer has come with those pieces.
    pub fn peer_has(&mut self, has: &Bitfield) {
        self.pool.add_peer(has);
    }

    /// A peer has got the piece.
    pub fn peer_gains(&mut self, piece: PieceIndex) {
        self.pool.add(piece);
    }

    /// A peer no longer has the piece (BEP 54).
    pub fn peer_loses(&mut self, piece: PieceIndex) {
        self.pool.remove(piece);
    }

    /// A peer with those pieces has left; what was asked of it is given back by [`Picker::peer_gone`].
    pub fn peer_leaves(&mut self, has: &Bitfield) {
        self.pool.remove_peer(has);
    }

    /// Asks `peer`, which has `has`, for up to `count` blocks and puts them into `out`. While the peer chokes, `only` names
    /// the pieces that it gives all the same (BEP 6).
    #[expect(clippy::too_many_arguments, reason = "each says something else about one request")]
    pub fn pick(
        &mut self,
        pieces: &Pieces,
        peer: ConnKey,
        has: &Bitfield,
        count: usize,
        speed: Speed,
        only: Option<&[PieceIndex]>,
        out: &mut Vec<BlockRef>,
    ) {
        self.follow(pieces);
        if count == 0 || pieces.is_complete() || has.none() {
            return;
        }
        let goal = out.len() + count;
        let mut wish = Wish { who: self.askers.enter(peer), has, speed, goal, out };
        if let Some(only) = only {
            self.pick_allowed(pieces, only, &mut wish);
            return;
        }
        self.go_on(&mut wish);
        for level in 0..LEVELS {
            self.join_begun(level, &mut wish);
            self.begin_new(level, pieces, &mut wish);
        }
        self.share_owned(&mut wish);
        if !wish.is_filled() {
            self.pick_again(pieces, &mut wish);
        }
    }

    /// Puts `picked`, which `peer` was just asked for, into another order: some `together` of one piece, then some of the
    /// next, around and around. Pieces that arrive side by side can be hashed side by side.
    pub fn side_by_side(&mut self, peer: ConnKey, picked: &mut [BlockRef], together: usize) {
        let Some(who) = self.askers.id(peer) else { return };
        let mut pieces: Vec<VecDeque<&[BlockRef]>> = picked
            .chunk_by(|a, b| a.piece == b.piece)
            .map(|piece| piece.chunks(together.max(1)).collect())
            .collect();
        if pieces.len() < 2 {
            return;
        }
        let mut order = Vec::with_capacity(picked.len());
        while order.len() < picked.len() {
            pieces.iter_mut().filter_map(VecDeque::pop_front).for_each(|some| order.extend_from_slice(some));
        }
        picked.copy_from_slice(&order);
        let asked = &mut self.askers.get_mut(who).asked;
        let before = asked.len().saturating_sub(picked.len());
        asked.iter_mut().skip(before).zip(picked).for_each(|(asked, block)| *asked = *block);
    }

    /// How many blocks are expected from the peer.
    pub fn requested_of(&self, peer: ConnKey) -> usize {
        self.askers.id(peer).map_or(0, |who| self.askers.get(who).asked.len())
    }

    /// The blocks expected from the peer, in the order they were asked for.
    pub fn requests_of(&self, peer: ConnKey) -> impl Iterator<Item = BlockRef> + '_ {
        self.askers.id(peer).into_iter().flat_map(|who| self.askers.get(who).asked.iter().copied())
    }

    /// Copies of the piece among peers.
    pub fn availability(&self, piece: PieceIndex) -> u32 {
        self.pool.availability(piece)
    }

    /// Whole copies among peers: those of the rarest piece, and as a fraction how many pieces have one more.
    pub fn rarest(&self) -> f32 {
        self.pool.copies()
    }

    /// How many pieces are begun and not yet verified.
    pub fn open_pieces(&self) -> usize {
        self.open.len()
    }

    /// Bytes of blocks that are asked for or held back by a gap before them.
    pub fn open_bytes(&self) -> u64 {
        self.open.held_bytes()
    }

    /// The level of a piece that may be asked for.
    pub(super) fn level(pieces: &Pieces, piece: PieceIndex) -> Option<usize> {
        if pieces.have().contains(piece) {
            return None;
        }
        match pieces.wanted(piece) {
            Priority::High => Some(0),
            Priority::Normal => Some(1),
            Priority::Low => Some(2),
            Priority::Skip => None,
        }
    }

    /// Makes the pool anew where what is wanted has changed.
    fn follow(&mut self, pieces: &Pieces) {
        if self.generation == Some(pieces.generation()) {
            return;
        }
        self.generation = Some(pieces.generation());
        for piece in self.layout.pieces() {
            let level = Self::level(pieces, piece);
            match (self.open.id(piece), level) {
                (Some(id), level) => self.open.get_mut(id).level = level,
                (None, Some(level)) => self.pool.put(piece, level),
                (None, None) => _ = self.pool.take(piece),
            }
        }
    }

    /// Goes on with the piece that the peer was last asked for.
    fn go_on(&mut self, wish: &mut Wish<'_>) {
        let current = self.askers.get(wish.who).current;
        if let Some(id) = current.and_then(|piece| self.open.id(piece))
            && self.may_join(id, wish, None)
        {
            self.ask(id, wish, false);
        }
    }

    /// Takes up pieces that are begun and nobody's own, those with the fewest free blocks first.
    fn join_begun(&mut self, level: usize, wish: &mut Wish<'_>) {
        while !wish.is_filled() {
            let begun = self.open.unfinished().iter().copied();
            let best = begun
                .filter(|id| self.may_join(*id, wish, Some(level)))
                .min_by_key(|id| (self.open.get(*id).free(), self.open.get(*id).piece));
            let Some(id) = best else { return };
            self.own(id, wish);
            self.ask(id, wish, false);
        }
    }

    /// Begins pieces of the pool.
    fn begin_new(&mut self, level: usize, pieces: &Pieces, wish: &mut Wish<'_>) {
        if self.pool.is_empty(level) {
            return;
        }
        while !wish.is_filled() && self.has_room(wish.who) {
            let order = match pieces.have().count() {
                _ if self.sequential => Order::First,
                ..RANDOM_PIECES => Order::Random,
                _ => Order::Rarest,
            };
            let asker = self.askers.get_mut(wish.who);
            let offer = Offer { has: wish.has, have: pieces.have(), refused: &asker.refused };
            let chosen = self.pool.choose(level, offer, order, &mut asker.memory, &mut self.rng);
            let Some(piece) = chosen else { return };
            let id = self.begin(piece, level);
            self.own(id, wish);
            self.ask(id, wish, false);
        }
    }

    /// Helps others with pieces of their own, from the far end.
    fn share_owned(&mut self, wish: &mut Wish<'_>) {
        while !wish.is_filled() {
            let begun = self.open.unfinished().iter().copied();
            let offered = begun.filter(|id| {
                let partial = self.open.get(*id);
                partial.level.is_some() && !partial.parole && self.gives(wish, partial.piece)
            });
            let best = offered.min_by_key(|id| {
                let partial = self.open.get(*id);
                (partial.level, std::cmp::Reverse(partial.free()), partial.piece)
            });
            let Some(id) = best else { return };
            self.ask(id, wish, true);
        }
    }

    /// Asks for nothing but blocks of those pieces.
    fn pick_allowed(&mut self, pieces: &Pieces, only: &[PieceIndex], wish: &mut Wish<'_>) {
        for piece in only.iter().copied() {
            let Some(level) = Self::level(pieces, piece) else { continue };
            if wish.is_filled() || !self.gives(wish, piece) {
                continue;
            }
            let id = match self.open.id(piece) {
                Some(id) if self.may_join(id, wish, None) => id,
                None if self.has_room(wish.who) => self.begin(piece, level),
                _ => continue,
            };
            self.own(id, wish);
            self.ask(id, wish, false);
        }
    }

    fn begin(&mut self, piece: PieceIndex, level: usize) -> usize {
        self.pool.take(piece);
        self.open.begin(&self.layout, piece, level, self.parole.contains(&piece))
    }

    /// Gives the piece to a fast peer, or to any where one alone is to deliver it.
    fn own(&mut self, id: usize, wish: &Wish<'_>) {
        let partial = self.open.get_mut(id);
        if partial.owner.is_none() && !partial.is_awaited() && (wish.speed == Speed::Fast || partial.parole) {
            partial.owner = Some(wish.who);
        }
    }

    /// Asks for free blocks of the piece as far as wished.
    fn ask(&mut self, id: usize, wish: &mut Wish<'_>, last: bool) {
        let asker = self.askers.get_mut(wish.who);
        asker.current = Some(self.open.get(id).piece);
        while !wish.is_filled()
            && let Some(block) = self.open.ask(&self.layout, id, wish.who, last)
        {
            asker.asked.push_back(block);
            wish.out.push(block);
        }
    }

    /// Whether the peer may be asked for free blocks of an open piece that is nobody else's.
    fn may_join(&self, id: usize, wish: &Wish<'_>, level: Option<usize>) -> bool {
        let partial = self.open.get(id);
        let wanted = if level.is_some() { partial.level == level } else { partial.level.is_some() };
        let mine = partial.owner == Some(wish.who);
        let open = partial.owner.is_none() && !(partial.parole && partial.is_awaited());
        wanted && partial.free() > 0 && (mine || open) && self.gives(wish, partial.piece)
    }

    /// Whether the peer has the piece and does not refuse it.
    fn gives(&self, wish: &Wish<'_>, piece: PieceIndex) -> bool {
        wish.has.contains(piece) && !self.askers.get(wish.who).refused.contains(&piece)
    }

    /// Whether one more piece may be begun. A peer without work may go above the limit, up to four times, lest pieces that
    /// nobody can finish stop everything.
    fn has_room(&self, who: usize) -> bool {
        let idle = self.askers.get(who).asked.is_empty();
        self.open.held_bytes() < if idle { self.open_bytes.saturating_mul(4) } else { self.open_bytes }
    }
}
