//! The files that say who may announce what, read at the start and whenever they change.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::net::tracker::shared::Shared;
use crate::tracker::{Access, Config, ListError, parse_hashes, parse_keys};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// A list that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListFileError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {why}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// It says something that is none of what it should.
    #[error("{path}: {why}")]
    Line {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: ListError,
    },
}

/// Reads the files that a configuration names.
pub(super) fn load(config: &Config) -> Result<Access, ListFileError> {
    let keys = match &config.keys_file {
        Some(path) => read(path, parse_keys)?,
        None => HashSet::new(),
    };
    let allow = config.allow_file.as_deref().map(|path| read(path, parse_hashes)).transpose()?;
    let deny = config.deny_file.as_deref().map(|path| read(path, parse_hashes)).transpose()?;
    Ok(Access {
        allow: allow.map(Arc::new),
        deny: Arc::new(deny.unwrap_or_default()),
        keys: config.private.then(|| Arc::new(keys)),
    })
}

/// Reads them again for ever, as often as they change. A file that cannot be used leaves everything as it was.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut known = stamps(&shared.config());
    loop {
        tokio::time::sleep(PERIOD).await;
        let config = shared.config();
        let now = stamps(&config);
        if now == known {
            continue;
        }
        known = now;
        match load(&config) {
            Ok(access) => {
                tracing::info!("the lists of torrents and keys were read again");
                shared.put_lists(access);
            }
            Err(error) => tracing::error!("{error}; the former lists stay"),
        }
    }
}

fn read<T>(path: &Path, parse: impl Fn(&str) -> Result<T, ListError>) -> Result<T, ListFileError> {
    let text = fs::read_to_string(path).map_err(|why| ListFileError::Read { path: path.to_owned(), why })?;
    parse(&text).map_err(|why| ListFileError::Line { path: path.to_owned(), why })
}

fn stamps(config: &Config) -> [Option<(SystemTime, u64)>; 3] {
    [&config.keys_file, &config.allow_file, &config.deny_file].map(|path| {
        let data = fs::metadata(path.as_deref()?).ok()?;
        Some((data.modified().ok()?, data.len()))
    })
}
