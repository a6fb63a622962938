//! The whole blocks of a message that comes in parts, in the order in which they are hashed.

use crate::hash::Block;
use crate::hash::stream::Stream;

/// A message on its way through a lane.
pub(super) struct Feed<'a, const WORDS: usize, P> {
    /// Which of the caller's messages it is.
    pub(super) number: usize,
    pub(super) stream: Stream<WORDS>,
    parts: &'a [P],
    part: &'a [u8],
    /// Whole blocks of the caller's that are next.
    blocks: &'a [Block],
    /// The end of the message, where it is to end with these parts: its blocks, how many, how many of them are done.
    end: Option<([Block; 2], usize, usize)>,
    ends: bool,
    left: u64,
}

impl<'a, const WORDS: usize, P: AsRef<[u8]>> Feed<'a, WORDS, P> {
    /// A message that goes on with `parts`, and ends with them where `ends`.
    pub(super) fn new(number: usize, stream: Stream<WORDS>, parts: &'a [P], ends: bool) -> Self {
        let left = parts.iter().map(|part| part.as_ref().len() as u64).sum();
        let mut feed = Self { number, stream, parts, part: &[], blocks: &[], end: None, ends, left };
        feed.find_blocks();
        feed
    }

    /// How many bytes it had from the start.
    pub(super) fn bytes(&self) -> u64 {
        self.left
    }

    /// The blocks that are next, as many as lie side by side; none once all are done.
    pub(super) fn next(&self) -> &[Block] {
        match &self.end {
            Some((tail, count, done)) => &tail[*done..*count],
            None if self.blocks.is_empty() && self.stream.is_full() => {
                std::slice::from_ref(&self.stream.buffer)
            }
            None => self.blocks,
        }
    }

    /// So many of the next blocks were dealt with.
    pub(super) fn advance(&mut self, count: usize) {
        if let Some((_, _, done)) = &mut self.end {
            *done += count;
        } else if !self.blocks.is_empty() {
            self.blocks = &self.blocks[count..];
        } else {
            self.stream.empty();
        }
        if self.blocks.is_empty() && self.end.is_none() {
            self.find_blocks();
        }
    }

    /// Goes on through the parts until there is a whole block again.
    fn find_blocks(&mut self) {
        loop {
            while self.part.is_empty() {
                let Some((part, later)) = self.parts.split_first() else {
                    self.end = self.ends.then(|| {
                        let (tail, count) = self.stream.tail();
                        (tail, count, 0)
                    });
                    return;
                };
                (self.part, self.parts) = (part.as_ref(), later);
            }
            self.blocks = self.stream.take(&mut self.part);
            if !self.blocks.is_empty() || self.stream.is_full() {
                return;
            }
        }
    }
}
