//! The threads behind a real disk: jobs in, batches of answers out.
//!
//! - `torrent`: what the threads share of one open torrent
//! - `queue`: what the threads for reads and writes have to do, in which order and company
//! - `task`: one thing of it
//! - `store`: writing and hashing runs of pieces
//! - `read`: reading runs of pieces, to memory from a `shelf`
//! - `check`: the thread that hashes what is there already, after everything else
//! - `moves`: moving torrents to other folders
//! - `errands`: opening, syncing and closing, which may take long and hold up no piece

mod check;
mod errands;
mod moves;
mod queue;
mod read;
mod shelf;
mod store;
mod task;
mod torrent;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use crate::base::TorrentKey;
use crate::disk::files::{Disk, lock};
use crate::disk::system::{System, open_file_limit};
use crate::disk::{DiskError, Done, Job, Relocation};

use check::Checks;
use errands::{Errand, Errands};
use moves::Moves;
use queue::Queue;
use shelf::Shelf;
use task::Task;
use torrent::Torrent;

/// How the threads of a disk are set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Threads that read and write pieces.
    pub threads: usize,
    /// Threads that hash pieces in a check.
    pub check_threads: usize,
    /// Files open at once.
    pub open_files: usize,
    /// Whether only what every system has is used.
    pub portable: bool,
}

impl Default for Config {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            threads: cores.clamp(2, 16),
            check_threads: cores,
            // Sockets need most of what the system allows.
            open_files: (open_file_limit() / 4).clamp(16, 256),
            portable: false,
        }
    }
}

/// Receives answers, several at a time; must return soon and never wait for the disk.
pub type Answers = Arc<dyn Fn(Vec<Done>) + Send + Sync>;

/// A real disk. Dropping it ends running checks, does everything else that was asked for, and waits for that.
pub struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What all threads know.
struct Shared {
    config: Config,
    disk: Arc<Disk>,
    torrents: Mutex<HashMap<TorrentKey, Arc<Torrent>>>,
    queue: Queue,
    shelf: Arc<Shelf>,
    checks: Checks,
    moves: Moves,
    syncs: Errands,
    errands: Errands,
    answers: Answers,
}

impl Workers {
    /// Starts the threads; `answers` is called from any of them.
    ///
    /// # Errors
    /// Where the system lets no thread start.
    pub fn start(config: Config, answers: Answers) -> io::Result<Self> {
        let threads = config.threads.max(1);
        let shared = Arc::new(Shared {
            disk: Arc::new(Disk::new(System::new(config.portable), config.open_files)),
            torrents: Mutex::default(),
            queue: Queue::default(),
            shelf: Arc::default(),
            checks: Checks::default(),
            moves: Moves::default(),
            syncs: Errands::default(),
            errands: Errands::default(),
            config,
            answers,
        });
        let mut workers = Self { shared, threads: Vec::new() };
        for number in 0..threads {
            workers.spawn(format!("disk-{number}"), Shared::run_lane)?;
        }
        workers.spawn("disk-check".into(), |shared| shared.run_checks())?;
        workers.spawn("disk-moves".into(), |shared| shared.run_moves())?;
        workers.spawn("disk-sync".into(), |shared| shared.run_errands(&shared.syncs))?;
        workers.spawn("disk-errands".into(), |shared| shared.run_errands(&shared.errands))?;
        Ok(workers)
    }

