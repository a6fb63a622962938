//! What all shards of a store hold together, so that one limit is enough for them all however a swarm makes them uneven.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One shard's part of what all of them hold.
///
/// Several shards that are used at once may go above a limit by one each.
#[derive(Debug, Default)]
pub(super) struct Room {
    all: Arc<All>,
    /// What this shard has told the others of itself.
    torrents: usize,
    peers: usize,
}

#[derive(Debug, Default)]
struct All {
    torrents: AtomicUsize,
    peers: AtomicUsize,
}

impl Room {
    /// The part of a further shard of the same store, which holds nothing yet.
    pub(super) fn shared(&self) -> Self {
        Self { all: Arc::clone(&self.all), torrents: 0, peers: 0 }
    }

    /// Tells the others what this shard holds now.
    pub(super) fn settle(&mut self, torrents: usize, peers: usize) {
        let tell = |all: &AtomicUsize, told: &mut usize, now: usize| {
            // Most announces change neither, and then no other core's memory is touched.
            if *told != now {
                all.fetch_add(now.wrapping_sub(*told), Ordering::Relaxed);
                *told = now;
            }
        };
        tell(&self.all.torrents, &mut self.torrents, torrents);
        tell(&self.all.peers, &mut self.peers, peers);
    }

    /// Torrents that all shards hold, where this one holds so many.
    pub(super) fn torrents(&self, own: usize) -> usize {
        self.all.torrents.load(Ordering::Relaxed).wrapping_add(own).wrapping_sub(self.torrents)
    }

    /// Peers that all shards hold, where this one holds so many.
    pub(super) fn peers(&self, own: usize) -> usize {
        self.all.peers.load(Ordering::Relaxed).wrapping_add(own).wrapping_sub(self.peers)
    }
}
