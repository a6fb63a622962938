//! This room's clock.

use std::time::{Instant, SystemTime};

/// Now, for spans of time.
#[expect(clippy::disallowed_methods, reason = "the clock of this room")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the clock of this room")]
pub(super) fn unix_secs() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
