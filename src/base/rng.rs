//! Seeded randomness: the same seed makes the same choices, so that a simulation can be run again.

/// A small fast generator for choices that need no secrecy; keys and secrets come from the operating system instead.
#[derive(Clone, Debug)]
pub struct Rng(fastrand::Rng);

impl Rng {
    /// A generator whose whole sequence follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// A number in `0..bound`; zero where `bound` is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { self.0.usize(0..bound) }
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// Any 32 bits.
    pub fn bits32(&mut self) -> u32 {
        self.0.u32(..)
    }

    /// A fraction in `0.0..1.0`.
    pub fn fraction(&mut self) -> f64 {
        self.0.f64()
    }

    /// Puts the items into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// Fills the buffer with random bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    /// An independent generator, so that one part's choices do not shift another's.
    pub fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_makes_one_sequence() {
        let (mut a, mut b) = (Rng::new(7), Rng::new(7));
        assert_eq!(
            (0..50).map(|_| a.bits()).collect::<Vec<_>>(),
            (0..50).map(|_| b.bits()).collect::<Vec<_>>()
        );
        assert_eq!(a.below(0), 0);
    }
}
