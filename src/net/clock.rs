//! The one clock of a session: moments since its start, and the time of day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::{Moment, Span};

/// Tells the time of one session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
    unix_start: Duration,
}

impl Clock {
    /// Starts now, with [`Moment::ZERO`].
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(super) fn start() -> Self {
        Self {
            start: Instant::now(),
            unix_start: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(super) fn now(&self) -> Moment {
        Moment::ZERO + Span::from(Instant::now().saturating_duration_since(self.start))
    }

    /// When a moment comes, for a timer; nothing for what never comes.
    pub(super) fn instant(&self, moment: Moment) -> Option<Instant> {
        if moment == Moment::NEVER {
            return None;
        }
        self.start.checked_add(Duration::from_micros(moment.micros()))
    }

    /// The present moment counted from 1970, as the machines of a network count. Runs on evenly where somebody sets the time
    /// of day.
    pub(super) fn unix_now(&self) -> Moment {
        Moment::ZERO + Span::from(self.unix_start) + self.now().since(Moment::ZERO)
    }

    /// Seconds since 1970 at [`Moment::ZERO`].
    pub(super) fn unix_start(&self) -> u64 {
        self.unix_start.as_secs()
    }

    /// Milliseconds since 1970. Runs on evenly where somebody sets the time of day.
    pub(super) fn unix_millis(&self) -> u64 {
        u64::try_from(self.unix_start.as_millis()).unwrap_or(0) + self.now().micros() / 1_000
    }
}

/// What a clock on the wall shows now, as seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(super) fn local_secs() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let utc = i64::try_from(since.as_secs()).unwrap_or(0);
    utc + ahead_secs(utc)
}

/// Seconds by which local time is ahead of UTC; none where the system does not tell.
#[cfg(unix)]
fn ahead_secs(utc: i64) -> i64 {
    let then: libc::time_t = utc;
    // SAFETY: a `tm` of zeros is a valid value.
    let mut local = unsafe { std::mem::zeroed::<libc::tm>() };
    // SAFETY: both places are valid for the whole call.
    let told = unsafe { libc::localtime_r(&raw const then, &raw mut local) };
    if told.is_null() { 0 } else { local.tm_gmtoff }
}

/// Seconds by which local time is ahead of UTC; none where the system does not tell.
#[cfg(windows)]
fn ahead_secs(utc: i64) -> i64 {
    use windows_sys::Win32::Foundation::FILETIME;
    use windows_sys::Win32::Storage::FileSystem::FileTimeToLocalFileTime;
    /// Seconds from 1601, where file times begin, to 1970.
    const EPOCH: i64 = 11_644_473_600;
    let ticks = (utc + EPOCH) * 10_000_000;
    let here = FILETIME { dwLowDateTime: ticks as u32, dwHighDateTime: (ticks >> 32) as u32 };
    let mut local = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
    // SAFETY: both places are valid for the whole call.
    if unsafe { FileTimeToLocalFileTime(&raw const here, &raw mut local) } == 0 {
        return 0;
    }
    let local = (i64::from(local.dwHighDateTime) << 32) | i64::from(local.dwLowDateTime);
    (local - ticks) / 10_000_000
}

/// Seconds by which local time is ahead of UTC, which the system does not tell.
#[cfg(not(any(unix, windows)))]
fn ahead_secs(_: i64) -> i64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_follow_each_other_and_lead_back() {
        let clock = Clock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(first <= second);
        assert!(clock.instant(first + Span::from_secs(60)) > clock.instant(second));
        assert_eq!(clock.instant(Moment::NEVER), None);
        assert!(clock.unix_millis() / 1_000 - clock.unix_start() < 60);
    }
}
