//! The view that users see: made at most a few times a second, and published only where something in it has changed.

use std::sync::Arc;

use crate::api::{HostedTracker, TorrentRow, View};
use crate::base::{Moment, Span};
use crate::net::calm::Calm;
use crate::net::driver::Driver;

/// The least time between two views while something happens.
const BUSY: Span = Span::from_millis(200);
/// A view of many torrents takes its time to make: it takes no more than one part in so many of all time, and is no older
/// than this.
const PART: u64 = 200;
const OLDEST: Span = Span::from_secs(2);
/// The tracker's figures need no more.
const TRACKER: Span = Span::from_secs(1);

/// What was published, and when the next view is due.
#[derive(Debug, Default)]
pub(super) struct Publisher {
    last: View,
    /// When the engine was last looked at, and when it is next.
    looked: Moment,
    next: Moment,
    /// The least time between two views, by what the last one took.
    rest: Span,
    calm: Calm,
    tracker: Arc<HostedTracker>,
    next_tracker: Moment,
}

impl Publisher {
    /// When there is something to look at again.
    pub(super) fn next(&self) -> Moment {
        self.next
    }

    /// Looks soon: something has happened.
    pub(super) fn stir(&mut self) {
        self.next = self.next.min(self.looked + BUSY.max(self.rest));
    }

    /// Looks at once.
    pub(super) fn hurry(&mut self) {
        (self.next, self.next_tracker) = (Moment::ZERO, Moment::ZERO);
    }
}

impl Driver {
    /// Publishes a view where one is due and differs from the one before.
    pub(super) fn publish(&mut self, now: Moment) {
        if now < self.publisher.next {
            return;
        }
        if now >= self.publisher.next_tracker {
            self.publisher.next_tracker = now + TRACKER;
            let tracker = self.hosted.view(|torrent| self.engine.name_of(*torrent));
            if tracker != *self.publisher.tracker {
                self.publisher.tracker = Arc::new(tracker);
            }
        }
        self.give_memory_back(now);
        let begun = self.clock.now();
        let rows = self.engine.rows(now);
        self.note_facts(now, &rows);
        let last = &self.publisher.last;
        let view = View {
            generation: last.generation + 1,
            unix_millis: self.clock.unix_millis(),
            torrents: rows,
            jobs: self.jobs.rows(now).into_iter().chain(self.engine.jobs(now)).collect(),
            detail: self.engine.detail(now),
            totals: self.engine.totals(now),
            tracker: Arc::clone(&self.publisher.tracker),
            listening: self.listeners.addrs().to_vec(),
            listen_fault: self.listen_fault.clone(),
            settings: Arc::clone(&self.settings),
            network: self.networking.view.clone(),
        };
        // The first one is always shown.
        let is_news =
            std::mem::take(&mut self.networking.is_news) || last.generation == 0 || !same(&view, last);
        if is_news {
            self.publisher.last = view.clone();
            self.backend.publish(view);
        } else {
            self.backend.renew(View { generation: last.generation, ..view });
        }
        let took = self.clock.now().since(begun);
        self.publisher.rest = took.times(PART).min(OLDEST);
        let idle = Span::from(self.publisher.calm.wait(is_news));
        (self.publisher.looked, self.publisher.next) = (now, now + idle.max(self.publisher.rest));
    }
}

/// Whether two views show the same, whenever they were made; the network tells by itself what is new in it.
fn same(one: &View, other: &View) -> bool {
    same_rows(&one.torrents, &other.torrents)
        && one.jobs == other.jobs
        && one.totals == other.totals
        && one.detail == other.detail
        && Arc::ptr_eq(&one.tracker, &other.tracker)
        && one.listening == other.listening
        && one.listen_fault == other.listen_fault
        && Arc::ptr_eq(&one.settings, &other.settings)
        && one.network.is_some() == other.network.is_some()
}

fn same_rows(one: &Arc<Vec<Arc<TorrentRow>>>, other: &Arc<Vec<Arc<TorrentRow>>>) -> bool {
    let same = |(one, other): (&Arc<TorrentRow>, &Arc<TorrentRow>)| Arc::ptr_eq(one, other) || one == other;
    Arc::ptr_eq(one, other) || (one.len() == other.len() && one.iter().zip(other.iter()).all(same))
}
