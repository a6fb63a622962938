//! The `info` dictionary put together from parts that peers send (BEP 9).

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use crate::base::{ConnKey, InfoHash, Moment, Span, limits};
use crate::hash::sha1;
use crate::wire::peer::extended::METADATA_BLOCK;

/// A part that does not come within this is asked of somebody else.
const PATIENCE: Span = Span::from_secs(10);
/// Parts asked of one peer at once.
const AT_ONCE: usize = 4;

/// What a part brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// More is missing, or the part was of no use.
    More,
    /// The dictionary is whole and its hash is right.
    Whole(Bytes),
    /// The dictionary was whole and its hash wrong; these peers sent parts of it. All is to be fetched anew.
    Wrong(Vec<ConnKey>),
}

/// The state of a fetch.
///
/// Peers may lie about the length, so that each length that is claimed is tried by itself, the one most peers claim first.
#[derive(Debug)]
pub struct MetadataFetch {
    info_hash: InfoHash,
    /// Peers that have it, with the length each claims and the parts asked of it.
    peers: BTreeMap<ConnKey, Claim>,
    size: u32,
    parts: Vec<Option<(Bytes, ConnKey)>>,
    /// Where the next look for a free part starts, so that peers are asked for different ones.
    missing: usize,
}

#[derive(Debug)]
struct Claim {
    size: u32,
    asked: Vec<(u32, Moment)>,
    refused: bool,
}

impl MetadataFetch {
    /// Nothing is known but the hash.
    pub fn new(info_hash: InfoHash) -> Self {
        Self { info_hash, peers: BTreeMap::new(), size: 0, parts: Vec::new(), missing: 0 }
    }

    /// A peer says that it has the dictionary and how long it is. A length beyond all bounds is not believed.
    pub fn offered(&mut self, peer: ConnKey, size: u32) {
        if (1..=limits::METADATA_BYTES).contains(&size) {
            self.peers.insert(peer, Claim { size, asked: Vec::new(), refused: false });
            if self.size == 0 {
                self.begin(size);
            }
        }
    }

    /// A peer has left.
    pub fn gone(&mut self, peer: ConnKey) {
        self.peers.remove(&peer);
        self.choose_size();
    }

    /// Parts to ask this peer for now.
    pub fn requests(&mut self, peer: ConnKey, now: Moment) -> Vec<u32> {
        let mut busy: Vec<u32> = Vec::new();
        for claim in self.peers.values_mut() {
            claim.asked.retain(|(_, since)| now.since(*since) < PATIENCE);
            busy.extend(claim.asked.iter().map(|(part, _)| *part));
        }
        let Some(claim) = self.peers.get_mut(&peer).filter(|claim| !claim.refused && claim.size == self.size)
        else {
            return Vec::new();
        };
        let free = (0..self.parts.len() as u32)
            .filter(|part| self.parts[*part as usize].is_none() && !busy.contains(part));
        let chosen: Vec<u32> = free.take(AT_ONCE.saturating_sub(claim.asked.len())).collect();
        claim.asked.extend(chosen.iter().map(|part| (*part, now)));
        chosen
    }

    /// When parts that were asked for are given up.
    pub fn next_deadline(&self) -> Moment {
        let asked = self.peers.values().flat_map(|claim| &claim.asked);
        asked.map(|(_, since)| *since + PATIENCE).min().unwrap_or(Moment::NEVER)
    }

    /// A part has come.
    pub fn received(&mut self, peer: ConnKey, part: u32, total: u32, data: Bytes) -> Fetched {
        let Some(claim) = self.peers.get_mut(&peer) else { return Fetched::More };
        let Some(at) = claim.asked.iter().position(|(asked, _)| *asked == part) else { return Fetched::More };
        claim.asked.swap_remove(at);
        let begin = u64::from(part) * u64::from(METADATA_BLOCK);
        let expected = u64::from(self.size).saturating_sub(begin).min(METADATA_BLOCK.into());
        if total != self.size || data.len() as u64 != expected || expected == 0 {
            claim.refused = true;
            return Fetched::More;
        }
        let slot = &mut self.parts[part as usize];
        if slot.is_none() {
            *slot = Some((data, peer));
            self.missing -= 1;
        }
        if self.missing > 0 { Fetched::More } else { self.finish() }
    }

    /// A peer will not send a part: it is asked for nothing more.
    pub fn rejected(&mut self, peer: ConnKey) {
        if let Some(claim) = self.peers.get_mut(&peer) {
            claim.refused = true;
            claim.asked.clear();
        }
        self.choose_size();
    }

    /// Parts that are there, and parts in all; zero where the length is not known.
    pub fn progress(&self) -> (usize, usize) {
        (self.parts.len() - self.missing, self.parts.len())
    }

