//! Where the bytes of a torrent lie: pieces of equal length over files laid end to end.

use crate::base::{BLOCK_SIZE, BlockRef, PieceIndex};

/// One file of a torrent, in torrent order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path below the folder chosen for saving, its parts already safe on every system. A single-file torrent has one part.
    pub path: Vec<String>,
    /// Bytes.
    pub length: u64,
    /// Whether it only fills up to a piece boundary and never exists on the disk (BEP 47).
    pub pad: bool,
    /// Whether it is to be executable (BEP 47).
    pub executable: bool,
}

/// Pieces and files of one torrent, and where each lies in the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    files: Vec<File>,
    /// Where each file begins in the whole, and one more entry: where the last one ends.
    starts: Vec<u64>,
    piece_length: u32,
    piece_count: u32,
}

/// A run of bytes within one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSpan {
    /// The number of the file.
    pub file: usize,
    /// The first byte within the file.
    pub offset: u64,
    /// Bytes; never zero.
    pub len: u64,
}

impl Layout {
    /// Lays `files` end to end and cuts the whole into pieces; nothing where the sums overflow, the piece length is zero, or
    /// there would be more pieces than an index can name.
    pub fn new(files: Vec<File>, piece_length: u32) -> Option<Self> {
        let mut starts = Vec::with_capacity(files.len() + 1);
        let mut total = 0u64;
        for file in &files {
            starts.push(total);
            total = total.checked_add(file.length)?;
        }
        starts.push(total);
        if piece_length == 0 || total > i64::MAX as u64 {
            return None;
        }
        let piece_count = u32::try_from(total.div_ceil(u64::from(piece_length))).ok()?;
        Some(Self { files, starts, piece_length, piece_count })
    }

    /// The files in torrent order.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Bytes of all files together.
    pub fn total_length(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Bytes of every piece but perhaps the last.
    pub fn piece_length(&self) -> u32 {
        self.piece_length
    }

    /// How many pieces there are.
    pub fn piece_count(&self) -> u32 {
        self.piece_count
    }

    /// Every piece index.
    pub fn pieces(&self) -> impl DoubleEndedIterator<Item = PieceIndex> + use<> {
        (0..self.piece_count).map(PieceIndex)
    }

    /// The piece of that number, where there is one.
    pub fn piece(&self, number: u32) -> Option<PieceIndex> {
        (number < self.piece_count).then_some(PieceIndex(number))
    }

    /// Bytes of `piece`; zero for one that does not exist.
    pub fn piece_size(&self, piece: PieceIndex) -> u32 {
        let begin = self.piece_start(piece);
        self.total_length().saturating_sub(begin).min(u64::from(self.piece_length)) as u32
    }

    /// How many blocks `piece` has.
    pub fn block_count(&self, piece: PieceIndex) -> u32 {
        self.piece_size(piece).div_ceil(BLOCK_SIZE)
    }

    /// The block of that number within `piece`, where there is one.
    pub fn block(&self, piece: PieceIndex, number: u32) -> Option<BlockRef> {
        let size = self.piece_size(piece);
        let begin = number.checked_mul(BLOCK_SIZE).filter(|begin| *begin < size)?;
        Some(BlockRef { piece, begin, len: BLOCK_SIZE.min(size - begin) })
    }

    /// Whether the block lies within a piece of this torrent; it may begin anywhere and be of any length but zero.
    pub fn holds(&self, block: BlockRef) -> bool {
        block.piece.0 < self.piece_count
            && block.len > 0
            && block.end() <= u64::from(self.piece_size(block.piece))
    }

    /// The first byte of `piece` in the whole.
    pub fn piece_start(&self, piece: PieceIndex) -> u64 {
        u64::from(piece.0) * u64::from(self.piece_length)
    }

    /// The files that `len` bytes from `begin` in `piece` lie in, in order, zero-length files left out.
    pub fn spans(&self, piece: PieceIndex, begin: u32, len: u32) -> impl Iterator<Item = FileSpan> + '_ {
        let mut at = self.piece_start(piece) + u64::from(begin);
        let end = (at + u64::from(len)).min(self.total_length());
        // The last file that begins at or before `at`; zero-length files before it share its start and come earlier.
        let mut file = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        std::iter::from_fn(move || {
            while at < end && file < self.files.len() {
                let file_end = self.starts[file + 1];
                let (number, len) = (file, file_end.min(end).saturating_sub(at));
                file += 1;
                if len > 0 {
                    let span = FileSpan { file: number, offset: at - self.starts[number], len };
                    at += len;
                    return Some(span);
                }
            }
            None
        })
    }

