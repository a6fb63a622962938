//! The peers of one torrent over both address families.

use std::net::SocketAddr;

use crate::base::{PeerId, Rng};
use crate::tracker::store::pick::{address, compact};
use crate::tracker::store::{Few, Found, Many, Mark, Picked, State, Want};

/// How many peers a torrent has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwarmCounts {
    /// Seeds.
    pub complete: u32,
    /// Peers that lack something, partial seeds among them.
    pub incomplete: u32,
    /// Those of them that want what they lack (BEP 21).
    pub downloaders: u32,
    /// Downloads that were ever finished.
    pub downloaded: u32,
}

/// The peers of one torrent.
#[derive(Clone, Debug, Default)]
pub(super) struct Swarm {
    four: Four,
    six: Option<Box<Many<18>>>,
    /// Downloads that were ever finished.
    pub(super) downloaded: u32,
    /// When it was announced to last, in seconds since the store began.
    pub(super) touched: u32,
    /// When others were asked for it last; 0 where nobody was.
    pub(super) asked: u32,
    partial: u32,
    /// Whether it has changed since it was saved last.
    pub(super) changed: bool,
}

/// IPv4 peers; most torrents have few.
#[derive(Clone, Debug)]
enum Four {
    Few(Few),
    Many(Box<Many<6>>),
}

impl Default for Four {
    fn default() -> Self {
        Self::Few(Few::default())
    }
}

/// Where a peer stands, by family.
type Own = (Option<usize>, Option<usize>);

impl Swarm {
    /// Notes a peer; gives where it stands now and what it was before.
    pub(super) fn put(
        &mut self,
        addr: SocketAddr,
        mark: Mark,
        state: State,
        id: Option<PeerId>,
        salt: u64,
    ) -> (Option<usize>, Option<State>) {
        let (at, before) = if let Some(key) = compact::<6>(addr) {
            self.put_four(key, mark, state, id, salt)
        } else if let Some(key) = compact::<18>(addr) {
            self.six.get_or_insert_default().put(key, mark, state, id, salt)
        } else {
            return (None, None);
        };
        self.partial -= u32::from(before == Some(State::PartialSeed));
        self.partial += u32::from(state == State::PartialSeed);
        (Some(at), before)
    }

    /// Forgets a peer; gives what it was.
    pub(super) fn remove(&mut self, addr: SocketAddr, salt: u64) -> Option<State> {
        let before = match (&mut self.four, &mut self.six) {
            (Four::Few(few), _) if addr.is_ipv4() => few.remove(&compact(addr)?),
            (Four::Many(many), _) if addr.is_ipv4() => many.remove(&compact(addr)?, salt),
            (_, Some(six)) if addr.is_ipv6() => six.remove(&compact(addr)?, salt),
            _ => None,
        };
        self.partial -= u32::from(before == Some(State::PartialSeed));
        self.give_back();
        before
    }

    /// Forgets the peers that were heard last before `secs`, and tells of each what it was.
    pub(super) fn sweep(&mut self, secs: u32, salt: u64, mut removed: impl FnMut(State)) {
        let mut partial = 0;
        let mut note = |state| {
            partial += u32::from(state == State::PartialSeed);
            removed(state);
        };
        match &mut self.four {
            Four::Few(few) => few.sweep(secs, &mut note),
            Four::Many(many) => many.sweep(secs, salt, &mut note),
        }
        if let Some(six) = &mut self.six {
            six.sweep(secs, salt, &mut note);
        }
        self.partial -= partial;
        self.give_back();
    }

    /// The mark of a peer, where it is known.
    pub(super) fn mark(&self, addr: SocketAddr, salt: u64) -> Option<Mark> {
        let four = compact(addr).and_then(|key| match &self.four {
            Four::Few(few) => few.find(&key).map(|at| few.marks()[at]),
            Four::Many(many) => many.find(&key, salt).map(|at| many.marks()[at]),
        });
        let six = || {
            let (key, six) = (compact(addr)?, self.six.as_ref()?);
            six.find(&key, salt).map(|at| six.marks()[at])
        };
        four.or_else(six)
    }

