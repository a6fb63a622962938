//! Who wants to know that what was asked has been done: an answer once it has been carried out and is safely written.

use std::collections::BTreeSet;

use crate::api::{Event, RequestId};
use crate::base::{InfoHash, TorrentKey};
use crate::engine::Engine;
use crate::engine::torrent::Torrent;

/// Requests that wait at once.
const MOST: usize = 64;

/// Torrents of which somebody waits for what was asked.
#[derive(Debug)]
pub(super) struct Settling {
    request: RequestId,
    torrents: BTreeSet<TorrentKey>,
    /// The newest change that was durable before.
    from: u64,
    /// The last change to wait for, once nothing is left to be done.
    until: Option<u64>,
}

impl Engine {
    /// Answers once all that was asked of them is done.
    pub(super) fn settle_for(&mut self, request: RequestId, torrents: &[InfoHash]) {
        if self.settling.len() >= MOST {
            return self.refuse(request, "Too much is waited for at once; try again in a moment.".into());
        }
        let torrents = torrents.iter().filter_map(|torrent| self.by_hash.get(torrent).copied()).collect();
        self.settling.push(Settling { request, torrents, from: self.shared.stored_seq, until: None });
    }

    /// Takes the next step for each of them.
    pub(super) fn go_on_settling(&mut self) {
        for mut settling in std::mem::take(&mut self.settling) {
            let torrents = &self.torrents;
            let lost = |torrent: &&Torrent| torrent.has_lost_itself();
            let mut all = settling.torrents.iter().filter_map(|key| torrents.get(key));
            if let Some(reason) = all.find(lost).and_then(Torrent::fault_text) {
                self.refuse(settling.request, reason);
                continue;
            }
            let goes_on = |torrent: &Torrent| torrent.is_loading() || torrent.is_leaving();
            settling.torrents.retain(|key| torrents.get(key).is_some_and(goes_on));
            if settling.until.is_none() && settling.torrents.is_empty() {
                settling.until = Some(self.shared.last_seq());
            }
            match settling.until {
                Some(until) if self.shared.stored_seq >= until => self.tell_settled(&settling),
                _ => self.settling.push(settling),
            }
        }
    }

    fn tell_settled(&mut self, settling: &Settling) {
        let request = settling.request;
        // What was asked may have failed just before the question.
        let from = (settling.from + 1).min(self.shared.stored_seq);
        match self.shared.store_failed(from) {
            Some(reason) => {
                self.refuse(request, format!("What was asked could not be written down: {reason}"))
            }
            None => self.shared.event(Event::Settled { request }),
        }
    }
}
