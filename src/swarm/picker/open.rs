//! Pieces that are begun: the state of each of their blocks, and who was asked.

use std::collections::HashMap;

use slab::Slab;

use crate::base::{BLOCK_SIZE, BlockRef, PieceIndex};
use crate::metainfo::Layout;

/// Nobody was asked for the block.
const FREE: u32 = 0;
/// The block is here.
const DONE: u32 = 1;
/// The first of those who were asked, by their number from here.
const ASKED: u32 = 2;

/// One piece that is begun and not yet verified.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) piece: PieceIndex,
    /// Each block: free, done, or asked of somebody.
    blocks: Vec<u32>,
    free: u32,
    done: u32,
    /// Done blocks at the beginning without a gap; they need no memory, for they can be written.
    written: u32,
    /// No block before this one is free.
    low: u32,
    /// The peer that has the piece to itself.
    pub(super) owner: Option<usize>,
    /// The level that it is wanted at; nothing where it is no longer wanted.
    pub(super) level: Option<usize>,
    /// Whether one peer alone is to deliver it.
    pub(super) parole: bool,
    /// Where it stands in the list of pieces that have free blocks.
    listed: Option<usize>,
}

impl Partial {
    pub(super) fn free(&self) -> u32 {
        self.free
    }

    pub(super) fn is_whole(&self) -> bool {
        self.done as usize == self.blocks.len()
    }

    /// Whether nothing was asked for and nothing came.
    pub(super) fn is_untouched(&self) -> bool {
        self.free as usize == self.blocks.len()
    }

    /// Whether somebody was asked for a block that has not come.
    pub(super) fn is_awaited(&self) -> bool {
        (self.free + self.done) as usize != self.blocks.len()
    }

    /// Blocks that are in memory, or will be when they come.
    fn held(&self) -> u64 {
        self.blocks.len() as u64 - u64::from(self.free + self.written)
    }
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Free,
    Done,
    /// Asked of this peer first.
    Asked(usize),
}

/// All pieces that are begun.
#[derive(Debug, Default)]
pub(super) struct Open {
    partials: Slab<Partial>,
    by_piece: HashMap<PieceIndex, usize>,
    /// Those with free blocks.
    unfinished: Vec<usize>,
    /// Those asked for a block besides the first.
    more: HashMap<BlockRef, Vec<usize>>,
    /// Blocks in memory, or that will be when they come.
    held: u64,
}

impl Open {
    /// Begins a piece.
    pub(super) fn begin(&mut self, layout: &Layout, piece: PieceIndex, level: usize, parole: bool) -> usize {
        debug_assert!(!self.by_piece.contains_key(&piece), "a piece is begun once");
        let blocks = layout.block_count(piece);
        let id = self.partials.insert(Partial {
            piece,
            blocks: vec![FREE; blocks as usize],
            free: blocks,
            done: 0,
            written: 0,
            low: 0,
            owner: None,
            level: Some(level),
            parole,
            listed: None,
        });
        self.by_piece.insert(piece, id);
        self.list(id);
        id
    }

    /// Forgets a piece.
    pub(super) fn close(&mut self, id: usize) -> Partial {
        let mut partial = self.partials.remove(id);
        self.by_piece.remove(&partial.piece);
        self.held -= partial.held();
        if let Some(at) = partial.listed.take() {
            self.unlist(at);
        }
        partial
    }

    pub(super) fn id(&self, piece: PieceIndex) -> Option<usize> {
        self.by_piece.get(&piece).copied()
    }

    pub(super) fn get(&self, id: usize) -> &Partial {
        &self.partials[id]
    }

    pub(super) fn get_mut(&mut self, id: usize) -> &mut Partial {
        &mut self.partials[id]
    }

    /// The pieces that have free blocks.
    pub(super) fn unfinished(&self) -> &[usize] {
        &self.unfinished
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = usize> + '_ {
        self.partials.iter().map(|(id, _)| id)
    }

    pub(super) fn len(&self) -> usize {
        self.partials.len()
    }

    /// Bytes in memory, or that will be when they come.
    pub(super) fn held_bytes(&self) -> u64 {
        self.held * u64::from(BLOCK_SIZE)
    }

    /// What became of a block; nothing for one that is cut otherwise than we ask for.
    pub(super) fn state(&self, layout: &Layout, block: BlockRef) -> Option<(usize, Block)> {
        let id = self.id(block.piece)?;
        let number = number(block);
        if layout.block(block.piece, number) != Some(block) {
            return None;
        }
        Some((id, self.block(id, number)))
    }

    fn block(&self, id: usize, number: u32) -> Block {
        match self.partials[id].blocks[number as usize] {
            FREE => Block::Free,
            DONE => Block::Done,
            asked => Block::Asked((asked - ASKED) as usize),
        }
    }

