//! How many blocks to have asked for at once: rate times time, found by a slow start.

use crate::base::{BLOCK_SIZE, Moment, Span, limits};

/// Blocks asked for before anything is known of the peer.
const FIRST: usize = 16;
/// The fewest blocks to have asked for of a peer that delivers.
const FEWEST: usize = 4;
/// Blocks for so long are asked for ahead.
const AHEAD: Span = Span::from_millis(1_000);
/// Blocks asked for of a peer that does not say how many it takes.
const UNSAID: usize = 250;
/// A peer that delivered nothing for so long is snubbed (BEP 3).
const SNUB: Span = Span::from_secs(60);

/// The length of one peer's queue of requests.
#[derive(Clone, Debug)]
pub struct Pipeline {
    target: usize,
    most: usize,
    starting: bool,
    /// The rate at the last look, to see whether it still grows.
    last_rate: u64,
    /// Since when something is expected and nothing came.
    silent_since: Option<Moment>,
    snubbed: bool,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self { target: FIRST, most: UNSAID, starting: true, last_rate: 0, silent_since: None, snubbed: false }
    }
}

impl Pipeline {
    /// The peer takes no more requests than this at once (`reqq`, BEP 10).
    pub fn set_most(&mut self, most: u32) {
        self.most = (most as usize).clamp(1, limits::REQUESTS_OUT);
        self.target = self.target.min(self.most);
    }

    /// Blocks to have asked for.
    pub fn target(&self) -> usize {
        if self.snubbed { 1 } else { self.target }
    }

    /// Whether the peer was asked and sent nothing for a minute.
    pub fn is_snubbed(&self) -> bool {
        self.snubbed
    }

    /// Something was asked for.
    pub fn asked(&mut self, now: Moment) {
        self.silent_since.get_or_insert(now);
    }

    /// Blocks have come; `expected` says whether more are to come.
    pub fn received(&mut self, now: Moment, blocks: usize, expected: bool) {
        self.snubbed = false;
        self.silent_since = expected.then_some(now);
        if self.starting {
            self.target = (self.target + blocks).min(self.most);
        }
    }

    /// Nothing is expected any more.
    pub fn emptied(&mut self) {
        self.silent_since = None;
    }

    /// Looks at the rate, once a second. True where the peer has become snubbed.
    pub fn tick(&mut self, now: Moment, rate: u64) -> bool {
        let fitting =
            (rate as u128 * u128::from(AHEAD.micros()) / 1_000_000 / u128::from(BLOCK_SIZE)) as usize;
        if self.starting && self.last_rate > 0 && rate <= self.last_rate + self.last_rate / 10 {
            self.starting = false;
        }
        if rate > 0 {
            self.last_rate = rate;
        }
        if !self.starting {
            self.target = fitting.max(FEWEST).min(self.most);
        }
        let silent = self.silent_since.is_some_and(|since| now.since(since) >= SNUB);
        let turned = silent && !self.snubbed;
        if turned {
            (self.snubbed, self.starting, self.target) = (true, true, FEWEST.min(self.most));
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Moment {
        Moment::ZERO + Span::from_secs(secs)
    }

    #[test]
    fn the_queue_grows_with_what_comes_and_settles_at_the_rate() {
        let mut pipeline = Pipeline::default();
        pipeline.set_most(1_000);
        pipeline.asked(at(0));
        pipeline.received(at(0), 100, true);
        assert_eq!(pipeline.target(), FIRST + 100);
        assert!(!pipeline.tick(at(1), 1_000_000));
        pipeline.received(at(1), 100, true);
        assert!(!pipeline.tick(at(2), 1_050_000));
        assert_eq!(pipeline.target(), 1_050_000 / 16_384);
        pipeline.tick(at(3), 0);
        assert_eq!(pipeline.target(), FEWEST);
        pipeline.tick(at(4), 1 << 40);
        assert_eq!(pipeline.target(), 1_000);
    }

    #[test]
    fn a_minute_of_silence_snubs_and_one_block_forgives() {
        let mut pipeline = Pipeline::default();
        assert!(!pipeline.tick(at(500), 0), "nothing was asked for");
        pipeline.asked(at(500));
        assert!(!pipeline.tick(at(559), 0));
        assert!(pipeline.tick(at(560), 0) && pipeline.is_snubbed());
        assert_eq!(pipeline.target(), 1);
        assert!(!pipeline.tick(at(561), 0), "it is said once");
        pipeline.received(at(562), 1, false);
        assert!(!pipeline.is_snubbed() && !pipeline.tick(at(900), 0));
    }
}