    /// Where that file begins in the whole; its end for a number beyond the last file.
    pub fn file_start(&self, file: usize) -> u64 {
        self.starts.get(file).copied().unwrap_or_else(|| self.total_length())
    }

    /// The pieces that hold a byte of that file: first and one past the last. Empty for a zero-length file.
    pub fn pieces_of(&self, file: usize) -> std::ops::Range<u32> {
        let (Some(start), Some(end)) = (self.starts.get(file), self.starts.get(file + 1)) else {
            return 0..0;
        };
        if start == end {
            return 0..0;
        }
        let length = u64::from(self.piece_length);
        (start / length) as u32..(end.div_ceil(length)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(lengths: &[u64], piece_length: u32) -> Layout {
        let file = |(at, length): (usize, &u64)| File {
            path: vec![format!("f{at}")],
            length: *length,
            pad: false,
            executable: false,
        };
        Layout::new(lengths.iter().enumerate().map(file).collect(), piece_length).expect("a small layout")
    }

    #[test]
    fn spans_cover_every_byte_once_and_in_order() {
        let layout = layout(&[0, 5, 0, 0, 7, 1, 0, 20, 0], 8);
        assert_eq!((layout.total_length(), layout.piece_count()), (33, 5));
        let mut whole = Vec::new();
        for piece in layout.pieces() {
            let size = layout.piece_size(piece);
            for begin in 0..size {
                let joined: u64 = layout.spans(piece, begin, size - begin).map(|span| span.len).sum();
                assert_eq!(joined, u64::from(size - begin));
            }
            whole.extend(
                layout.spans(piece, 0, size).flat_map(|s| (0..s.len).map(move |at| (s.file, s.offset + at))),
            );
        }
        let expected: Vec<_> = [(1, 5), (4, 7), (5, 1), (7, 20)]
            .iter()
            .flat_map(|(f, len)| (0..*len).map(move |at| (*f, at)))
            .collect();
        assert_eq!(whole, expected);
        assert_eq!(layout.pieces_of(4), 0..2);
        assert_eq!(layout.pieces_of(0), 0..0);
        assert_eq!(layout.pieces_of(7), 1..5);
    }

    #[test]
    fn the_last_piece_and_block_may_be_short() {
        let layout = layout(&[40_000], 32_768);
        let last = PieceIndex(1);
        assert_eq!(
            (layout.piece_size(last), layout.block_count(PieceIndex(0)), layout.block_count(last)),
            (7_232, 2, 1)
        );
        assert_eq!(layout.block(last, 0), Some(BlockRef { piece: last, begin: 0, len: 7_232 }));
        assert_eq!(layout.block(last, 1), None);
        assert!(!layout.holds(BlockRef { piece: last, begin: 7_000, len: 233 }));
        assert!(!layout.holds(BlockRef { piece: PieceIndex(2), begin: 0, len: 1 }));
        assert!(!layout.holds(BlockRef { piece: last, begin: u32::MAX, len: u32::MAX }));
    }

    #[test]
    fn impossible_layouts_are_refused() {
        let file = |length| File { path: vec!["f".into()], length, pad: false, executable: false };
        assert_eq!(Layout::new(vec![file(1)], 0), None);
        assert_eq!(Layout::new(vec![file(u64::MAX), file(1)], 16_384), None);
        assert_eq!(Layout::new(vec![file(1 << 60)], 16_384), None);
        assert_eq!(layout(&[], 16_384).piece_count(), 0);
    }
}
