//! What machines share in an experiment: random bytes, and the .torrent that describes them.

use bytes::Bytes;

use crate::base::Rng;
use crate::hash::sha1;
use crate::metainfo::create;

/// Pieces in one of the files, about.
const PIECES: u64 = 128;
const PIECE_LENGTHS: std::ops::RangeInclusive<u64> = 16 * 1024..=1024 * 1024;

/// A torrent's bytes, in one file or in several.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// The name of the file, or of the folder.
    pub name: String,
    /// The lengths of its files, each but the last a number of whole pieces.
    pub parts: Vec<u64>,
    /// Bytes of a piece.
    pub piece_length: u32,
    /// Everything, end to end.
    pub bytes: Bytes,
    /// The hashes of the pieces.
    hashes: Vec<u8>,
}

impl Files {
    /// A single file.
    pub(super) fn single(name: &str, length: u64, rng: &mut Rng) -> Self {
        Self::split(name, length, 1, rng)
    }

    /// The same cut into files of about one length, so that each can be had by itself; fewer where there are too few pieces.
    pub(super) fn split(name: &str, length: u64, parts: u64, rng: &mut Rng) -> Self {
        let piece_length =
            (length / PIECES).next_power_of_two().clamp(*PIECE_LENGTHS.start(), *PIECE_LENGTHS.end());
        let pieces = length.div_ceil(piece_length).max(1);
        let parts = parts.clamp(1, pieces);
        let end = |part: u64| (pieces * part / parts * piece_length).min(length);
        let mut bytes = vec![0; length as usize];
        rng.fill(&mut bytes);
        Self {
            name: name.to_owned(),
            parts: (0..parts).map(|part| end(part + 1) - end(part)).collect(),
            piece_length: piece_length as u32,
            hashes: bytes.chunks(piece_length as usize).flat_map(sha1).collect(),
            bytes: bytes.into(),
        }
    }

    /// The .torrent, with a tracker where there is one. Nobody but that tracker, and this room, names peers (BEP 27).
    pub(super) fn torrent(&self, tracker: Option<&str>) -> Vec<u8> {
        let single = self.parts.len() == 1;
        let name = |part: usize| if single { Vec::new() } else { vec![Self::part_name(part)] };
        let plan = create::Plan {
            name: self.name.clone(),
            files: self.parts.iter().enumerate().map(|(part, length)| (name(part), *length)).collect(),
            single,
            piece_length: self.piece_length,
        };
        let trackers = tracker.map(|url| vec![vec![url.to_owned()]]).unwrap_or_default();
        let details = create::Details { trackers, private: true, ..create::Details::default() };
        create::build(&plan, &self.hashes, &details)
    }

    /// The name of one of several files.
    pub(super) fn part_name(part: usize) -> String {
        format!("part-{}", part + 1)
    }

    /// The bytes of one of its files.
    #[cfg(feature = "host")]
    pub(super) fn part(&self, part: usize) -> Bytes {
        let start: u64 = self.parts[..part].iter().sum();
        self.bytes.slice(start as usize..(start + self.parts[part]) as usize)
    }

    /// Pieces of one of its files.
    pub(super) fn pieces_of(&self, part: usize) -> usize {
        self.parts[part].div_ceil(u64::from(self.piece_length)) as usize
    }

    /// Pieces in all.
    #[cfg(test)]
    pub(super) fn pieces(&self) -> usize {
        self.hashes.len() / 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metainfo::Torrent;

    #[test]
    fn files_are_cut_between_pieces() {
        for (length, parts) in [(1_000_000, 3), (70_000, 8), (65_536, 1), (5_000_000, 7)] {
            let files = Files::split("x", length, parts, &mut Rng::new(1));
            assert_eq!(files.parts.iter().sum::<u64>(), length);
            let whole = files.parts.iter().rev().skip(1);
            assert!(whole.clone().all(|part| *part > 0 && part % u64::from(files.piece_length) == 0));
            let pieces: usize = (0..files.parts.len()).map(|part| files.pieces_of(part)).sum();
            assert_eq!(pieces, files.pieces());
            let torrent = Torrent::parse(&files.torrent(Some("http://t/announce"))).expect("a torrent");
            assert_eq!(torrent.layout.piece_count() as usize, files.pieces());
            assert_eq!(torrent.layout.files().len(), files.parts.len());
            assert!(torrent.private);
        }
    }
}
