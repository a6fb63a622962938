//! Runs of pieces read for uploads: each is read once for all who ask for blocks of it about the same time.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::base::{BlockRef, TorrentKey};
use crate::disk::Job;
use crate::engine::shared::Shared;
use crate::metainfo::Layout;

/// Bytes read at once.
const RUN: u32 = 256 * 1024;
/// Runs that are kept.
const KEPT: usize = 48;
/// Reads under way.
const PENDING: usize = 32;

/// What was read lately and what is being read.
#[derive(Debug, Default)]
pub(super) struct Reads {
    runs: BTreeMap<BlockRef, Bytes>,
    /// The oldest first.
    order: VecDeque<BlockRef>,
    pending: Vec<BlockRef>,
}

impl Reads {
    /// The run that a block lies in.
    fn run_of(layout: &Layout, block: BlockRef) -> BlockRef {
        let begin = block.begin / RUN * RUN;
        let len = RUN.min(layout.piece_size(block.piece) - begin);
        if block.end() > u64::from(begin) + u64::from(len) {
            return block;
        }
        BlockRef { piece: block.piece, begin, len }
    }

    /// A block that was read; where it was not, its run is read now unless too much is being read.
    pub(super) fn block(
        &mut self,
        torrent: TorrentKey,
        layout: &Layout,
        block: BlockRef,
        shared: &mut Shared,
    ) -> Option<Bytes> {
        let run = Self::run_of(layout, block);
        if let Some(bytes) = self.runs.get(&run) {
            let at = (block.begin - run.begin) as usize;
            return Some(bytes.slice(at..at + block.len as usize));
        }
        self.ask(torrent, run, shared);
        None
    }

    /// Reads the run of a block that will be wanted soon.
    pub(super) fn ahead(
        &mut self,
        torrent: TorrentKey,
        layout: &Layout,
        block: BlockRef,
        shared: &mut Shared,
    ) {
        let run = Self::run_of(layout, block);
        if !self.runs.contains_key(&run) {
            self.ask(torrent, run, shared);
        }
    }

    /// A read has ended well.
    pub(super) fn arrived(&mut self, run: BlockRef, bytes: Bytes) {
        self.pending.retain(|pending| *pending != run);
        if self.runs.insert(run, bytes).is_none() {
            self.order.push_back(run);
        }
        while self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.runs.remove(&oldest);
        }
    }

    /// A read has failed.
    pub(super) fn failed(&mut self, run: BlockRef) {
        self.pending.retain(|pending| *pending != run);
    }

    /// Forgets everything that was read.
    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.order.clear();
        self.pending.clear();
    }

    /// Bytes kept.
    pub(super) fn bytes(&self) -> u64 {
        self.runs.values().map(|bytes| bytes.len() as u64).sum()
    }

    fn ask(&mut self, torrent: TorrentKey, run: BlockRef, shared: &mut Shared) {
        if self.pending.len() < PENDING && !self.pending.contains(&run) {
            self.pending.push(run);
            shared.disk(Job::Read { torrent, run, tag: 0 });
        }
    }
}
