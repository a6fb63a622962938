//! Stopping torrents for good: no more requests, peers left, trackers told within a bounded time, and then all that is known
//! of them written down.

use std::collections::BTreeSet;

use crate::api::{Command, Event, RequestId};
use crate::base::{InfoHash, Moment, TorrentKey};
use crate::engine::record::Change;
use crate::engine::torrent::Torrent;
use crate::engine::{Engine, FAREWELL};

/// Torrents that are being stopped for one request.
#[derive(Debug)]
pub(super) struct Stopping {
    request: RequestId,
    torrents: Vec<TorrentKey>,
    /// When nobody is waited for any more.
    by: Moment,
    /// The change with which the last of them is written, once they are.
    written: Option<u64>,
}

impl Engine {
    /// Stops a torrent, or all of them.
    pub(super) fn stop_and_serialize(&mut self, request: RequestId, torrent: Option<InfoHash>) {
        let torrents: Vec<TorrentKey> = match torrent {
            Some(torrent) if !self.knows(torrent) => {
                return self.refuse(request, "That torrent is not on the list.".into());
            }
            Some(torrent) => self.by_hash.get(&torrent).copied().into_iter().collect(),
            None => self.all().map(|torrent| torrent.key).collect(),
        };
        // Those at rest wake for it, but for those that stand still: all of these is written.
        let chosen: BTreeSet<TorrentKey> = torrents.iter().copied().collect();
        self.command_asleep(Command::Pause, |torrent| {
            chosen.contains(&torrent.key) && torrent.may_be_told_to_pause()
        });
        for key in &torrents {
            self.torrent(*key, |torrent, shared| torrent.pause(shared));
        }
        let by = self.shared.now + FAREWELL;
        self.stopping.push(Stopping { request, torrents, by, written: None });
    }

    /// Takes the next step for each of them.
    pub(super) fn go_on_stopping(&mut self) {
        for mut stopping in std::mem::take(&mut self.stopping) {
            if stopping.written.is_none() && self.have_stopped(&stopping) {
                stopping.written = Some(self.write_down(&stopping.torrents));
            }
            match stopping.written {
                Some(seq) if self.shared.stored_seq >= seq => self.tell_stopped(&stopping, seq),
                _ => self.stopping.push(stopping),
            }
        }
    }

    /// When that has something to do by itself.
    pub(super) fn next_stopping(&self) -> Moment {
        let waiting = self.stopping.iter().filter(|stopping| stopping.written.is_none());
        waiting.map(|stopping| stopping.by).min().unwrap_or(Moment::NEVER)
    }

    fn have_stopped(&self, stopping: &Stopping) -> bool {
        let mut torrents = stopping.torrents.iter().filter_map(|key| self.torrents.get(key));
        if torrents.clone().any(Torrent::is_loading) {
            return false;
        }
        // What is not safe on the disk by then is not claimed, whenever it is written down.
        self.shared.now >= stopping.by
            || torrents.all(|torrent| !torrent.is_saying_farewell() && torrent.is_safe())
    }

    fn write_down(&mut self, torrents: &[TorrentKey]) -> u64 {
        let mut last = self.shared.stored_seq;
        for torrent in torrents.iter().filter_map(|key| self.torrents.get(key)) {
            if !torrent.is_leaving() && !torrent.is_asleep() {
                last = self.shared.store(Change::Put(Box::new(torrent.record())));
            }
        }
        last
    }

    fn tell_stopped(&mut self, stopping: &Stopping, seq: u64) {
        let request = stopping.request;
        if let Some(reason) = self.shared.store_failed(seq) {
            return self.refuse(request, format!("What was stopped could not be written down: {reason}"));
        }
        let find = |key| self.torrents.get(key).or_else(|| self.dormant.get(*key));
        let known = stopping.torrents.iter().filter_map(find);
        let torrents = known.filter(|torrent| !torrent.is_leaving()).map(|torrent| torrent.info_hash);
        let torrents = torrents.collect();
        self.shared.event(Event::Serialized { request, torrents });
    }
}
