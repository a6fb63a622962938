//! Facts about one torrent's pieces: which are there, which are wanted and how much, and the bytes that follow from that.

use std::sync::Arc;

use crate::base::{Bitfield, PieceIndex};
use crate::metainfo::Layout;
use crate::swarm::Priority;

/// What is had and what is wanted of one torrent.
#[derive(Clone, Debug)]
pub struct Pieces {
    layout: Arc<Layout>,
    /// Verified pieces.
    have: Bitfield,
    /// Wanted pieces that are not had.
    missing: Bitfield,
    /// How much each piece is wanted: as much as the most wanted file that it touches.
    wanted: Vec<Priority>,
    /// How much each file is wanted; padding never is.
    files: Vec<Priority>,
    /// Verified bytes of each file.
    file_done: Vec<u64>,
    /// Bytes of wanted files, and those verified among them.
    wanted_bytes: u64,
    done_bytes: u64,
    /// Verified bytes of everything, padding included.
    had_bytes: u64,
    /// Rises when pieces become wanted or unwanted or are lost: when what was derived from that must be derived anew.
    generation: u64,
}

impl Pieces {
    /// Nothing had, everything wanted.
    pub fn new(layout: Arc<Layout>) -> Self {
        let count = layout.piece_count() as usize;
        let mut pieces = Self {
            have: Bitfield::new(count),
            missing: Bitfield::new(count),
            wanted: vec![Priority::Skip; count],
            files: vec![Priority::Skip; layout.files().len()],
            file_done: vec![0; layout.files().len()],
            wanted_bytes: 0,
            done_bytes: 0,
            had_bytes: 0,
            generation: 0,
            layout,
        };
        pieces.set_priorities(&[]);
        pieces
    }

    /// Sets how much each file is wanted; files beyond the end of the list are normal.
    pub fn set_priorities(&mut self, priorities: &[Priority]) {
        self.wanted.fill(Priority::Skip);
        (self.wanted_bytes, self.done_bytes) = (0, 0);
        for (number, file) in self.layout.files().iter().enumerate() {
            let priority =
                if file.pad { Priority::Skip } else { priorities.get(number).copied().unwrap_or_default() };
            self.files[number] = priority;
            if priority == Priority::Skip {
                continue;
            }
            self.wanted_bytes += file.length;
            self.done_bytes += self.file_done[number];
            for piece in self.layout.pieces_of(number) {
                let slot = &mut self.wanted[piece as usize];
                *slot = priority.max(*slot);
            }
        }
        self.find_missing();
    }

    /// Replaces everything that is had, as after a start or a check. A set of another length changes nothing.
    pub fn set_have(&mut self, have: &Bitfield) {
        if have.len() != self.have.len() {
            return;
        }
        self.have = Bitfield::new(have.len());
        self.file_done.fill(0);
        (self.done_bytes, self.had_bytes) = (0, 0);
        for piece in have.iter() {
            self.insert(piece);
        }
        self.find_missing();
    }

    /// Notes that a piece is verified; true where it was not before.
    pub fn insert(&mut self, piece: PieceIndex) -> bool {
        if !self.have.insert(piece) {
            return false;
        }
        self.missing.remove(piece);
        self.count(piece, true);
        true
    }

    /// Notes that a piece is no longer there; true where it was before.
    pub fn remove(&mut self, piece: PieceIndex) -> bool {
        if !self.have.remove(piece) {
            return false;
        }
        if self.wanted(piece) != Priority::Skip {
            self.missing.insert(piece);
        }
        self.count(piece, false);
        self.generation += 1;
        true
    }

    /// The verified pieces.
    pub fn have(&self) -> &Bitfield {
        &self.have
    }

    /// The wanted pieces that are not had.
    pub fn missing(&self) -> &Bitfield {
        &self.missing
    }

    /// How much the piece is wanted; `Skip` for one that does not exist.
    pub fn wanted(&self, piece: PieceIndex) -> Priority {
        self.wanted.get(piece.at()).copied().unwrap_or(Priority::Skip)
    }

    /// Whether that file is wanted at all.
    pub fn file_wanted(&self, file: usize) -> bool {
        self.files.get(file).is_some_and(|priority| *priority != Priority::Skip)
    }

    /// Whether somebody who has those pieces has one that is wanted and missing here.
    pub fn wants_from(&self, theirs: &Bitfield) -> bool {
        !self.missing.none() && (theirs.all() || common(&self.missing, theirs))
    }

    /// Whether every wanted piece is had.
    pub fn is_complete(&self) -> bool {
        self.missing.none()
    }

    /// Whether every piece is had, wanted or not.
    pub fn is_seed(&self) -> bool {
        self.have.all()
    }

    /// Bytes of the files that are wanted.
    pub fn wanted_bytes(&self) -> u64 {
        self.wanted_bytes
    }

    /// Verified bytes of the files that are wanted.
    pub fn done_bytes(&self) -> u64 {
        self.done_bytes
    }

    /// Bytes of wanted files that are not there yet.
    pub fn left(&self) -> u64 {
        self.wanted_bytes - self.done_bytes
    }

    /// Bytes of the whole torrent that are not there yet; what a tracker is told (BEP 3).
    pub fn total_left(&self) -> u64 {
        self.layout.total_length() - self.had_bytes
    }

    /// Verified bytes of one file.
    pub fn file_done(&self, file: usize) -> u64 {
        self.file_done.get(file).copied().unwrap_or(0)
    }

