//! A host's disk: the one in memory, behind a queue that takes its time.

use std::collections::VecDeque;

use crate::base::{Moment, Rng, Span};
use crate::disk::{Done, Job, MemoryDisk};
use crate::sim::link::time_for;

/// How fast a disk is.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Bytes per second, read and written.
    pub rate: u64,
    /// How long a job takes besides its bytes.
    pub seek: Span,
    /// How long a sync takes besides that.
    pub sync: Span,
}

impl Default for Speed {
    /// A solid-state disk.
    fn default() -> Self {
        Self { rate: 500_000_000, seek: Span::from_micros(80), sync: Span::from_millis(5) }
    }
}

/// A disk that does one job after the other.
pub struct Drive {
    /// What is on it, and its faults.
    pub disk: MemoryDisk,
    speed: Speed,
    queue: VecDeque<Job>,
    /// When the job in front of the queue is done; nothing while there is none.
    busy: Option<Moment>,
    checks: usize,
    moves: usize,
}

impl Drive {
    /// An idle drive.
    pub fn new(disk: MemoryDisk, speed: Speed) -> Self {
        Self { disk, speed, queue: VecDeque::new(), busy: None, checks: 0, moves: 0 }
    }

    /// Takes a job; where it can begin at once, returns when to come back.
    pub fn submit(&mut self, now: Moment, job: Job) -> Option<Moment> {
        self.queue.push_back(job);
        if self.busy.is_some() { None } else { self.begin(now) }
    }

    /// Ends what is done by now and returns its answers, and when to come back.
    pub fn step(&mut self, now: Moment) -> (Vec<Done>, Option<Moment>) {
        self.busy = None;
        if let Some(job) = self.queue.pop_front() {
            self.checks += usize::from(matches!(job, Job::Check { .. }));
            self.moves += usize::from(matches!(job, Job::Move { .. }));
            self.disk.submit(job);
        }
        let mut answers = Vec::new();
        while let Some(done) = self.disk.poll() {
            self.checks -= usize::from(matches!(done, Done::Checked { .. }));
            self.moves -= usize::from(matches!(done, Done::Moved { .. }));
            // A check, or a move, takes one step at a time.
            let pause = matches!(done, Done::Checking { .. } | Done::Moving { .. });
            answers.push(done);
            if pause {
                break;
            }
        }
        let next = self.begin(now);
        (answers, next)
    }

    /// The program stops: of what was begun a part may have happened, and what was not begun never happens.
    pub fn stop(&mut self, rng: &mut Rng) {
        let begun = self.busy.take().and_then(|_| self.queue.pop_front());
        self.disk.cut_short(begun, rng);
        self.queue.clear();
        (self.checks, self.moves) = (0, 0);
    }

    /// Jobs that wait or run.
    pub fn jobs(&self) -> usize {
        self.queue.len()
    }

    fn begin(&mut self, now: Moment) -> Option<Moment> {
        let span = match self.queue.front() {
            Some(job) => self.time_of(job),
            None if self.moves > 0 => self.speed.sync,
            None if self.checks > 0 => time_for(CHECK_STEP_BYTES, self.speed.rate),
            None => return None,
        };
        self.busy = Some(now + span);
        self.busy
    }

    fn time_of(&self, job: &Job) -> Span {
        let bytes = match job {
            Job::Store { blocks, .. } => blocks.iter().map(|block| block.len() as u64).sum(),
            Job::Read { run, .. } => u64::from(run.len),
            _ => 0,
        };
        // Every piece of a check is looked for.
        let seeks = if let Job::Check { pieces, .. } = job { pieces.count() as u64 } else { 1 };
        let sync = if matches!(job, Job::Sync { .. }) { self.speed.sync } else { Span::ZERO };
        self.speed.seek.times(seeks) + sync + time_for(bytes, self.speed.rate)
    }
}

/// What a step of a check is taken to read.
const CHECK_STEP_BYTES: u64 = 16 * 1024 * 1024;
