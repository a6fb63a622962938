//! Up to three IPv4 peers, kept inside their swarm: most torrents never have more.

use crate::tracker::store::pick::{Columns, Home};
use crate::tracker::store::{Mark, State};

/// Peers in two columns, seeds in front.
#[derive(Clone, Debug, Default)]
pub(super) struct Few {
    marks: [Mark; Few::ROOM],
    keys: [[u8; 6]; Few::ROOM],
    len: u8,
    seeds: u8,
}

/// There is no room for one more.
#[derive(Debug)]
pub(super) struct Full;

impl Few {
    const ROOM: usize = 3;

    /// Notes a peer; gives where it stands now and what it was before.
    pub(super) fn put(
        &mut self,
        key: [u8; 6],
        mark: Mark,
        state: State,
    ) -> Result<(usize, Option<State>), Full> {
        let before = self.remove(&key);
        let mut at = usize::from(self.len);
        if at == Self::ROOM {
            return Err(Full);
        }
        (self.keys[at], self.marks[at]) = (key, mark);
        self.len += 1;
        if state == State::Seed {
            self.swap(at, self.seeds());
            at = self.seeds();
            self.seeds += 1;
        }
        Ok((at, before))
    }

    pub(super) fn remove(&mut self, key: &[u8; 6]) -> Option<State> {
        self.find(key).map(|at| self.remove_at(at))
    }

    /// Removes the peers that were heard last before `secs`, and tells of each what it was.
    pub(super) fn sweep(&mut self, secs: u32, mut removed: impl FnMut(State)) {
        for at in (0..usize::from(self.len)).rev() {
            if self.marks[at].secs() < secs {
                removed(self.remove_at(at));
            }
        }
    }

    pub(super) fn find(&self, key: &[u8; 6]) -> Option<usize> {
        self.keys().iter().position(|known| known == key)
    }

    pub(super) fn keys(&self) -> &[[u8; 6]] {
        &self.keys[..usize::from(self.len)]
    }

    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks[..usize::from(self.len)]
    }

    pub(super) fn seeds(&self) -> usize {
        usize::from(self.seeds)
    }

    pub(super) fn home(&self) -> Home {
        let mut home = Home::default();
        self.keys().iter().zip(self.marks()).for_each(|(key, mark)| home.note(key, *mark));
        home
    }

    pub(super) fn columns(&self) -> Columns<'_, 6> {
        Columns { keys: self.keys(), marks: self.marks(), ids: &[], seeds: self.seeds(), home: self.home() }
    }

    fn remove_at(&mut self, mut at: usize) -> State {
        let state = self.marks[at].state(at < self.seeds());
        if state == State::Seed {
            self.seeds -= 1;
            self.swap(at, self.seeds());
            at = self.seeds();
        }
        self.len -= 1;
        self.swap(at, usize::from(self.len));
        state
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.keys.swap(a, b);
        self.marks.swap(a, b);
    }
}
