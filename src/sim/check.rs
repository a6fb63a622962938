//! What must be so after every step of a simulated world.

use std::path::Path;

use crate::base::{BlockRef, InfoHash, PieceIndex};
use crate::disk::{MemoryDisk, Storage};
use crate::sim::host::{FOLDER, MOVED};
use crate::sim::{Content, HostId, World};

/// Panics where something is not as it must be at the host, with the seed and the last lines of the log.
pub(super) fn host(world: &mut World, id: HostId) {
    if let Err(fault) = try_host(world, id) {
        world.fail(&format!("{id:?}: {fault}"));
    }
}

fn try_host(world: &mut World, id: HostId) -> Result<(), String> {
    let now = world.now();
    let (conns, longest) = (world.wires.count(id), world.wires.longest_wait(id));
    let (sent, received) = world.wires.traffic(id);
    let link = *world.wires.link(id);
    let host = &mut world.hosts[id.0];
    let Some(program) = &host.program else { return Ok(()) };
    program.assert_sound();
    let settings = &host.options.settings;
    if conns > settings.max_connections as usize + SPARE {
        return Err(format!("{conns} connections, and {} allowed", settings.max_connections));
    }
    if longest > WAITING {
        return Err(format!("{longest} bytes wait on one connection"));
    }
    for (what, bytes, rate) in [("out", sent, link.up), ("in", received, link.down)] {
        let most = now.micros() as u128 * u128::from(rate.max(world.fastest)) / 1_000_000;
        if u128::from(bytes) > most + 64 * 1024 {
            return Err(format!("{bytes} bytes went {what} where {most} were possible"));
        }
    }
    if let Some(limit) = settings.limits.up
        && host.said.level > limit as f64 * BURST_SECS + 256.0 * 1024.0
    {
        return Err(format!("{} bytes above its upload limit", host.said.level as u64));
    }
    for (torrent, content) in &world.contents {
        let Some(have) = program.have(*torrent) else { continue };
        let compared = host.compared.entry(*torrent).or_default();
        if compared == have {
            continue;
        }
        for piece in have.iter() {
            if !compared.contains(piece) && !holds(&host.drive.disk, content, piece) {
                return Err(format!("claims piece {} of {torrent}, which its disk has not", piece.0));
            }
        }
        *compared = have.clone();
    }
    Ok(())
}

/// Whether the disk has the right bytes of a piece, in one of the folders that torrents are in, or on the way between them.
pub(super) fn holds(disk: &MemoryDisk, content: &Content, piece: PieceIndex) -> bool {
    let torrent = &content.torrent;
    let run = BlockRef { piece, begin: 0, len: torrent.layout.piece_size(piece) };
    let right = content.run(piece, 0, run.len as usize);
    let storage = |root: &str| Storage {
        root: root.into(),
        layout: torrent.layout.clone(),
        hashes: torrent.hashes.clone(),
        priorities: Vec::new(),
    };
    right.is_some() && FOLDERS.iter().any(|root| disk.peek(&storage(root), run) == right)
        || holds_in_parts(disk, content, run)
}

/// The same of a piece whose files are in different folders.
fn holds_in_parts(disk: &MemoryDisk, content: &Content, run: BlockRef) -> bool {
    let layout = &content.torrent.layout;
    layout.spans(run.piece, run.begin, run.len).all(|span| {
        let file = &layout.files()[span.file];
        let start = (layout.file_start(span.file) + span.offset) as usize;
        let right = content.bytes.slice(start..start + span.len as usize);
        let (from, to) = (span.offset as usize, (span.offset + span.len) as usize);
        file.pad
            || FOLDERS.iter().any(|root| {
                let found = disk.file(&Path::new(root).join(file.path.join("/")));
                found.is_some_and(|found| found.get(from..to) == Some(&right[..]))
            })
    })
}

/// Panics unless every file of the torrent is on the host's disk, byte for byte.
pub(super) fn files(world: &World, id: HostId, torrent: InfoHash) {
    let Some(content) = world.contents.get(&torrent) else { return };
    let disk = &world.hosts[id.0].drive.disk;
    for (path, bytes) in content.files() {
        let is_there = |root: &&str| disk.file(&Path::new(root).join(&path)).as_ref() == Some(&bytes);
        if !FOLDERS.iter().any(is_there) {
            world.fail(&format!("{id:?}: {path} differs, of {torrent}"));
        }
    }
}

/// Where torrents may be.
const FOLDERS: [&str; 2] = [FOLDER, MOVED];
/// Connections above the limit while they are being refused.
const SPARE: usize = 64;
/// Bytes that may wait on one connection before its socket takes them; the engine stops at about a mebibyte of blocks.
const WAITING: u64 = 3 * 1024 * 1024;
/// A program may be ahead of its limit by so much of its time.
const BURST_SECS: f64 = 1.0;
