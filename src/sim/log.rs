//! What happened in a simulated world, as lines of text: one seed, one log.

use std::collections::VecDeque;
use std::fmt;

use crate::base::Moment;
use crate::hash::Sha1;

/// How much is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What hosts tell their users, and connections.
    Events,
    /// Everything that goes into a host's program and comes out of it.
    #[default]
    Everything,
}

/// The log: its digest, and its last lines.
pub struct Log {
    detail: Detail,
    digest: Sha1,
    lines: u64,
    last: VecDeque<String>,
}

impl Log {
    /// Nothing has happened.
    pub fn new(detail: Detail) -> Self {
        Self { detail, digest: Sha1::new(), lines: 0, last: VecDeque::new() }
    }

    /// Whether lines of that kind are written.
    pub fn takes(&self, detail: Detail) -> bool {
        detail <= self.detail
    }

    /// Writes a line.
    pub fn write(&mut self, now: Moment, line: fmt::Arguments<'_>) {
        let line = format!("{now} {line}\n");
        self.digest.update(line.as_bytes());
        self.lines += 1;
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// The digest of every line so far.
    pub fn digest(&self) -> [u8; 20] {
        self.digest.clone().finish()
    }

    /// How many lines there are.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The last lines, oldest first.
    pub fn last(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(String::as_str)
    }
}

/// Lines kept to be read when something is wrong.
const KEPT: usize = 200;
