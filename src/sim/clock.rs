//! Simulated time: what is to happen, in the order of its moments.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::{Moment, Span};

/// What is to happen, by moment; what was planned for the same moment happens in the order it was planned.
#[derive(Debug)]
pub struct Clock<T> {
    now: Moment,
    planned: u64,
    queue: BinaryHeap<Reverse<Planned<T>>>,
}

#[derive(Debug)]
struct Planned<T> {
    at: Moment,
    number: u64,
    what: T,
}

impl<T> Clock<T> {
    /// The beginning of time; nothing is planned.
    pub fn new() -> Self {
        Self { now: Moment::ZERO, planned: 0, queue: BinaryHeap::new() }
    }

    /// The present.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Plans something; what should have happened already happens next.
    pub fn at(&mut self, at: Moment, what: T) {
        self.planned += 1;
        self.queue.push(Reverse(Planned { at: at.max(self.now), number: self.planned, what }));
    }

    /// Plans something for later.
    pub fn after(&mut self, span: Span, what: T) {
        self.at(self.now + span, what);
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<Moment> {
        self.queue.peek().map(|next| next.0.at)
    }

    /// Goes on to the next thing.
    pub fn step(&mut self) -> Option<T> {
        let Reverse(next) = self.queue.pop()?;
        self.now = next.at;
        Some(next.what)
    }

    /// Lets time pass up to `moment`, before which nothing is planned.
    pub fn pass(&mut self, moment: Moment) {
        debug_assert!(self.next_at().is_none_or(|next| next >= moment), "time passes over what is planned");
        self.now = self.now.max(moment);
    }
}

impl<T> Default for Clock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Planned<T> {
    fn key(&self) -> (Moment, u64) {
        (self.at, self.number)
    }
}

impl<T> PartialEq for Planned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Planned<T> {}

impl<T> PartialOrd for Planned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Planned<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_order_and_equals_as_planned() {
        let mut clock = Clock::new();
        for (millis, what) in [(5, 'c'), (1, 'a'), (5, 'd'), (1, 'b'), (9, 'e')] {
            clock.at(Moment::ZERO + Span::from_millis(millis), what);
        }
        let order: String = std::iter::from_fn(|| clock.step()).collect();
        assert_eq!(order, "abcde");
        clock.at(Moment::ZERO, 'f');
        assert_eq!((clock.step(), clock.now()), (Some('f'), Moment::ZERO + Span::from_millis(9)));
    }
}