    fn finish(&mut self) -> Fetched {
        let mut whole = BytesMut::with_capacity(self.size as usize);
        let mut senders: Vec<ConnKey> = Vec::new();
        for (data, sender) in self.parts.iter().flatten() {
            whole.extend_from_slice(data);
            if !senders.contains(sender) {
                senders.push(*sender);
            }
        }
        if sha1(&whole) == self.info_hash.0 {
            return Fetched::Whole(whole.freeze());
        }
        // With one sender it is clear who lied; with several, each is tried alone from now on by refusing the others.
        for sender in &senders {
            if let Some(claim) = self.peers.get_mut(sender) {
                claim.refused = senders.len() == 1;
            }
        }
        if senders.len() > 1 {
            senders.iter().skip(1).for_each(|sender| {
                if let Some(claim) = self.peers.get_mut(sender) {
                    claim.refused = true;
                }
            });
        }
        self.size = 0;
        self.choose_size();
        Fetched::Wrong(senders)
    }

    /// Tries the length that most peers claim, where nobody is left for the present one.
    fn choose_size(&mut self) {
        let able =
            |size: u32| self.peers.values().filter(|claim| !claim.refused && claim.size == size).count();
        if self.size != 0 && able(self.size) > 0 {
            return;
        }
        let best = self.peers.values().filter(|claim| !claim.refused).map(|claim| claim.size);
        match best.max_by_key(|size| (able(*size), *size)) {
            Some(size) if size != self.size => self.begin(size),
            Some(_) => {}
            None if self.peers.is_empty() => {}
            None => self.size = 0,
        }
    }

    fn begin(&mut self, size: u32) {
        self.size = size;
        self.parts = vec![None; size.div_ceil(METADATA_BLOCK) as usize];
        self.missing = self.parts.len();
        self.peers.values_mut().for_each(|claim| claim.asked.clear());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> Bytes {
        (0..40_000_u32).flat_map(u32::to_be_bytes).collect::<Vec<u8>>().into()
    }

    fn part(info: &Bytes, number: u32) -> Bytes {
        let begin = (number * METADATA_BLOCK) as usize;
        info.slice(begin..info.len().min(begin + METADATA_BLOCK as usize))
    }

    /// Lets `peer` deliver everything it is asked for.
    fn deliver(fetch: &mut MetadataFetch, peer: ConnKey, info: &Bytes) -> Fetched {
        loop {
            let parts = fetch.requests(peer, Moment::ZERO);
            if parts.is_empty() {
                return Fetched::More;
            }
            for number in parts {
                let fetched = fetch.received(peer, number, info.len() as u32, part(info, number));
                if fetched != Fetched::More {
                    return fetched;
                }
            }
        }
    }

    #[test]
    fn parts_from_several_peers_make_a_whole() {
        let info = info();
        let mut fetch = MetadataFetch::new(InfoHash(sha1(&info)));
        fetch.offered(ConnKey(1), info.len() as u32);
        fetch.offered(ConnKey(2), info.len() as u32);
        let first = fetch.requests(ConnKey(1), Moment::ZERO);
        let second = fetch.requests(ConnKey(2), Moment::ZERO);
        assert!(first.iter().all(|part| !second.contains(part)));
        for number in first {
            fetch.received(ConnKey(1), number, info.len() as u32, part(&info, number));
        }
        fetch.gone(ConnKey(2));
        assert_eq!(deliver(&mut fetch, ConnKey(1), &info), Fetched::Whole(info));
    }

    #[test]
    fn a_liar_about_content_or_length_is_passed_over() {
        let info = info();
        let mut fetch = MetadataFetch::new(InfoHash(sha1(&info)));
        fetch.offered(ConnKey(1), 0);
        fetch.offered(ConnKey(1), u32::MAX);
        fetch.offered(ConnKey(1), 100);
        let lie = Bytes::from(vec![7; 100]);
        fetch.offered(ConnKey(2), info.len() as u32);
        assert_eq!(deliver(&mut fetch, ConnKey(1), &lie), Fetched::Wrong(vec![ConnKey(1)]));
        assert_eq!(deliver(&mut fetch, ConnKey(1), &lie), Fetched::More);
        assert_eq!(deliver(&mut fetch, ConnKey(2), &info), Fetched::Whole(info));
    }

    #[test]
    fn what_does_not_come_is_asked_of_another() {
        let info = info();
        let mut fetch = MetadataFetch::new(InfoHash(sha1(&info)));
        fetch.offered(ConnKey(1), info.len() as u32);
        fetch.offered(ConnKey(2), info.len() as u32);
        let first = fetch.requests(ConnKey(1), Moment::ZERO);
        assert_eq!(fetch.next_deadline(), Moment::ZERO + PATIENCE);
        let later = fetch.requests(ConnKey(2), Moment::ZERO + PATIENCE);
        assert_eq!(later, first);
        let unasked = fetch.received(ConnKey(1), 9, info.len() as u32, part(&info, 9));
        assert_eq!((unasked, fetch.progress().0), (Fetched::More, 0));
        fetch.rejected(ConnKey(2));
        assert!(fetch.requests(ConnKey(2), Moment::ZERO + PATIENCE).is_empty());
    }
}
