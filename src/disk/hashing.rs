//! Pieces of files hashed on several threads: what checking, verifying and making a torrent have in common.

use std::sync::Mutex;

use crate::base::{BlockRef, PieceIndex};
use crate::disk::DiskError;
use crate::disk::files::{Files, Reader, lock};
use crate::disk::system::Desk;
use crate::hash::{self, Sha1};

/// Bytes of each piece that are read before they are hashed: they stay in the processor's own cache, however long pieces are.
const CHUNK: u32 = 64 * 1024;

/// Bytes of each piece that are hashed where they are before the next ones.
const PART: u32 = 1024 * 1024;

/// How files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// To little memory, beside other work.
    Copied,
    /// Where the system holds them, as far as it can: the memory of up to sixteen parts for each thread is the system's.
    InPlace,
}

/// Reads and hashes `pieces` on `threads` threads and calls `found` with each digest, in no particular order, until it
/// answers false. `begin` is called once by each thread before it does anything.
pub(super) fn hash_pieces(
    files: &Files,
    pieces: impl Iterator<Item = PieceIndex> + Send,
    threads: usize,
    reading: Reading,
    begin: impl Fn() + Sync,
    found: impl Fn(PieceIndex, Result<[u8; 20], DiskError>) -> bool + Sync,
) {
    let pieces = Mutex::new(Some(pieces));
    let lanes = hash::lanes();
    let take = || -> Vec<PieceIndex> {
        lock(&pieces).as_mut().map_or(Vec::new(), |pieces| pieces.take(lanes).collect())
    };
    let work = || {
        begin();
        let mut buffers = vec![Vec::new(); lanes];
        let longest = files.storage().layout.piece_length().min(PART) as usize;
        let mut desk = (reading == Reading::InPlace).then(|| files.desk(lanes, longest)).flatten();
        loop {
            let group = take();
            if group.is_empty() {
                return;
            }
            let seen = desk.as_mut().and_then(|desk| hash_in_place(files, &group, desk));
            desk = desk.filter(|desk| !desk.is_dear());
            let goes_on = match seen {
                Some(hashes) => group.iter().zip(hashes).all(|(piece, hash)| found(*piece, Ok(hash))),
                None => hash_group(files, &group, &mut buffers, &found),
            };
            if !goes_on {
                *lock(&pieces) = None;
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for number in 1..threads {
            let spawned =
                std::thread::Builder::new().name(format!("hash-{number}")).spawn_scoped(scope, work);
            if spawned.is_err() {
                // With fewer threads it only takes longer.
                break;
            }
        }
        work();
    });
}

/// Hashes some pieces side by side without a copy of them; nothing where one of them cannot be seen whole, which is to be
/// read then, so that there is a reason.
fn hash_in_place(files: &Files, group: &[PieceIndex], desk: &mut Desk) -> Option<Vec<[u8; 20]>> {
    let layout = &files.storage().layout;
    let mut digests = vec![Sha1::new(); group.len()];
    let longest = group.iter().map(|piece| layout.piece_size(*piece)).max().unwrap_or(0);
    if longest < CHUNK {
        return None;
    }
    for begin in (0..longest).step_by(PART as usize) {
        let part = |piece: &PieceIndex| {
            let len = layout.piece_size(*piece).saturating_sub(begin).min(PART);
            BlockRef { piece: *piece, begin, len }
        };
        let runs: Vec<BlockRef> = group.iter().map(part).collect();
        if !desk.clear() || !files.lay_on(desk, &runs) {
            return None;
        }
        let parts: Vec<[&[u8]; 1]> = (0..group.len()).map(|place| [desk.part(place)]).collect();
        let mut running: Vec<(Sha1, &[&[u8]])> =
            digests.into_iter().zip(&parts).map(|(digest, parts)| (digest, &parts[..])).collect();
        hash::update_many(&mut running);
        digests = running.into_iter().map(|(digest, _)| digest).collect();
        if desk.has_missed() {
            return None;
        }
    }
    Some(digests.into_iter().map(Sha1::finish).collect())
}

/// Hashes some pieces side by side, chunk by chunk; false once `found` wants no more.
fn hash_group(
    files: &Files,
    group: &[PieceIndex],
    buffers: &mut [Vec<u8>],
    found: &(impl Fn(PieceIndex, Result<[u8; 20], DiskError>) -> bool + Sync),
) -> bool {
    let layout = &files.storage().layout;
    let mut digests: Vec<Option<Sha1>> = group.iter().map(|_| Some(Sha1::new())).collect();
    let mut readers: Vec<Reader> = group.iter().map(|_| Reader::default()).collect();
    let longest = group.iter().map(|piece| layout.piece_size(*piece)).max().unwrap_or(0);
    if longest > CHUNK {
        group.iter().for_each(|piece| files.will_need(*piece));
    }
    for begin in (0..longest.max(1)).step_by(CHUNK as usize) {
        let lanes = group.iter().zip(&mut *buffers).zip(&mut digests).zip(&mut readers);
        for (((piece, buffer), digest), reader) in lanes {
            buffer.clear();
            let len = layout.piece_size(*piece).saturating_sub(begin).min(CHUNK);
            if len == 0 || digest.is_none() {
                continue;
            }
            let run = BlockRef { piece: *piece, begin, len };
            if let Err(error) = files.read_on(reader, run, buffer) {
                *digest = None;
                if !found(*piece, Err(error)) {
                    return false;
                }
            }
        }
        let parts: Vec<[&[u8]; 1]> = buffers.iter().map(|buffer| [&buffer[..]]).collect();
        let mut running = Vec::with_capacity(group.len());
        for (digest, parts) in digests.iter_mut().zip(&parts) {
            if let Some(digest) = digest {
                running.push((std::mem::take(digest), &parts[..]));
            }
        }
        hash::update_many(&mut running);
        let mut running = running.into_iter().map(|(digest, _)| digest);
        for digest in digests.iter_mut().flatten() {
            *digest = running.next().unwrap_or_default();
        }
    }
    let done = group.iter().zip(digests);
    done.filter_map(|(piece, digest)| Some((*piece, digest?.finish())))
        .all(|(piece, hash)| found(piece, Ok(hash)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Rng;
    use crate::disk::Storage;
    use crate::disk::verify::read_only;
    use crate::hash::sha1;
    use crate::metainfo::{File, Layout};

    /// The digests of files of these lengths, of which each piece is right, and those that were found each way.
    fn digests(lengths: &[u64], piece_length: u32) -> (Vec<[u8; 20]>, [Vec<[u8; 20]>; 2]) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut whole = Vec::new();
        let mut files = Vec::new();
        for (number, length) in lengths.iter().enumerate() {
            let mut bytes = vec![0; *length as usize];
            Rng::new(number as u64).fill(&mut bytes);
            let name = format!("part {number}");
            std::fs::write(folder.path().join(&name), &bytes).expect("written");
            whole.extend(bytes);
            files.push(File { path: vec![name], length: *length, pad: false, executable: false });
        }
        let right = whole.chunks(piece_length as usize).map(sha1).collect();
        let storage = Storage {
            root: folder.path().into(),
            layout: Arc::new(Layout::new(files, piece_length).expect("a layout")),
            hashes: Arc::new([]),
            priorities: Vec::new(),
        };
        let found = [Reading::Copied, Reading::InPlace].map(|reading| {
            let files = read_only(storage.clone());
            files.look().expect("they are there");
            let found = Mutex::new(vec![[0; 20]; storage.layout.piece_count() as usize]);
            hash_pieces(
                &files,
                storage.layout.pieces(),
                2,
                reading,
                || {},
                |piece, hash| {
                    lock(&found)[piece.at()] = hash.expect("it can be read");
                    true
                },
            );
            found.into_inner().expect("nobody has panicked")
        });
        (right, found)
    }

    #[test]
    fn pieces_are_the_same_however_they_are_read() {
        // One file; several with pieces across them; pieces longer than a part, of which the last is short; small ones.
        let cases: [(&[u64], u32); 4] = [
            (&[9 << 20], 1 << 18),
            (&[1_000_001, 3_000_000, 7, 0, 2_500_000], 1 << 18),
            (&[9_000_001], 1 << 21),
            (&[1_000_000, 300], 1 << 14),
        ];
        for (lengths, piece_length) in cases {
            let (right, found) = digests(lengths, piece_length);
            assert!(found.iter().all(|found| *found == right), "{lengths:?} in {piece_length}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_in_memory_is_hashed_in_place_and_what_lies_across_files_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| {
            std::fs::write(folder.path().join(name), vec![7; 300_000]).expect("written");
            File { path: vec![name.into()], length: 300_000, pad: false, executable: false }
        };
        let layout = Arc::new(Layout::new(vec![file("a"), file("b")], 1 << 17).expect("a layout"));
        let root = folder.path().into();
        let files = read_only(Storage { root, layout, hashes: Arc::new([]), priorities: Vec::new() });
        files.look().expect("they are there");
        let mut desk = files.desk(4, 1 << 17).expect("Linux has desks");
        let [first, second, across, fourth] = [0, 1, 2, 3].map(PieceIndex);
        let same = sha1(&[7; 1 << 17]);
        assert_eq!(hash_in_place(&files, &[first, second, fourth], &mut desk), Some(vec![same; 3]));
        assert_eq!(hash_in_place(&files, &[first, across], &mut desk), None);
        assert_eq!(hash_in_place(&files, &[second], &mut desk), Some(vec![same]));
    }
}
