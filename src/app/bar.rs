//! A progress bar on standard error, where that is a terminal.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::app::clock;

/// Time between two pictures.
const PAUSE: Duration = Duration::from_millis(100);
/// Characters of the bar itself.
const WIDTH: usize = 30;

/// Drawn over and over in one line, which is empty again when it is dropped.
pub(super) struct Bar {
    /// When it was drawn last; nothing where there is no terminal.
    drawn: Option<Mutex<Option<Instant>>>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self { drawn: stderr().is_terminal().then(Mutex::default) }
    }

    /// Draws it, unless that was done a moment ago.
    pub(super) fn show(&self, done: u64, total: u64, remark: impl FnOnce() -> String) {
        let Some(drawn) = &self.drawn else { return };
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        if drawn.is_some_and(|drawn| now.duration_since(drawn) < PAUSE) {
            return;
        }
        *drawn = Some(now);
        _ = write!(stderr().lock(), "\r\x1b[K{} {}", picture(done, total), remark());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            _ = write!(stderr().lock(), "\r\x1b[K");
        }
    }
}

fn picture(done: u64, total: u64) -> String {
    let part = if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) };
    let full = (part * WIDTH as f64) as usize;
    // Never 100 before all is there.
    format!("[{}{}] {:3}%", "#".repeat(full), "-".repeat(WIDTH - full), (part * 100.0) as u64)
}

/// A rate for people.
pub(super) fn rate(bytes_per_sec: u64) -> String {
    let mut value = bytes_per_sec as f64 / 1024.0;
    let mut unit = "KiB/s";
    for larger in ["MiB/s", "GiB/s"] {
        if value >= 1024.0 {
            (value, unit) = (value / 1024.0, larger);
        }
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_how_much_is_done() {
        assert_eq!(picture(0, 0), format!("[{}]   0%", "-".repeat(30)));
        assert_eq!(picture(999, 1_000), format!("[{}-]  99%", "#".repeat(29)));
        assert_eq!(picture(5, 5), format!("[{}] 100%", "#".repeat(30)));
        assert_eq!((rate(512), rate(3 << 20)), ("0.5 KiB/s".into(), "3.0 MiB/s".into()));
    }
}