    /// Takes jobs; never waits for the disk.
    pub fn submit(&self, jobs: Vec<Job>) {
        let shared = &self.shared;
        let mut refused = Vec::new();
        let mut tasks: Vec<Task> = Vec::new();
        let mut torrents = lock(&shared.torrents);
        for job in jobs {
            let key = key_of(&job);
            if let Job::Open { storage, .. } = job {
                let opened = Arc::new(Torrent::new(key, Arc::clone(&shared.disk), storage));
                opened.begin();
                torrents.insert(key, Arc::clone(&opened));
                shared.errands.push(Errand::Open(opened));
                continue;
            }
            let Some(torrent) = torrents.get(&key).map(Arc::clone) else {
                refused.extend(refuse(job));
                continue;
            };
            match job {
                Job::Open { .. } => {}
                Job::Close { delete, .. } => {
                    torrents.remove(&key);
                    torrent.stop_checks();
                    torrent.stop_moves();
                    shared.moves.wake();
                    if torrent.close(delete) {
                        shared.errands.push(Errand::Close(torrent, delete));
                    }
                }
                Job::StopCheck { .. } => {
                    torrent.stop_checks();
                    shared.checks.wake();
                }
                Job::Move { to, resumed, .. } => {
                    torrent.begin();
                    shared.moves.push(torrent, to, resumed);
                }
                Job::StopMove { .. } => {
                    torrent.stop_moves();
                    shared.moves.wake();
                }
                Job::Check { pieces, .. } => {
                    torrent.begin();
                    shared.checks.push(torrent, pieces);
                }
                Job::Sync { tag, .. } => {
                    torrent.begin();
                    shared.syncs.push(Errand::Sync(torrent, tag));
                }
                Job::Finish { .. } => {
                    torrent.begin();
                    shared.errands.push(Errand::Finish(torrent));
                }
                Job::Update { storage, .. } => {
                    torrent.begin();
                    shared.errands.push(Errand::Update(torrent, storage));
                }
                Job::Store { piece, begin, blocks, last, .. } => {
                    torrent.begin();
                    tasks.push(Task::store(torrent, piece, begin, blocks, last));
                }
                Job::Read { run, tag, .. } => {
                    torrent.begin();
                    tasks.push(Task::read(torrent, run, tag));
                }
            }
        }
        drop(torrents);
        if !tasks.is_empty() {
            shared.queue.push(tasks);
        }
        if !refused.is_empty() {
            (shared.answers)(refused);
        }
    }

    fn spawn(&mut self, name: String, run: impl FnOnce(&Shared) + Send + 'static) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        self.threads.push(Builder::new().name(name).spawn(move || run(&shared))?);
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for torrent in lock(&self.shared.torrents).values() {
            torrent.stop_checks();
            torrent.stop_moves();
        }
        self.shared.queue.stop();
        self.shared.checks.stop();
        self.shared.moves.stop();
        self.shared.syncs.stop();
        // The last job of a torrent may be what its closing waits for, so errands end after all others.
        let errands = self.threads.pop();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.shared.errands.stop();
        let _ = errands.map(JoinHandle::join);
    }
}

impl Shared {
    /// Answers, and then counts those jobs of each torrent as done.
    fn answer<'a>(&self, done: Vec<Done>, jobs: impl Iterator<Item = (&'a Arc<Torrent>, usize)>) {
        if !done.is_empty() {
            (self.answers)(done);
        }
        for (torrent, count) in jobs {
            if let Some(delete) = torrent.end(count) {
                self.errands.push(Errand::Close(Arc::clone(torrent), delete));
            }
        }
    }
}

fn key_of(job: &Job) -> TorrentKey {
    match job {
        Job::Open { torrent, .. }
        | Job::Update { torrent, .. }
        | Job::Check { torrent, .. }
        | Job::StopCheck { torrent }
        | Job::Move { torrent, .. }
        | Job::StopMove { torrent }
        | Job::Store { torrent, .. }
        | Job::Read { torrent, .. }
        | Job::Sync { torrent, .. }
        | Job::Finish { torrent }
        | Job::Close { torrent, .. } => *torrent,
    }
}

/// The answer to a job of a torrent that is not open.
fn refuse(job: Job) -> Option<Done> {
    let error = DiskError::Other { path: PathBuf::new(), message: "the torrent is not open".into() };
    Some(match job {
        Job::Open { .. } | Job::Update { .. } | Job::StopCheck { .. } | Job::StopMove { .. } => return None,
        Job::Move { torrent, .. } => Done::Moved { torrent, outcome: Relocation::Undone(Some(error)) },
        Job::Check { torrent, pieces } => {
            let none = crate::base::Bitfield::new(pieces.len());
            Done::Checked { torrent, looked: none.clone(), good: none, error: Some(error) }
        }
        Job::Store { torrent, piece, blocks, .. } => {
            let released = blocks.iter().map(|block| block.len() as u64).sum();
            Done::Stored { torrent, piece, outcome: Err(error), released }
        }
        Job::Read { torrent, run, tag } => Done::Read { torrent, run, tag, outcome: Err(error) },
        Job::Sync { torrent, tag } => Done::Synced { torrent, tag, outcome: Err(error) },
        Job::Finish { torrent } => Done::Finished { torrent, outcome: Err(error) },
        Job::Close { torrent, .. } => Done::Closed { torrent, outcome: Ok(()) },
    })
}

#[cfg(test)]
mod tests;