    /// Changes whenever a piece may have become missing, or ceased to be wanted.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Files and pieces.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Adds a piece's bytes to the sums, or takes them away.
    fn count(&mut self, piece: PieceIndex, add: bool) {
        let size = self.layout.piece_size(piece);
        let apply = |sum: &mut u64, bytes: u64| if add { *sum += bytes } else { *sum -= bytes };
        apply(&mut self.had_bytes, u64::from(size));
        for span in self.layout.spans(piece, 0, size) {
            apply(&mut self.file_done[span.file], span.len);
            if self.files[span.file] != Priority::Skip {
                apply(&mut self.done_bytes, span.len);
            }
        }
    }

    fn find_missing(&mut self) {
        let mut missing = Bitfield::new(self.have.len());
        for piece in self.layout.pieces() {
            if self.wanted[piece.at()] != Priority::Skip && !self.have.contains(piece) {
                missing.insert(piece);
            }
        }
        self.missing = missing;
        self.generation += 1;
    }
}

/// Whether two sets share a piece.
fn common(a: &Bitfield, b: &Bitfield) -> bool {
    a.as_bytes().iter().zip(b.as_bytes()).any(|(a, b)| a & b != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metainfo::File;

    fn layout(lengths: &[(u64, bool)], piece_length: u32) -> Arc<Layout> {
        let file = |(length, pad): &(u64, bool)| File {
            path: vec!["f".into()],
            length: *length,
            pad: *pad,
            executable: false,
        };
        Arc::new(Layout::new(lengths.iter().map(file).collect(), piece_length).expect("a small layout"))
    }

    #[test]
    fn a_piece_is_wanted_as_much_as_its_most_wanted_file() {
        // Pieces: 0 in a; 1 in a, b and c; 2 in c.
        let mut pieces = Pieces::new(layout(&[(15, false), (2, false), (0, false), (10, false)], 10));
        use Priority::{High, Low, Normal, Skip};
        pieces.set_priorities(&[Low, Skip, High, Normal]);
        let wanted: Vec<_> = (0..4).map(|piece| pieces.wanted(PieceIndex(piece))).collect();
        assert_eq!(wanted, [Low, Normal, Normal, Skip]);
        assert_eq!((pieces.left(), pieces.total_left()), (25, 27));
        pieces.set_priorities(&[Skip, Skip]);
        assert_eq!(pieces.wanted(PieceIndex(0)), Skip);
        assert_eq!(pieces.missing().iter().collect::<Vec<_>>(), [PieceIndex(1), PieceIndex(2)]);
        for piece in [1, 2] {
            assert!(!pieces.is_complete() && pieces.insert(PieceIndex(piece)));
        }
        assert!(pieces.is_complete() && !pieces.is_seed());
        assert_eq!((pieces.left(), pieces.total_left()), (0, 10));
        assert_eq!((pieces.file_done(0), pieces.file_done(1), pieces.file_done(3)), (5, 2, 10));
    }

    #[test]
    fn padding_is_never_wanted_for_itself() {
        let pieces = Pieces::new(layout(&[(4, false), (6, true), (0, false), (10, true), (1, false)], 10));
        assert_eq!(pieces.missing().iter().collect::<Vec<_>>(), [PieceIndex(0), PieceIndex(2)]);
        assert_eq!((pieces.left(), pieces.total_left(), pieces.file_wanted(1)), (5, 21, false));
    }

    #[test]
    fn interest_is_about_missing_wanted_pieces() {
        let mut pieces = Pieces::new(layout(&[(10, false), (10, false)], 10));
        let mut theirs = Bitfield::new(2);
        assert!(!pieces.wants_from(&theirs));
        theirs.insert(PieceIndex(1));
        assert!(pieces.wants_from(&theirs));
        pieces.set_priorities(&[Priority::Normal, Priority::Skip]);
        assert!(!pieces.wants_from(&theirs) && pieces.wants_from(&Bitfield::full(2)));
    }

    proptest! {
        #[test]
        fn sums_hold_after_any_changes(
            lengths in prop::collection::vec((0u64..40, prop::bool::weighted(0.2)), 1..8),
            steps in prop::collection::vec((0u8..4, 0u32..40, prop::collection::vec(0u8..4, 0..8)), 0..30),
        ) {
            let layout = layout(&lengths, 7);
            let mut pieces = Pieces::new(layout.clone());
            let mut have = std::collections::BTreeSet::new();
            let mut priorities = Vec::new();
            for (action, piece, list) in steps {
                let piece = PieceIndex(piece);
                match action {
                    0 | 1 if piece.0 < layout.piece_count() => {
                        prop_assert_eq!(pieces.insert(piece), have.insert(piece));
                    }
                    2 => prop_assert_eq!(pieces.remove(piece), have.remove(&piece)),
                    _ => {
                        use Priority::{High, Low, Normal, Skip};
                        priorities = list.iter().map(|p| [Skip, Low, Normal, High][usize::from(*p)]).collect();
                        pieces.set_priorities(&priorities);
                    }
                }
                let (mut left, mut missing) = (0, std::collections::BTreeSet::new());
                for (number, (length, pad)) in lengths.iter().enumerate() {
                    let held: u64 = have
                        .iter()
                        .flat_map(|piece| layout.spans(*piece, 0, layout.piece_size(*piece)))
                        .filter(|span| span.file == number)
                        .map(|span| span.len)
                        .sum();
                    prop_assert_eq!(pieces.file_done(number), held);
                    if !pad && priorities.get(number) != Some(&Priority::Skip) {
                        left += length - held;
                        missing.extend(layout.pieces_of(number).map(PieceIndex).filter(|p| !have.contains(p)));
                    }
                }
                prop_assert_eq!(pieces.left(), left);
                prop_assert_eq!(pieces.missing().iter().collect::<Vec<_>>(), missing.into_iter().collect::<Vec<_>>());
                let mut fresh = Pieces::new(layout.clone());
                fresh.set_have(pieces.have());
                prop_assert_eq!(fresh.total_left(), pieces.total_left());
            }
        }
    }
}
