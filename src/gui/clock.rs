//! The window's clock.
#![expect(clippy::disallowed_methods, reason = "the one clock of the window")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Now, for how long something takes.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970.
pub(crate) fn unix_millis() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
