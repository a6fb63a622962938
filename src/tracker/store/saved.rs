//! A swarm as a run of bytes, to be kept beyond the end of the process.

use std::net::SocketAddr;

use crate::base::{InfoHash, PeerId};
use crate::tracker::store::pick::{address, compact};
use crate::tracker::store::{Mark, State};

/// A torrent and what is known of it. One without peers and downloads is known no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Which.
    pub info_hash: InfoHash,
    /// Downloads that were ever finished.
    pub downloaded: u32,
    /// When it was announced to last, in seconds of the tracker's clock.
    pub touched_secs: u64,
    /// Its peers, in a form of their own.
    pub peers: Vec<u8>,
}

/// One peer of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SavedPeer {
    pub(super) addr: SocketAddr,
    pub(super) secs: u32,
    pub(super) state: State,
    pub(super) here: bool,
    pub(super) foreign: bool,
    pub(super) id: Option<PeerId>,
}

/// What the first byte of a peer holds.
mod flag {
    pub(super) const STATE: u8 = 3;
    pub(super) const HERE: u8 = 4;
    pub(super) const SIX: u8 = 8;
    pub(super) const ID: u8 = 16;
    pub(super) const FOREIGN: u8 = 32;
}

impl Saved {
    /// Whether there is nothing left to be kept.
    pub fn is_gone(&self) -> bool {
        self.peers.is_empty() && self.downloaded == 0
    }

    /// Adds a peer; `began` is what its mark counts from.
    pub(super) fn push(
        &mut self,
        addr: SocketAddr,
        mark: Mark,
        state: State,
        id: Option<PeerId>,
        began: u64,
    ) {
        let id = id.filter(|id| *id != PeerId::default());
        let flags = match state {
            State::Seed => 0,
            State::PartialSeed => 1,
            State::Leecher => 2,
        };
        let only = |set: bool, flag: u8| if set { flag } else { 0 };
        let secs = (began + u64::from(mark.secs())) as u32;
        let place = only(mark.is_here(), flag::HERE) | only(mark.is_foreign(), flag::FOREIGN);
        self.peers.push(flags | place | only(addr.is_ipv6(), flag::SIX) | only(id.is_some(), flag::ID));
        self.peers.extend_from_slice(&secs.to_be_bytes());
        if let Some(key) = compact::<6>(addr) {
            self.peers.extend_from_slice(&key);
        } else if let Some(key) = compact::<18>(addr) {
            self.peers.extend_from_slice(&key);
        }
        if let Some(id) = id {
            self.peers.extend_from_slice(&id.0);
        }
    }

    /// The peers, up to where they do not read.
    pub(super) fn each(&self) -> impl Iterator<Item = SavedPeer> {
        let mut rest = &self.peers[..];
        std::iter::from_fn(move || {
            let (flags, tail) = rest.split_first()?;
            let (secs, tail) = tail.split_first_chunk::<4>()?;
            let (addr, tail) = if flags & flag::SIX == 0 {
                let (key, tail) = tail.split_first_chunk::<6>()?;
                (address(key), tail)
            } else {
                let (key, tail) = tail.split_first_chunk::<18>()?;
                (address(key), tail)
            };
            let (id, tail) = match flags & flag::ID {
                0 => (None, tail),
                _ => tail.split_first_chunk::<20>().map(|(id, tail)| (Some(PeerId(*id)), tail))?,
            };
            rest = tail;
            let state = match flags & flag::STATE {
                0 => State::Seed,
                1 => State::PartialSeed,
                _ => State::Leecher,
            };
            let secs = u32::from_be_bytes(*secs);
            let (here, foreign) = (flags & flag::HERE != 0, flags & flag::FOREIGN != 0);
            Some(SavedPeer { addr, secs, state, here, foreign, id })
        })
    }
}
