//! Whose turn it is: so many downloads and seeds at once, in the order of the queue.

use crate::api::Turn;
use crate::base::{InfoHash, TorrentKey};
use crate::engine::Engine;
use crate::engine::torrent::Class;

/// The place of the first torrent; there is room in front of it for ever.
const FIRST: u64 = 1 << 40;

impl Engine {
    /// The place of a torrent that comes last.
    pub(super) fn last_place(&self) -> u64 {
        self.highest_place.map_or(FIRST, |last| last.saturating_add(1))
    }

    /// Notes that a torrent has that place.
    pub(super) fn note_place(&mut self, place: u64) {
        self.highest_place = self.highest_place.max(Some(place));
    }

    /// Lets those run whose turn it is, and the others wait.
    pub(super) fn take_turns(&mut self) {
        if !std::mem::take(&mut self.queue_stale) {
            return;
        }
        let limits = self.shared.settings.queue;
        let most = |limit: Option<u32>| limit.map_or(usize::MAX, |limit| limit as usize);
        let (mut downloads, mut seeds) = (most(limits.downloads), most(limits.seeds));
        for (number, key) in self.in_order().into_iter().enumerate() {
            let position = number as u32 + 1;
            let Some(torrent) = self.torrents.get(&key).or_else(|| self.dormant.get(key)) else { continue };
            let free = match torrent.class() {
                Class::Idle => None,
                Class::Download => Some(&mut downloads),
                Class::Seed => Some(&mut seeds),
            };
            let waits = free.map(|free| {
                let waits = *free == 0;
                *free = free.saturating_sub(1);
                waits
            });
            // Most of them stay where they are, and what is not touched need not be shown anew.
            if torrent.position == position && waits.is_none_or(|waits| waits == torrent.waits()) {
                continue;
            }
            let rests = self.dormant.get(key).is_some();
            let found = if rests { self.dormant.get_mut(key) } else { self.torrents.get_mut(&key) };
            let Some(torrent) = found else { continue };
            torrent.position = position;
            if waits.is_some_and(|waits| torrent.set_waits(waits, &mut self.shared)) {
                if rests {
                    self.with_asleep(key, |torrent, _| torrent.is_to_download());
                } else {
                    self.touched.insert(key);
                }
            }
        }
    }

    /// Moves a torrent in the queue.
    pub(super) fn queue(&mut self, torrent: InfoHash, turn: Turn) {
        let Some(key) = self.by_hash.get(&torrent).copied() else { return };
        let mut order = self.in_order();
        let Some(at) = order.iter().position(|other| *other == key) else { return };
        let last = order.len() - 1;
        let to = match turn {
            Turn::First => 0,
            Turn::Sooner => at.saturating_sub(1),
            Turn::Later => (at + 1).min(last),
            Turn::Last => last,
        };
        if to == at {
            return;
        }
        let place = |at: usize| self.place_of(order[at]).unwrap_or(FIRST);
        let mut changes = match turn {
            Turn::First => vec![(key, place(0).saturating_sub(1))],
            Turn::Last => vec![(key, place(last).saturating_add(1))],
            Turn::Sooner | Turn::Later => vec![(key, place(to)), (order[to], place(at))],
        };
        order.remove(at);
        order.insert(to, key);
        for (key, place) in changes.drain(..) {
            self.set_place(key, place);
        }
        // Two may have had the same place, made again from copies or written in part: the later one makes room.
        let mut before = 0;
        for key in order {
            let place = self.place_of(key).unwrap_or(0);
            before = place.max(before + 1);
            self.set_place(key, before);
        }
        self.queue_stale = true;
    }

    fn place_of(&self, key: TorrentKey) -> Option<u64> {
        let torrent = self.torrents.get(&key).or_else(|| self.dormant.get(key))?;
        Some(torrent.choices.place)
    }

    fn set_place(&mut self, key: TorrentKey, place: u64) {
        self.note_place(place);
        if self.place_of(key) == Some(place)
            || self.with_asleep(key, |torrent, shared| torrent.set_place(place, shared))
        {
            return;
        }
        if let Some(torrent) = self.torrents.get_mut(&key) {
            torrent.set_place(place, &mut self.shared);
        }
    }

    fn in_order(&self) -> Vec<TorrentKey> {
        let mut order: Vec<(u64, TorrentKey)> =
            self.all().map(|torrent| (torrent.choices.place, torrent.key)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, key)| key).collect()
    }
}
