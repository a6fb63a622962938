//! Whom to let download: those who give most, now and then somebody new, and in turn when everything is here.

use std::cmp::Reverse;

use crate::base::{ConnKey, Moment, Rng, Span};

/// Rounds are so far apart (BEP 3).
const ROUND: Span = Span::from_secs(10);
/// The first round is so long, and each further one twice as long as the one before until that.
const FIRST_ROUND: Span = Span::from_secs(1);
/// An optimistic turn lasts three rounds (BEP 3).
const OPTIMISTIC: Span = Span::from_secs(30);
/// A peer connected for no longer than this is new, and three times as likely to get an optimistic turn (BEP 3).
const NEW: Span = Span::from_secs(60);
/// The fewest slots, and the most.
const SLOTS: std::ops::RangeInclusive<usize> = 4..=100;
/// So many interested peers are served all at once, so that small swarms start at once.
const FEW: usize = 8;
/// With each slot, everybody waits longer for a whole piece that can be passed on: a further one must be worth twice so many
/// bytes per second more than the one before.
const SLOT_RATE: u64 = 32 * 1024;
/// A seed serves one peer for at least so long before another gets the turn...
const TURN: Span = Span::from_secs(60);
/// ...and until it got so much...
const TURN_BYTES: u64 = 4 * 1024 * 1024;
/// ...but not for longer than this.
const LONG_TURN: Span = Span::from_secs(300);
/// An unchoked peer that took nothing for so long gives up its turn.
const UNUSED: Span = Span::from_secs(20);

/// One connected peer as the choker sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Which.
    pub peer: ConnKey,
    /// Whether it wants something.
    pub interested: bool,
    /// Whether we let it download now.
    pub unchoked: bool,
    /// Whether it was asked for blocks and sent nothing for a minute.
    pub snubbed: bool,
    /// Whether it needs nothing: it has everything, or says that it only uploads (BEP 21).
    pub is_seed: bool,
    /// Bytes per second from it.
    pub down_rate: u64,
    /// Bytes per second to it.
    pub up_rate: u64,
    /// When it connected.
    pub connected_at: Moment,
    /// When it was choked or unchoked last; when it connected, where it never was.
    pub changed_at: Moment,
    /// Bytes sent to it since it was unchoked.
    pub sent: u64,
}

/// The upload of the torrent, or of the machine where the limit is the machine's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upload {
    /// Bytes per second allowed.
    pub limit: Option<u64>,
    /// Bytes per second measured.
    pub rate: u64,
}

/// What a round changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those who may download from now on.
    pub unchoke: Vec<ConnKey>,
    /// Those who may no longer.
    pub choke: Vec<ConnKey>,
}

/// The choice of peers to serve, for one torrent.
#[derive(Clone, Debug)]
pub struct Choker {
    rng: Rng,
    /// Slots of the last round.
    slots: usize,
    /// Slots added because those there were did not use up the upload.
    extra: usize,
    /// Bytes per second before the last slot was added, while it is on trial.
    rate_before: Option<u64>,
    optimistic: Vec<ConnKey>,
    /// How long the present round is.
    length: Span,
    next_round: Moment,
    next_optimistic: Moment,
}

