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
const KEPT: usize = 40;
/// Runs kept among them that were given out as a whole: somebody else may want the same about the same time.
const SPENT: usize = 4;
/// Runs that are read before their first block is due, for one peer: what is read much sooner is out of the processor's
/// cache by the time it is sent.
const AHEAD: usize = 8;
/// Reads under way.
const PENDING: usize = 24;

/// What was read lately and what is being read.
#[derive(Debug, Default)]
pub(super) struct Reads {
    runs: BTreeMap<BlockRef, Run>,
    /// Those of which something was not asked for yet, the oldest first.
    order: VecDeque<BlockRef>,
    /// The others, the one that was given out first in front.
    spent: VecDeque<BlockRef>,
    pending: Vec<BlockRef>,
}

#[derive(Debug)]
struct Run {
    bytes: Bytes,
    /// Bytes of it that were given out.
    given: u64,
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
        if let Some(kept) = self.runs.get_mut(&run) {
            let at = (block.begin - run.begin) as usize;
            let bytes = kept.bytes.slice(at..at + block.len as usize);
            let was_spent = kept.given >= u64::from(run.len);
            kept.given += u64::from(block.len);
            if !was_spent && kept.given >= u64::from(run.len) {
                self.spend(run);
            }
            return Some(bytes);
        }
        self.ask(torrent, run, shared);
        None
    }

    /// Reads the runs of blocks that will be wanted soon, up to so many of them.
    pub(super) fn ahead(
        &mut self,
        torrent: TorrentKey,
        layout: &Layout,
        blocks: impl Iterator<Item = BlockRef>,
        shared: &mut Shared,
    ) {
        let (mut last, mut runs) = (None, 0);
        for block in blocks {
            let run = Self::run_of(layout, block);
            if last == Some(run) {
                continue;
            }
            (last, runs) = (Some(run), runs + 1);
            if runs > AHEAD || self.pending.len() >= PENDING {
                return;
            }
            if !self.runs.contains_key(&run) {
                self.ask(torrent, run, shared);
            }
        }
    }

    /// A read has ended well.
    pub(super) fn arrived(&mut self, run: BlockRef, bytes: Bytes) {
        self.pending.retain(|pending| *pending != run);
        if self.runs.insert(run, Run { bytes, given: 0 }).is_none() {
            self.order.push_back(run);
        }
        while self.runs.len() > KEPT
            && let Some(oldest) = self.spent.pop_front().or_else(|| self.order.pop_front())
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
        self.spent.clear();
        self.pending.clear();
    }

    /// Bytes kept.
    pub(super) fn bytes(&self) -> u64 {
        self.runs.values().map(|run| run.bytes.len() as u64).sum()
    }

    /// All of a run was given out.
    fn spend(&mut self, run: BlockRef) {
        self.order.retain(|kept| *kept != run);
        self.spent.push_back(run);
        while self.spent.len() > SPENT
            && let Some(oldest) = self.spent.pop_front()
        {
            self.runs.remove(&oldest);
        }
    }

    fn ask(&mut self, torrent: TorrentKey, run: BlockRef, shared: &mut Shared) {
        if self.pending.len() < PENDING && !self.pending.contains(&run) {
            self.pending.push(run);
            shared.disk(Job::Read { torrent, run, tag: 0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Settings;
    use crate::base::{BLOCK_SIZE, Moment, PieceIndex, Rng};
    use crate::engine::Output;
    use crate::metainfo::File;

    const KEY: TorrentKey = TorrentKey(1);

    fn table() -> (Reads, Layout, Shared) {
        let file = File { path: vec!["t".into()], length: 64 << 20, pad: false, executable: false };
        let layout = Layout::new(vec![file], 1 << 20).expect("a layout");
        let settings = std::sync::Arc::new(Settings::default());
        (Reads::default(), layout, Shared::new(Moment::ZERO, 0, settings, Rng::new(1)))
    }

    fn block(number: u32) -> BlockRef {
        let begin = number % 64 * BLOCK_SIZE;
        BlockRef { piece: PieceIndex(number / 64), begin, len: BLOCK_SIZE }
    }

    /// The runs that the disk was asked for since the last call.
    fn asked(shared: &mut Shared) -> Vec<BlockRef> {
        std::iter::from_fn(|| shared.take_output())
            .map(|output| match output {
                Output::Disk(Job::Read { run, .. }) => run,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_run_is_read_once_and_kept_for_a_while_after_all_of_it_was_given_out() {
        let (mut reads, layout, mut shared) = table();
        let per_run = RUN / BLOCK_SIZE;
        for run in 0..20 {
            let blocks = run * per_run..(run + 1) * per_run;
            assert_eq!(reads.block(KEY, &layout, block(blocks.start), &mut shared), None);
            assert_eq!(reads.block(KEY, &layout, block(blocks.start + 1), &mut shared), None);
            let [run] = asked(&mut shared)[..] else { panic!("it is read once") };
            reads.arrived(run, Bytes::from(vec![run.begin as u8; run.len as usize]));
            assert!(blocks.clone().all(|number| {
                let data = reads.block(KEY, &layout, block(number), &mut shared);
                data.is_some_and(|data| data.len() == BLOCK_SIZE as usize)
            }));
        }
        assert_eq!(reads.bytes(), SPENT as u64 * u64::from(RUN));
        // The last ones are still there for others.
        assert!(reads.block(KEY, &layout, block(20 * per_run - 1), &mut shared).is_some());
        assert_eq!(reads.block(KEY, &layout, block(0), &mut shared), None);
        assert_eq!(asked(&mut shared).len(), 1);
    }

    #[test]
    fn what_is_due_soon_is_read_before_and_not_without_end() {
        let (mut reads, layout, mut shared) = table();
        reads.ahead(KEY, &layout, (0..640).map(block), &mut shared);
        let first = asked(&mut shared);
        assert_eq!(first.len(), AHEAD);
        reads.ahead(KEY, &layout, (0..640).map(block), &mut shared);
        assert!(asked(&mut shared).is_empty(), "it is on its way");
        for _ in 0..10 {
            reads.ahead(KEY, &layout, (640..4_000).step_by(16).map(block), &mut shared);
        }
        assert!(first.len() + asked(&mut shared).len() <= PENDING);
        // Nobody asks for any of it: the oldest make room.
        for run in 0..100 {
            let run = BlockRef { piece: PieceIndex(run / 4), begin: run % 4 * RUN, len: RUN };
            reads.arrived(run, Bytes::from_static(&[0; RUN as usize]));
        }
        assert_eq!(reads.bytes(), KEPT as u64 * u64::from(RUN));
    }
}
