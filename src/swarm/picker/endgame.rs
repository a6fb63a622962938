//! The end game (BEP 3): when every missing block has been asked for, the last ones are asked of several peers.

use super::choose::{Picker, Wish};
use crate::base::BlockRef;
use crate::swarm::Pieces;

/// A peer with so many blocks before it gets none of those that others were asked for.
const SHORT_QUEUE: usize = 4;
/// Peers asked for one block at once.
const ASKERS: usize = 3;
/// Blocks looked at for one peer.
const LOOKED_AT: usize = 1_024;

impl Picker {
    /// Asks for blocks that were asked of others: those asked of the fewest, and among them those that will take longest,
    /// at the end of the longest queues.
    pub(super) fn pick_again(&mut self, pieces: &Pieces, wish: &mut Wish<'_>) {
        let mine = self.askers.get(wish.who).asked.len();
        if mine >= SHORT_QUEUE || !self.is_endgame() {
            return;
        }
        let goal = wish.goal.min(wish.out.len() + SHORT_QUEUE - mine);
        let mut queues: Vec<(usize, usize)> = self
            .askers
            .iter()
            .filter(|(who, asker)| *who != wish.who && !asker.asked.is_empty())
            .map(|(who, asker)| (asker.asked.len(), who))
            .collect();
        queues.sort_unstable_by(|a, b| b.cmp(a));
        for others in 0..ASKERS - 1 {
            let mut looks = LOOKED_AT;
            for (_, other) in &queues {
                let mut back = 1;
                while wish.out.len() < goal && looks > 0 {
                    let queue = &self.askers.get(*other).asked;
                    let Some(block) = queue.len().checked_sub(back).map(|at| queue[at]) else { break };
                    (back, looks) = (back + 1, looks - 1);
                    if self.open.asked_also(block) == others && self.may_repeat(pieces, block, wish) {
                        self.open.ask_also(block, wish.who);
                        self.askers.get_mut(wish.who).asked.push_back(block);
                        wish.out.push(block);
                    }
                }
            }
        }
    }

    /// Whether every block that somebody has was asked for.
    fn is_endgame(&self) -> bool {
        let free = |id: &usize| {
            let partial = self.open.get(*id);
            partial.level.is_some() && !partial.parole && self.pool.availability(partial.piece) > 0
        };
        self.pool.reachable() == 0 && !self.open.unfinished().iter().any(free)
    }

    fn may_repeat(&self, pieces: &Pieces, block: BlockRef, wish: &Wish<'_>) -> bool {
        let asker = self.askers.get(wish.who);
        wish.has.contains(block.piece)
            && pieces.missing().contains(block.piece)
            && !self.parole.contains(&block.piece)
            && !asker.refused.contains(&block.piece)
            && !asker.asked.contains(&block)
    }
}