impl Choker {
    /// Nobody is served yet.
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            slots: *SLOTS.start(),
            extra: 0,
            rate_before: None,
            optimistic: Vec::new(),
            length: FIRST_ROUND,
            next_round: Moment::ZERO,
            next_optimistic: Moment::ZERO,
        }
    }

    /// When the next round is due.
    pub fn next_deadline(&self) -> Moment {
        self.next_round
    }

    /// Those who are served to see what they can give.
    pub fn optimistic(&self) -> &[ConnKey] {
        &self.optimistic
    }

    /// How many peers are served at once.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Whether a peer that has just connected or become interested may be served at once instead of at the next round;
    /// `taken` is how many interested peers are unchoked.
    pub fn unchoke_now(&self, taken: usize) -> bool {
        taken < self.slots.max(FEW)
    }

    /// Decides anew whom to serve. May be called before the next round is due, as when somebody served has left.
    /// `seeding` is true where there is nothing to get from anybody.
    pub fn round(&mut self, now: Moment, seeding: bool, upload: Upload, peers: &[Candidate]) -> Changes {
        let due = now >= self.next_round;
        if due {
            self.next_round = now + self.length;
            self.length = self.length.times(2).min(ROUND);
        }
        let mut wanting: Vec<&Candidate> =
            peers.iter().filter(|peer| peer.interested && !peer.is_seed).collect();
        wanting.sort_unstable_by_key(|peer| peer.peer);
        self.count_slots(due, upload, wanting.len());
        self.optimistic.retain(|key| wanting.iter().any(|peer| peer.peer == *key));
        if wanting.len() <= self.slots.max(FEW) {
            self.optimistic.clear();
            let served = |peer: &Candidate| peer.unchoked || (peer.interested && !peer.is_seed);
            return Self::changes(peers, served);
        }
        if seeding {
            wanting.sort_by_key(|peer| Self::turn(now, peer));
        } else {
            self.rng.shuffle(&mut wanting);
            wanting.sort_by_key(|peer| Self::worth(now, peer));
        }
        // A seed's turns come to everybody by themselves.
        let tries = if seeding { 0 } else { (self.slots / 10).max(1) };
        let (regular, rest) = wanting.split_at(self.slots - tries);
        self.try_others(now, tries, rest);
        let served = |peer: &Candidate| {
            regular.iter().any(|other| other.peer == peer.peer) || self.optimistic.contains(&peer.peer)
        };
        Self::changes(peers, served)
    }

    /// How many to serve: more as the upload rises, and more where those served do not take all there is.
    fn count_slots(&mut self, due: bool, upload: Upload, wanting: usize) {
        let base = (upload.limit.unwrap_or(upload.rate) / SLOT_RATE).isqrt() as usize;
        let room = base + self.extra < wanting;
        let Some(limit) = upload.limit else {
            if due {
                self.try_slot(upload.rate, base, room);
            }
            self.slots = (base + self.extra).clamp(FEW, *SLOTS.end());
            return;
        };
        self.rate_before = None;
        if upload.rate >= limit / 10 * 9 {
            self.extra = self.extra.min(wanting);
        } else if due && room {
            self.extra += 1;
        }
        self.slots = (base + self.extra).clamp(*SLOTS.start(), *SLOTS.end());
    }

    /// Where nobody knows what the line carries, one slot more is tried, and kept where it takes at least half of what the
    /// others take and does not only take it from them.
    fn try_slot(&mut self, rate: u64, base: usize, room: bool) {
        match self.rate_before.take() {
            Some(before) if rate < before + before / (2 * self.slots as u64) => {
                self.extra = (self.slots - 1).saturating_sub(base);
            }
            _ if room && rate > 0 => {
                self.rate_before = Some(rate);
                self.extra = (self.slots + 1).saturating_sub(base);
            }
            _ => {}
        }
    }

    /// Gives optimistic turns to some of those who earned no slot, new ones three times as likely.
    fn try_others(&mut self, now: Moment, tries: usize, rest: &[&Candidate]) {
        if now >= self.next_optimistic {
            self.next_optimistic = now + OPTIMISTIC;
            self.optimistic.clear();
        }
        // One that has earned a slot makes room for another.
        self.optimistic.retain(|key| rest.iter().any(|peer| peer.peer == *key));
        self.optimistic.truncate(tries);
        while self.optimistic.len() < tries {
            let others = rest.iter().filter(|peer| !self.optimistic.contains(&peer.peer));
            let weight = |peer: &Candidate| if now.since(peer.connected_at) <= NEW { 3 } else { 1 };
            let open: Vec<(ConnKey, usize)> = others.map(|peer| (peer.peer, weight(peer))).collect();
            let mut turn = self.rng.below(open.iter().map(|(_, weight)| weight).sum());
            let chosen = open.iter().find(|(_, weight)| {
                let hit = turn < *weight;
                turn = turn.saturating_sub(*weight);
                hit
            });
            match chosen {
                Some((peer, _)) => self.optimistic.push(*peer),
                None => break,
            }
        }
    }

    /// The order while downloading: who gives most, with some favour for those served already; of those who give nothing,
    /// who is on trial, who had no trial yet, and who failed it; those that ignore us last.
    fn worth(now: Moment, peer: &Candidate) -> (bool, Reverse<u64>, u8) {
        let favour = if peer.unchoked { peer.down_rate / 8 } else { 0 };
        let trial = match (peer.unchoked, now.since(peer.changed_at) < UNUSED) {
            (true, true) => 0,
            (false, _) => 1,
            (true, false) => 2,
        };
        (peer.snubbed, Reverse(peer.down_rate + favour), trial)
    }

    /// The order while seeding: those whose turn is not over, the fastest first; then those who waited longest; then those
    /// who had their turn.
    fn turn(now: Moment, peer: &Candidate) -> (u8, u64) {
        let lasted = now.since(peer.changed_at);
        if !peer.unchoked {
            return (1, peer.changed_at.micros());
        }
        let unused = peer.up_rate == 0 && lasted >= UNUSED;
        if unused || lasted >= LONG_TURN || (lasted >= TURN && peer.sent >= TURN_BYTES) {
            (2, u64::MAX - peer.up_rate)
        } else {
            (0, u64::MAX - peer.up_rate)
        }
    }

    fn changes(peers: &[Candidate], served: impl Fn(&Candidate) -> bool) -> Changes {
        let mut changes = Changes::default();
        for peer in peers {
            match (peer.unchoked, served(peer)) {
                (false, true) => changes.unchoke.push(peer.peer),
                (true, false) => changes.choke.push(peer.peer),
                _ => {}
            }
        }
        changes
    }
}

#[cfg(test)]
#[path = "choker_tests.rs"]
mod tests;
