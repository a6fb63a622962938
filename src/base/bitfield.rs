//! A set of pieces as BEP 3 sends it: one bit a piece, the first piece in the highest bit of the first byte.

use std::fmt;

use crate::base::PieceIndex;

/// A fixed number of bits, one for each piece; spare bits of the last byte are always zero.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bitfield {
    bytes: Vec<u8>,
    len: usize,
    ones: usize,
}

impl Bitfield {
    /// `len` bits, none of them set.
    pub fn new(len: usize) -> Self {
        Self { bytes: vec![0; len.div_ceil(8)], len, ones: 0 }
    }

    /// `len` bits, all of them set.
    pub fn full(len: usize) -> Self {
        let mut field = Self { bytes: vec![0xff; len.div_ceil(8)], len, ones: len };
        field.clear_spare();
        field
    }

    /// Reads the wire form; nothing where the number of bytes does not fit `len`. Spare bits are dropped.
    pub fn from_wire(bytes: &[u8], len: usize) -> Option<Self> {
        if bytes.len() != len.div_ceil(8) {
            return None;
        }
        let mut field = Self { bytes: bytes.to_vec(), len, ones: 0 };
        field.clear_spare();
        field.ones = field.bytes.iter().map(|byte| byte.count_ones() as usize).sum();
        Some(field)
    }

    /// Sets the bit; true where it was not set before. A piece beyond the end is nobody's and changes nothing.
    pub fn insert(&mut self, piece: PieceIndex) -> bool {
        let (at, mask) = (piece.at() / 8, 0x80 >> (piece.at() % 8));
        if piece.at() >= self.len || self.bytes[at] & mask != 0 {
            return false;
        }
        self.bytes[at] |= mask;
        self.ones += 1;
        true
    }

    /// Clears the bit; true where it was set before.
    pub fn remove(&mut self, piece: PieceIndex) -> bool {
        let (at, mask) = (piece.at() / 8, 0x80 >> (piece.at() % 8));
        if piece.at() >= self.len || self.bytes[at] & mask == 0 {
            return false;
        }
        self.bytes[at] &= !mask;
        self.ones -= 1;
        true
    }

    /// Whether the bit is set; false beyond the end.
    pub fn contains(&self, piece: PieceIndex) -> bool {
        piece.at() < self.len && self.bytes[piece.at() / 8] & (0x80 >> (piece.at() % 8)) != 0
    }

    /// The number of bits, set or not.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bits at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bits are set.
    pub fn count(&self) -> usize {
        self.ones
    }

    /// Whether every bit is set.
    pub fn all(&self) -> bool {
        self.ones == self.len
    }

    /// Whether no bit is set.
    pub fn none(&self) -> bool {
        self.ones == 0
    }

    /// The wire form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The set pieces in rising order.
    pub fn iter(&self) -> impl Iterator<Item = PieceIndex> + '_ {
        self.bytes.iter().enumerate().filter(|(_, byte)| **byte != 0).flat_map(|(at, byte)| {
            (0..8)
                .filter(move |bit| byte & (0x80 >> bit) != 0)
                .map(move |bit| PieceIndex((at * 8 + bit) as u32))
        })
    }

    /// Whether `self` holds a piece that `other` lacks.
    pub fn has_beyond(&self, other: &Self) -> bool {
        self.bytes.iter().zip(&other.bytes).any(|(ours, theirs)| ours & !theirs != 0)
    }

    fn clear_spare(&mut self) {
        if let (Some(last), spare @ 1..) = (self.bytes.last_mut(), self.len.wrapping_neg() % 8) {
            *last &= 0xff << spare;
        }
    }
}

impl fmt::Debug for Bitfield {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} pieces", self.ones, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_and_iterate_in_wire_order() {
        let mut field = Bitfield::new(11);
        assert!(field.insert(PieceIndex(0)) && field.insert(PieceIndex(10)) && !field.insert(PieceIndex(10)));
        assert!(!field.insert(PieceIndex(11)) && !field.contains(PieceIndex(4_000_000_000)));
        assert_eq!(field.as_bytes(), [0x80, 0x20]);
        assert_eq!(field.iter().collect::<Vec<_>>(), [PieceIndex(0), PieceIndex(10)]);
        assert_eq!((field.count(), field.remove(PieceIndex(0)), field.count()), (2, true, 1));
    }

    #[test]
    fn spare_bits_from_outside_are_dropped() {
        let field = Bitfield::from_wire(&[0xff, 0xff], 11).expect("two bytes for eleven bits");
        assert_eq!(field, Bitfield::full(11));
        assert!(field.all());
        assert_eq!(Bitfield::from_wire(&[0xff], 11), None);
        assert_eq!(Bitfield::from_wire(&[], 0), Some(Bitfield::full(0)));
        assert_eq!(Bitfield::full(16).count(), 16);
    }

    #[test]
    fn one_set_may_go_beyond_another() {
        let (mut a, b) = (Bitfield::new(9), Bitfield::full(9));
        assert!(b.has_beyond(&a) && !a.has_beyond(&b));
        a.insert(PieceIndex(8));
        assert!(!a.has_beyond(&b));
    }
}