    pub(super) fn len(&self) -> usize {
        let four = match &self.four {
            Four::Few(few) => few.keys().len(),
            Four::Many(many) => many.keys().len(),
        };
        four + self.six.as_ref().map_or(0, |six| six.keys().len())
    }

    pub(super) fn seeds(&self) -> usize {
        let four = match &self.four {
            Four::Few(few) => few.seeds(),
            Four::Many(many) => many.seeds(),
        };
        four + self.six.as_ref().map_or(0, |six| six.seeds())
    }

    pub(super) fn counts(&self) -> SwarmCounts {
        let complete = self.seeds() as u32;
        let incomplete = self.len() as u32 - complete;
        SwarmCounts {
            complete,
            incomplete,
            downloaders: incomplete - self.partial,
            downloaded: self.downloaded,
        }
    }

    /// Peers for whoever announced from `addr` and stands at `own`: first those of its own address family, then, where `both`
    /// is set, of the other.
    pub(super) fn choose(
        &self,
        addr: SocketAddr,
        own: Option<usize>,
        want: Want,
        both: bool,
        rng: &mut Rng,
    ) -> Found<'_> {
        let own = if addr.is_ipv4() { (own, None) } else { (None, own) };
        let (mut four, mut six) = (Picked::NONE, Picked::NONE);
        if addr.is_ipv4() {
            four = self.choose_four(own, want, rng);
            if both {
                six = self.choose_six(own, Want { peers: want.peers - four.len(), ..want }, rng);
            }
        } else {
            six = self.choose_six(own, want, rng);
            if both {
                four = self.choose_four(own, Want { peers: want.peers - six.len(), ..want }, rng);
            }
        }
        Found { counts: self.counts(), four, six }
    }

    /// Tells of every peer: its address, mark, what it is, and its id where that is known.
    pub(super) fn each(&self, mut each: impl FnMut(SocketAddr, Mark, State, Option<PeerId>)) {
        match &self.four {
            Four::Few(few) => {
                for (at, (key, mark)) in few.keys().iter().zip(few.marks()).enumerate() {
                    each(address(key), *mark, mark.state(at < few.seeds()), None);
                }
            }
            Four::Many(many) => {
                for (at, (key, mark)) in many.keys().iter().zip(many.marks()).enumerate() {
                    each(
                        address(key),
                        *mark,
                        mark.state(at < many.seeds()),
                        many.columns().ids.get(at).copied(),
                    );
                }
            }
        }
        let Some(six) = &self.six else { return };
        for (at, (key, mark)) in six.keys().iter().zip(six.marks()).enumerate() {
            each(address(key), *mark, mark.state(at < six.seeds()), six.columns().ids.get(at).copied());
        }
    }

    fn put_four(
        &mut self,
        key: [u8; 6],
        mark: Mark,
        state: State,
        id: Option<PeerId>,
        salt: u64,
    ) -> (usize, Option<State>) {
        if let Four::Few(few) = &mut self.four {
            if id.is_none()
                && let Ok(put) = few.put(key, mark, state)
            {
                return put;
            }
            self.four = Four::Many(Box::new(Many::from(&*few)));
        }
        match &mut self.four {
            Four::Many(many) => many.put(key, mark, state, id, salt),
            Four::Few(_) => unreachable!("there are many since the line above"),
        }
    }

    fn choose_four(&self, own: Own, want: Want, rng: &mut Rng) -> Picked<'_, 6> {
        match &self.four {
            Four::Few(few) => Picked::choose(few.columns(), own.0, want, rng),
            Four::Many(many) => Picked::choose(many.columns(), own.0, want, rng),
        }
    }

    fn choose_six(&self, own: Own, want: Want, rng: &mut Rng) -> Picked<'_, 18> {
        self.six.as_ref().map_or(Picked::NONE, |six| Picked::choose(six.columns(), own.1, want, rng))
    }

    /// Gives the memory of a family without peers back.
    fn give_back(&mut self) {
        if matches!(&self.four, Four::Many(many) if many.keys().is_empty()) {
            self.four = Four::default();
        }
        if self.six.as_ref().is_some_and(|six| six.keys().is_empty()) {
            self.six = None;
        }
    }
}
