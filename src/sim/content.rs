//! What is shared in a simulated world: a torrent with its bytes, made from a seed.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::{PieceIndex, Rng};
use crate::disk::Hasher;
use crate::hash::{Sha1, sha1};
use crate::metainfo::{Torrent, create};

/// A torrent and its bytes.
#[derive(Clone, Debug)]
pub struct Content {
    /// The torrent.
    pub torrent: Torrent,
    /// Its files, end to end.
    pub bytes: Bytes,
}

impl Content {
    /// Random bytes in files of those lengths; a single unnamed one makes a single-file torrent.
    pub fn new(seed: u64, files: &[(&str, u64)], piece_length: u32) -> Self {
        let total: u64 = files.iter().map(|(_, length)| length).sum();
        let mut bytes = vec![0; total as usize];
        Rng::new(seed).fill(&mut bytes);
        let hashes: Vec<u8> = bytes.chunks(piece_length as usize).flat_map(sha1).collect();
        let path = |name: &str| name.split('/').map(str::to_owned).collect();
        let plan = create::Plan {
            name: format!("content-{seed}"),
            files: files.iter().map(|(name, length)| (path(name), *length)).collect(),
            single: matches!(files, [("", _)]),
            piece_length,
        };
        let details = create::Details { trackers: vec![vec![TRACKER.into()]], ..Default::default() };
        let file = create::build(&plan, &hashes, &details);
        let torrent = Torrent::parse(&file).expect("a torrent made here reads");
        Self { torrent, bytes: bytes.into() }
    }

    /// A single file.
    pub fn file(seed: u64, length: u64, piece_length: u32) -> Self {
        Self::new(seed, &[("", length)], piece_length)
    }

    /// The files with their bytes: path below the folder, and content.
    pub fn files(&self) -> impl Iterator<Item = (String, Bytes)> {
        let layout = &self.torrent.layout;
        layout.files().iter().enumerate().filter(|(_, file)| !file.pad).map(|(number, file)| {
            let start = layout.file_start(number) as usize;
            (file.path.join("/"), self.bytes.slice(start..start + file.length as usize))
        })
    }

    /// The right bytes of a run within a piece.
    pub fn run(&self, piece: PieceIndex, begin: u32, len: usize) -> Option<Bytes> {
        let start = self.torrent.layout.piece_start(piece) as usize + begin as usize;
        (start + len <= self.bytes.len()).then(|| self.bytes.slice(start..start + len))
    }

    /// The same bytes out of this content, where they are right, so that a thousand hosts hold them once.
    pub fn own(&self, piece: PieceIndex, begin: u32, data: &Bytes) -> Option<Bytes> {
        let right = self.run(piece, begin, data.len())?;
        (right.as_ptr() == data.as_ptr() || right == *data).then_some(right)
    }

    /// A digest of pieces that need not be computed for bytes shared with this content.
    pub fn hasher(&self) -> Hasher {
        Self::hasher_of(vec![self.clone()])
    }

    /// The same for several contents.
    pub fn hasher_of(contents: Vec<Self>) -> Hasher {
        Arc::new(move |parts: &[Bytes]| {
            contents.iter().find_map(|content| content.remembered(parts)).unwrap_or_else(|| {
                let mut digest = Sha1::new();
                parts.iter().for_each(|part| digest.update(part));
                digest.finish()
            })
        })
    }

    /// The digest of a piece of these very bytes.
    fn remembered(&self, parts: &[Bytes]) -> Option<[u8; 20]> {
        let length = self.torrent.layout.piece_length() as usize;
        let at = place(&self.bytes, parts)?;
        let len: usize = parts.iter().map(Bytes::len).sum();
        let whole = at % length == 0 && (len == length || at + len == self.bytes.len());
        self.torrent.hashes.get(at / length * 20..).filter(|_| whole)?.first_chunk().copied()
    }
}

/// Where in `bytes` the parts lie, where they lie there in one run.
fn place(bytes: &Bytes, parts: &[Bytes]) -> Option<usize> {
    let base = bytes.as_ptr() as usize;
    let start = (parts.first()?.as_ptr() as usize).checked_sub(base)?;
    let mut next = start;
    for part in parts {
        if part.as_ptr() as usize != base + next {
            return None;
        }
        next += part.len();
    }
    (next <= bytes.len()).then_some(start)
}

/// The address of the tracker of every simulated world.
pub const TRACKER: &str = "http://tracker.sim/announce";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembered_digests_are_the_right_ones() {
        let content = Content::new(1, &[("a", 40_000), ("empty", 0), ("b/c", 30_001)], 32_768);
        let hasher = content.hasher();
        let layout = &content.torrent.layout;
        for piece in layout.pieces() {
            let size = layout.piece_size(piece) as usize;
            let whole = content.run(piece, 0, size).expect("it is there");
            let parts = [whole.slice(..100), whole.slice(100..)];
            let copy = [Bytes::copy_from_slice(&whole)];
            assert_eq!(hasher(&parts), content.torrent.piece_hash(piece));
            assert_eq!(hasher(&copy), content.torrent.piece_hash(piece));
            assert_eq!(content.own(piece, 0, &copy[0]).map(|own| own.as_ptr()), Some(whole.as_ptr()));
            assert_eq!(content.own(piece, 0, &Bytes::from(vec![0; size])), None);
            assert_eq!(hasher(&[whole.slice(1..)]), sha1(&whole[1..]));
        }
        assert_eq!(content.files().count(), 3);
    }
}
