//! Memory that torrents at rest have left is given back to the system: an allocator keeps it by itself, and a session may run
//! for months.

use crate::base::{Moment, Span};
use crate::net::driver::Driver;

/// So many that went to rest are worth the work.
const MANY: u64 = 64;
/// The time between two times.
const PAUSE: Span = Span::from_secs(10);

/// When memory was given back.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Torrents that had gone to rest by then, and by the look before this one.
    rested: u64,
    seen: u64,
    next: Moment,
}

impl Memory {
    /// Whether it is time: many have gone to rest since, and no more do just now.
    fn is_due(&mut self, now: Moment, rested: u64) -> bool {
        let goes_on = std::mem::replace(&mut self.seen, rested) != rested;
        if now < self.next {
            return false;
        }
        self.next = now + PAUSE;
        let due = rested - self.rested >= MANY && !goes_on;
        if due {
            self.rested = rested;
        }
        due
    }
}

impl Driver {
    /// Gives back what is free, where that may be much; not on the loop's own thread.
    pub(super) fn give_memory_back(&mut self, now: Moment) {
        if self.memory.is_due(now, self.engine.rested()) {
            tokio::task::spawn_blocking(trim);
        }
    }
}

/// Other allocators give it back by themselves, or never.
fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it may be called from any thread at any time; it only gives back pages that nothing lives in.
    let _ = unsafe { libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_back_once_after_many_have_gone_to_rest() {
        let mut memory = Memory::default();
        let mut given = Vec::new();
        for second in 0..100 {
            let rested = match second {
                0..20 => second,
                20..50 => 20 + 10 * (second - 20),
                _ => 320,
            };
            if memory.is_due(Moment::ZERO + Span::from_secs(second), rested) {
                given.push(second);
            }
        }
        assert_eq!(given, [60], "not for a few, not while more come, and once");
    }
}
