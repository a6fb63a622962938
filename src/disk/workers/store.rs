//! Writing runs of pieces, hashed while they are hot; several pieces are hashed side by side.

use bytes::Bytes;

use super::task::{Task, Work};
use super::torrent::Torrent;
use crate::base::{BLOCK_SIZE, BlockRef, PieceIndex};
use crate::disk::files::{Writer, lock};
use crate::disk::{DiskError, Done, Verdict};
use crate::hash::{self, Sha1, sha1};

/// How far a piece was stored.
pub(super) enum Cursor {
    /// So many bytes, with this digest so far.
    At(u32, Sha1),
    /// A run failed; those that follow it are dropped.
    Failed,
}

/// A run that is taken up.
struct Run<'a> {
    torrent: &'a Torrent,
    piece: PieceIndex,
    begin: u32,
    blocks: &'a [Bytes],
    bytes: u64,
    last: bool,
}

/// Does stores of pieces that are all different.
pub(super) fn store(tasks: &mut [Task]) -> Vec<Done> {
    let mut done = Vec::with_capacity(tasks.len());
    let mut runs = Vec::with_capacity(tasks.len());
    let mut digests: Vec<(Sha1, &[Bytes])> = Vec::with_capacity(tasks.len());
    for task in &*tasks {
        let Work::Store { begin, ref blocks, bytes, last } = task.work else { continue };
        let run = Run { torrent: &task.torrent, piece: task.piece, begin, blocks, bytes, last };
        let cursor = lock(&task.torrent.cursors).remove(&task.piece);
        let digest = match cursor {
            _ if run.is_outside() => None,
            _ if begin == 0 => Some(Sha1::new()),
            Some(Cursor::At(next, digest)) if next == begin => Some(digest),
            Some(Cursor::Failed) => {
                if !last {
                    lock(&task.torrent.cursors).insert(task.piece, Cursor::Failed);
                }
                done.push(run.released());
                continue;
            }
            _ => None,
        };
        match digest {
            Some(digest) => {
                digests.push((digest, blocks));
                runs.push(run);
            }
            None => {
                let path = task.torrent.files.storage().root.clone();
                let message = "a run that does not fit its piece".into();
                done.push(run.stored(Err(DiskError::Other { path, message })));
            }
        }
    }
    hash::update_many(&mut digests);
    let digests = digests.into_iter().map(|(digest, _)| digest);
    let mut hashed: Vec<(Run, Sha1)> = runs.into_iter().zip(digests).collect();
    // The runs of a torrent together, in the order in which they lie in its files.
    hashed.sort_unstable_by_key(|(run, _)| (run.torrent.key, run.piece));
    for runs in hashed.chunk_by(|(run, _), (next, _)| std::ptr::eq(run.torrent, next.torrent)) {
        write(runs, &mut done);
    }
    // The memory of the blocks is free by the time the answer says so.
    for task in tasks {
        if let Work::Store { blocks, .. } = &mut task.work {
            *blocks = Vec::new();
        }
    }
    done
}

/// Writes runs of one torrent that are hashed.
fn write(runs: &[(Run<'_>, Sha1)], done: &mut Vec<Done>) {
    let Some((first, _)) = runs.first() else { return };
    let mut writer = Writer::new(&first.torrent.files);
    let mut bad = Vec::new();
    for (run, digest) in runs {
        if run.last && !run.completes(digest.clone()) {
            bad.push(run);
        } else {
            done.push(run.write(&mut writer, digest));
        }
    }
    // What is read back is read by somebody who does not write.
    drop(writer);
    done.extend(
        bad.into_iter().map(|run| run.stored(run.block_digests().map(|blocks| Verdict::Bad { blocks }))),
    );
}

impl Run<'_> {
    /// Whether the piece ends with it and is right.
    fn completes(&self, digest: Sha1) -> bool {
        let storage = self.torrent.files.storage();
        let whole = self.end() == storage.layout.piece_size(self.piece);
        let at = self.piece.at() * 20;
        whole && storage.hashes.get(at..at + 20) == Some(&digest.finish()[..])
    }

    fn end(&self) -> u32 {
        self.begin + self.bytes as u32
    }

    fn write(&self, writer: &mut Writer<'_>, digest: &Sha1) -> Done {
        let written = writer.write(self.piece, self.begin, self.blocks);
        if self.last {
            return self.stored(written.map(|()| Verdict::Good));
        }
        match written {
            Ok(()) => {
                let cursor = Cursor::At(self.end(), digest.clone());
                lock(&self.torrent.cursors).insert(self.piece, cursor);
                self.released()
            }
            Err(error) => {
                lock(&self.torrent.cursors).insert(self.piece, Cursor::Failed);
                self.stored(Err(error))
            }
        }
    }

    /// The digest of each block of the piece; what is written already is read back.
    fn block_digests(&self) -> Result<Vec<[u8; 20]>, DiskError> {
        let mut whole = Vec::with_capacity(self.begin as usize + self.bytes as usize);
        if self.begin > 0 {
            let before = BlockRef { piece: self.piece, begin: 0, len: self.begin };
            self.torrent.files.read_into(before, &mut whole)?;
        }
        self.blocks.iter().for_each(|block| whole.extend_from_slice(block));
        Ok(whole.chunks(BLOCK_SIZE as usize).map(sha1).collect())
    }

    fn is_outside(&self) -> bool {
        let size = self.torrent.files.storage().layout.piece_size(self.piece);
        u64::from(self.begin) + self.bytes > u64::from(size)
    }

    fn stored(&self, outcome: Result<Verdict, DiskError>) -> Done {
        Done::Stored { torrent: self.torrent.key, piece: self.piece, outcome, released: self.bytes }
    }

    fn released(&self) -> Done {
        Done::Released { torrent: self.torrent.key, piece: self.piece, released: self.bytes }
    }
}
