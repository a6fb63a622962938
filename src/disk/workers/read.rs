//! Reading runs of pieces: short ones that follow each other are read at once and share one buffer.

use std::sync::Arc;

use bytes::Bytes;

use super::shelf::{RUN, Shelf};
use super::task::{Task, Work};
use crate::base::BlockRef;
use crate::disk::{DiskError, Done};

/// Bytes read at once.
const JOINED: u32 = RUN as u32;

/// Answers reads, which are put into the order of the disk.
pub(super) fn read(tasks: &mut [Task], shelf: &Arc<Shelf>) -> Vec<Done> {
    tasks.sort_by_key(|task| (task.torrent.key, run_of(task)));
    let mut done = Vec::with_capacity(tasks.len());
    let mut rest = &*tasks;
    while let Some(first) = rest.first() {
        let mut whole = run_of(first);
        let mut count = 1;
        for next in &rest[1..] {
            let run = run_of(next);
            let follows = next.torrent.key == first.torrent.key
                && run.piece == whole.piece
                && u64::from(run.begin) <= whole.end()
                && run.end().max(whole.end()) - u64::from(whole.begin) <= u64::from(JOINED);
            if !follows {
                break;
            }
            whole.len = (run.end().max(whole.end()) - u64::from(whole.begin)) as u32;
            count += 1;
        }
        let (group, later) = rest.split_at(count);
        rest = later;
        let joined = read_one(first, whole, shelf);
        for task in group {
            let run = run_of(task);
            let outcome = match &joined {
                Ok(bytes) => {
                    let from = (run.begin - whole.begin) as usize;
                    Ok(bytes.slice(from..from + run.len as usize))
                }
                // A part of it may be there.
                Err(_) if count > 1 => read_one(task, run, shelf),
                Err(error) => Err(error.clone()),
            };
            let Work::Read { tag, .. } = task.work else { continue };
            done.push(Done::Read { torrent: task.torrent.key, run, tag, outcome });
        }
    }
    done
}

fn run_of(task: &Task) -> BlockRef {
    match task.work {
        Work::Read { run, .. } => run,
        Work::Store { begin, .. } => BlockRef { piece: task.piece, begin, len: 0 },
    }
}

fn read_one(task: &Task, run: BlockRef, shelf: &Arc<Shelf>) -> Result<Bytes, DiskError> {
    let storage = task.torrent.files.storage();
    if !storage.layout.holds(run) {
        return Err(DiskError::Other {
            path: storage.root.clone(),
            message: "a run that does not fit its piece".into(),
        });
    }
    let mut buffer = shelf.take(run.len as usize);
    task.torrent.files.read_into(run, buffer.fill())?;
    Ok(Bytes::from_owner(buffer))
}
