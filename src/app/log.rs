//! What is written to standard error as it happens, and how much of it.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

use crate::api::{Level, LogLine};

/// Begins to write what is at least as serious as `level`; the variable `FYRIS_LOG` asks for other (`debug`, or
/// `fyris=debug,hyper=warn`).
pub(super) fn start(level: &str) {
    let filter = EnvFilter::builder()
        .with_env_var("FYRIS_LOG")
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new(level));
    // Fails where there is one already, which will do.
    _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        .try_init();
}

/// Writes a line of the session's log.
pub(super) fn tell(line: &LogLine) {
    let LogLine { room, text, .. } = line;
    match line.level {
        Level::Debug => tracing::debug!("{room}: {text}"),
        Level::Info => tracing::info!("{room}: {text}"),
        Level::Warning => tracing::warn!("{room}: {text}"),
        Level::Error => tracing::error!("{room}: {text}"),
    }
}
