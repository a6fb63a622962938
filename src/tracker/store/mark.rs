//! What is remembered of a peer beside its address: when it was heard, and three facts, in four bytes.

/// When a peer was heard, in seconds since the store began, and three flags below them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark(u32);

/// What a peer is to its swarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has everything.
    Seed,
    /// It lacks something but wants no more of it (BEP 21).
    PartialSeed,
    /// It downloads.
    Leecher,
}

impl Mark {
    const PARTIAL: u32 = 1;
    const HERE: u32 = 2;
    const FOREIGN: u32 = 4;

    /// A peer heard `secs` after the store began; `here` where it runs on the tracker's own machine.
    pub(crate) fn new(secs: u32, state: State, here: bool) -> Self {
        let partial = if state == State::PartialSeed { Self::PARTIAL } else { 0 };
        Self(secs << 3 | partial | if here { Self::HERE } else { 0 })
    }

    /// The same of a peer that announced to another machine.
    pub(crate) fn foreign(self) -> Self {
        Self(self.0 | Self::FOREIGN)
    }

    pub(crate) fn is_foreign(self) -> bool {
        self.0 & Self::FOREIGN != 0
    }

    pub(crate) fn secs(self) -> u32 {
        self.0 >> 3
    }

    pub(crate) fn is_partial(self) -> bool {
        self.0 & Self::PARTIAL != 0
    }

    pub(crate) fn is_here(self) -> bool {
        self.0 & Self::HERE != 0
    }

    /// What the peer is, given on which side of its swarm it stands.
    pub(crate) fn state(self, is_seed: bool) -> State {
        match (is_seed, self.is_partial()) {
            (true, _) => State::Seed,
            (false, true) => State::PartialSeed,
            (false, false) => State::Leecher,
        }
    }
}
