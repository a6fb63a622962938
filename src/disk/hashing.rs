//! Pieces of files hashed on several threads: what checking, verifying and making a torrent have in common.

use std::sync::Mutex;

use crate::base::{BlockRef, PieceIndex};
use crate::disk::DiskError;
use crate::disk::files::{Files, Reader, lock};
use crate::hash::{self, Sha1};

/// Bytes of each piece that are read before they are hashed: they stay in the processor's own cache, however long pieces are.
const CHUNK: u32 = 64 * 1024;

/// Reads and hashes `pieces` on `threads` threads and calls `found` with each digest, in no particular order, until it
/// answers false. `begin` is called once by each thread before it does anything.
pub(super) fn hash_pieces(
    files: &Files,
    pieces: impl Iterator<Item = PieceIndex> + Send,
    threads: usize,
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
        loop {
            let group = take();
            if group.is_empty() {
                return;
            }
            if !hash_group(files, &group, &mut buffers, &found) {
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