    /// Asks `who` for the first free block, or the last; nothing where none is free.
    pub(super) fn ask(&mut self, layout: &Layout, id: usize, who: usize, last: bool) -> Option<BlockRef> {
        let partial = &mut self.partials[id];
        if partial.free == 0 {
            return None;
        }
        let number = if last {
            partial.blocks.iter().rposition(|block| *block == FREE)?
        } else {
            let low = partial.low as usize;
            low + partial.blocks[low..].iter().position(|block| *block == FREE)?
        };
        partial.blocks[number] = ASKED + who as u32;
        if !last {
            partial.low = number as u32 + 1;
        }
        partial.free -= 1;
        self.held += 1;
        if partial.free == 0
            && let Some(at) = partial.listed.take()
        {
            self.unlist(at);
        }
        layout.block(self.partials[id].piece, number as u32)
    }

    /// Asks one more peer for a block that was asked of others.
    pub(super) fn ask_also(&mut self, block: BlockRef, who: usize) {
        self.more.entry(block).or_default().push(who);
    }

    /// How many were asked for the block besides the first.
    pub(super) fn asked_also(&self, block: BlockRef) -> usize {
        self.more.get(&block).map_or(0, Vec::len)
    }

    /// The block has come; returns everybody who was asked for it.
    pub(super) fn arrived(&mut self, id: usize, block: BlockRef) -> Vec<usize> {
        let mut asked =
            if self.more.is_empty() { None } else { self.more.remove(&block) }.unwrap_or_default();
        match self.block(id, number(block)) {
            Block::Asked(first) => asked.insert(0, first),
            Block::Free => {
                self.held += 1;
                let partial = &mut self.partials[id];
                partial.free -= 1;
                if partial.free == 0
                    && let Some(at) = partial.listed.take()
                {
                    self.unlist(at);
                }
            }
            Block::Done => return asked,
        }
        let partial = &mut self.partials[id];
        partial.blocks[number(block) as usize] = DONE;
        partial.done += 1;
        while partial.blocks.get(partial.written as usize) == Some(&DONE) {
            partial.written += 1;
            self.held -= 1;
        }
        asked
    }

    /// `who` will not deliver the block. It is free again where nobody else was asked.
    pub(super) fn give_back(&mut self, id: usize, block: BlockRef, who: usize) {
        let number = number(block) as usize;
        let mut heir = None;
        if let Some(more) = self.more.get_mut(&block) {
            if let Some(at) = more.iter().position(|other| *other == who) {
                more.remove(at);
            } else if !more.is_empty() {
                heir = Some(more.remove(0));
            }
            if more.is_empty() {
                self.more.remove(&block);
            }
        }
        let partial = &mut self.partials[id];
        if partial.owner == Some(who) {
            partial.owner = None;
        }
        if partial.blocks[number] != ASKED + who as u32 {
            return;
        }
        if let Some(heir) = heir {
            partial.blocks[number] = ASKED + heir as u32;
            return;
        }
        partial.blocks[number] = FREE;
        partial.free += 1;
        partial.low = partial.low.min(number as u32);
        self.held -= 1;
        self.list(id);
    }

    fn list(&mut self, id: usize) {
        let partial = &mut self.partials[id];
        if partial.listed.is_none() && partial.free > 0 {
            partial.listed = Some(self.unfinished.len());
            self.unfinished.push(id);
        }
    }

    fn unlist(&mut self, at: usize) {
        self.unfinished.swap_remove(at);
        if let Some(moved) = self.unfinished.get(at) {
            self.partials[*moved].listed = Some(at);
        }
    }

    /// Everybody who is asked for the block.
    #[cfg(test)]
    pub(super) fn asked_for(&self, block: BlockRef) -> Vec<usize> {
        match self.id(block.piece).map(|id| self.block(id, number(block))) {
            Some(Block::Asked(first)) => {
                [first].into_iter().chain(self.more.get(&block).into_iter().flatten().copied()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Panics where the books do not agree.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut held = 0;
        for (id, partial) in &self.partials {
            let count = |state: u32| partial.blocks.iter().filter(|block| **block == state).count();
            assert_eq!((count(FREE), count(DONE)), (partial.free as usize, partial.done as usize));
            let written = partial.blocks.iter().take_while(|block| **block == DONE).count();
            assert_eq!(written, partial.written as usize);
            assert!(partial.blocks[..partial.low as usize].iter().all(|block| *block != FREE));
            assert_eq!(partial.listed.map(|at| self.unfinished[at]), (partial.free > 0).then_some(id));
            assert_eq!(self.by_piece.get(&partial.piece), Some(&id));
            held += partial.held();
        }
        assert_eq!((held, self.by_piece.len()), (self.held, self.partials.len()));
        assert!(self.more.values().all(|more| !more.is_empty()));
        // Any order: each is checked by itself.
        for block in self.more.keys() {
            assert!(matches!(self.block(self.by_piece[&block.piece], number(*block)), Block::Asked(_)));
        }
        let free = self.partials.iter().filter(|(_, partial)| partial.free > 0).count();
        assert_eq!(free, self.unfinished.len());
    }
}

fn number(block: BlockRef) -> u32 {
    block.begin / BLOCK_SIZE
}
