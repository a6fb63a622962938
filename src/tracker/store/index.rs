//! Where in its columns a large swarm keeps a peer: an open-addressing table of positions, without the keys themselves.

/// Positions by the hash of the key that stands there. Empty until the swarm is [`Index::FROM`] peers large; a smaller one is
/// looked through faster than a table is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    slots: Box<[u32]>,
}

impl Index {
    /// Peers from which a table pays.
    pub(super) const FROM: usize = 64;
    const EMPTY: u32 = u32::MAX;

    /// Where `key` stands in `keys`.
    pub(super) fn find<const N: usize>(&self, keys: &[[u8; N]], key: &[u8; N], salt: u64) -> Option<usize> {
        if self.slots.is_empty() {
            return keys.iter().position(|known| known == key);
        }
        let mut slot = self.home(key, salt);
        loop {
            match self.slots[slot] {
                Self::EMPTY => return None,
                at if keys[at as usize] == *key => return Some(at as usize),
                _ => slot = self.next(slot),
            }
        }
    }

    /// Notes the last of `keys`, which has just been put there.
    pub(super) fn push<const N: usize>(&mut self, keys: &[[u8; N]], salt: u64) {
        if keys.len() < Self::FROM {
            return;
        }
        // At most three quarters are in use, so that a search is short and always ends.
        if self.slots.is_empty() || keys.len() > self.slots.len() / 4 * 3 {
            self.rebuild(keys, salt);
        } else if let Some(key) = keys.last() {
            self.place(keys.len() - 1, key, salt);
        }
    }

    /// The keys at two positions are about to change places.
    pub(super) fn swap<const N: usize>(&mut self, keys: &[[u8; N]], a: usize, b: usize, salt: u64) {
        if self.slots.is_empty() || a == b {
            return;
        }
        if let (Some(slot_a), Some(slot_b)) =
            (self.slot_of(a, &keys[a], salt), self.slot_of(b, &keys[b], salt))
        {
            self.slots.swap(slot_a, slot_b);
        }
    }

    /// The last of `keys` is about to go.
    pub(super) fn pop<const N: usize>(&mut self, keys: &[[u8; N]], salt: u64) {
        let Some(key) = keys.last() else { return };
        if self.slots.is_empty() {
            return;
        }
        if keys.len() <= Self::FROM / 2 {
            self.slots = Box::default();
            return;
        }
        let Some(mut hole) = self.slot_of(keys.len() - 1, key, salt) else { return };
        // Whoever stands behind the hole and could stand in it moves up, so that no search ends too early.
        let mask = self.slots.len() - 1;
        let mut slot = self.next(hole);
        while self.slots[slot] != Self::EMPTY {
            let home = self.home(&keys[self.slots[slot] as usize], salt);
            if slot.wrapping_sub(home) & mask >= slot.wrapping_sub(hole) & mask {
                self.slots[hole] = self.slots[slot];
                hole = slot;
            }
            slot = self.next(slot);
        }
        self.slots[hole] = Self::EMPTY;
    }

    /// Makes a table that fits.
    pub(super) fn rebuild<const N: usize>(&mut self, keys: &[[u8; N]], salt: u64) {
        if keys.len() < Self::FROM {
            self.slots = Box::default();
            return;
        }
        // Half as many again as there are keys, before the table is half full at the latest.
        let slots = (keys.len() + keys.len() / 2).next_power_of_two();
        self.slots = vec![Self::EMPTY; slots].into_boxed_slice();
        for (at, key) in keys.iter().enumerate() {
            self.place(at, key, salt);
        }
    }

    fn place<const N: usize>(&mut self, at: usize, key: &[u8; N], salt: u64) {
        let mut slot = self.home(key, salt);
        while self.slots[slot] != Self::EMPTY {
            slot = self.next(slot);
        }
        self.slots[slot] = at as u32;
    }

    fn slot_of<const N: usize>(&self, at: usize, key: &[u8; N], salt: u64) -> Option<usize> {
        let mut slot = self.home(key, salt);
        loop {
            match self.slots[slot] {
                Self::EMPTY => return None,
                known if known as usize == at => return Some(slot),
                _ => slot = self.next(slot),
            }
        }
    }

    fn home<const N: usize>(&self, key: &[u8; N], salt: u64) -> usize {
        hash(key, salt) as usize & (self.slots.len() - 1)
    }

    fn next(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }
}

/// A quick hash that `salt` keeps strangers from steering: eight bytes at a time are multiplied and folded.
pub(super) fn hash(key: &[u8], salt: u64) -> u64 {
    let fold = |state: u64, word: u64| {
        let wide = u128::from(state ^ word) * u128::from(salt | 1);
        (wide as u64) ^ (wide >> 64) as u64
    };
    let (words, rest) = key.as_chunks::<8>();
    let mut state =
        words.iter().fold(salt.rotate_left(23), |state, word| fold(state, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    state = fold(state, u64::from_le_bytes(last));
    fold(state, 0x9e37_79b9_7f4a_7c15)
}
