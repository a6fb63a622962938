//! Any number of peers of one address family, in columns: addresses as they go into answers, marks, and peer ids where a
//! client told one that others may ask for.

use crate::base::PeerId;
use crate::tracker::store::pick::{Columns, Home};
use crate::tracker::store::{Few, Index, Mark, State};

/// Peers in columns, seeds in front. `N` is 6 for IPv4 and 18 for IPv6: the length of a compact peer.
#[derive(Clone, Debug)]
pub(super) struct Many<const N: usize> {
    keys: Vec<[u8; N]>,
    marks: Vec<Mark>,
    /// As long as the others, or empty: clients that ask over UDP are never shown ids.
    ids: Vec<PeerId>,
    seeds: u32,
    home: Home,
    index: Index,
}

impl<const N: usize> Default for Many<N> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            marks: Vec::new(),
            ids: Vec::new(),
            seeds: 0,
            home: Home::default(),
            index: Index::default(),
        }
    }
}

impl From<&Few> for Many<6> {
    fn from(few: &Few) -> Self {
        let mut many = Self { seeds: few.seeds() as u32, ..Self::default() };
        many.grow();
        many.keys.extend_from_slice(few.keys());
        many.marks.extend_from_slice(few.marks());
        many.home = few.home();
        many
    }
}

impl<const N: usize> Many<N> {
    /// Notes a peer; gives where it stands now and what it was before.
    pub(super) fn put(
        &mut self,
        key: [u8; N],
        mark: Mark,
        state: State,
        id: Option<PeerId>,
        salt: u64,
    ) -> (usize, Option<State>) {
        let (mut at, before) = match self.find(&key, salt) {
            Some(at) => (at, Some(self.marks[at].state(at < self.seeds()))),
            None => {
                if self.keys.len() == self.keys.capacity() {
                    self.grow();
                }
                self.keys.push(key);
                self.marks.push(mark);
                if !self.ids.is_empty() {
                    self.ids.push(PeerId::default());
                }
                self.index.push(&self.keys, salt);
                (self.keys.len() - 1, None)
            }
        };
        self.marks[at] = mark;
        self.home.note(&key, mark);
        if let Some(id) = id {
            if self.ids.is_empty() {
                self.ids = Vec::with_capacity(self.keys.capacity());
                self.ids.resize(self.keys.len(), PeerId::default());
            }
            self.ids[at] = id;
        }
        match (state == State::Seed, at < self.seeds()) {
            (true, false) => {
                self.swap(at, self.seeds(), salt);
                at = self.seeds();
                self.seeds += 1;
            }
            (false, true) => {
                self.seeds -= 1;
                self.swap(at, self.seeds(), salt);
                at = self.seeds();
            }
            _ => {}
        }
        (at, before)
    }

    pub(super) fn remove(&mut self, key: &[u8; N], salt: u64) -> Option<State> {
        let at = self.find(key, salt)?;
        Some(self.remove_at(at, salt))
    }

    /// Removes the peers that were heard last before `secs`, and tells of each what it was.
    pub(super) fn sweep(&mut self, secs: u32, salt: u64, mut removed: impl FnMut(State)) {
        for at in (0..self.keys.len()).rev() {
            if self.marks[at].secs() < secs {
                removed(self.remove_at(at, salt));
            }
        }
        // What is given back must be worth the copying.
        if self.keys.capacity() > self.keys.len() * 2 + 16 {
            self.keys.shrink_to_fit();
            self.marks.shrink_to_fit();
            self.ids.shrink_to_fit();
            self.index.rebuild(&self.keys, salt);
        }
    }

    pub(super) fn find(&self, key: &[u8; N], salt: u64) -> Option<usize> {
        self.index.find(&self.keys, key, salt)
    }

    pub(super) fn keys(&self) -> &[[u8; N]] {
        &self.keys
    }

    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    pub(super) fn seeds(&self) -> usize {
        self.seeds as usize
    }

    pub(super) fn columns(&self) -> Columns<'_, N> {
        let Self { keys, marks, ids, home, .. } = self;
        Columns { keys, marks, ids, seeds: self.seeds(), home: *home }
    }

    fn remove_at(&mut self, mut at: usize, salt: u64) -> State {
        let state = self.marks[at].state(at < self.seeds());
        if state == State::Seed {
            self.seeds -= 1;
            self.swap(at, self.seeds(), salt);
            at = self.seeds();
        }
        self.swap(at, self.keys.len() - 1, salt);
        self.index.pop(&self.keys, salt);
        self.keys.pop();
        self.marks.pop();
        self.ids.pop();
        state
    }

    fn swap(&mut self, a: usize, b: usize, salt: u64) {
        self.index.swap(&self.keys, a, b, salt);
        self.keys.swap(a, b);
        self.marks.swap(a, b);
        if !self.ids.is_empty() {
            self.ids.swap(a, b);
        }
    }

    /// Makes room for half as many again; doubling would leave more of the memory unused.
    fn grow(&mut self) {
        let more = (self.keys.len() / 2).max(5);
        self.keys.reserve_exact(more);
        self.marks.reserve_exact(more);
        if !self.ids.is_empty() {
            self.ids.reserve_exact(more);
        }
    }
}
