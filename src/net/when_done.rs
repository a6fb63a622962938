//! What is run when a download is complete: a program with its arguments, never through a shell.

use std::ffi::OsString;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::api::{Event, Level, TorrentRow};
use crate::net::driver::Driver;
use crate::net::post::Post;

/// Programs that run at once; the others wait.
const AT_ONCE: usize = 4;

/// The places of programs that run.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Driver {
    /// Runs what the user wants to be run, where that is what has happened.
    pub(super) fn run_when_done(&mut self, event: &Event) {
        let Event::Completed { torrent, .. } = event else { return };
        if self.settings.run_when_done.is_empty() || !self.is_standing {
            return;
        }
        let now = self.clock.now();
        let Some(row) = self.engine.row(now, *torrent) else { return };
        let Some((program, arguments)) = filled_in(&self.settings.run_when_done, &row) else { return };
        let (places, inbox, name) = (self.places.clone(), self.inbox.clone(), row.name.clone());
        tokio::spawn(async move {
            let Ok(_place) = places.0.acquire().await else { return };
            let mut command = Command::new(&program);
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let program = program.display();
            // It is waited for, so that nothing of it stays behind.
            let (level, text) = match command.status().await {
                Ok(status) if status.success() => (Level::Info, format!("{program} was run for {name}.")),
                Ok(status) => (Level::Warning, format!("{program}, run for {name}, ended with {status}.")),
                Err(error) => (Level::Error, format!("{program} could not be run for {name}: {error}.")),
            };
            let _ = inbox.send(Post::Said(level, "session", text)).await;
        });
    }
}

/// The program and its arguments for one torrent.
fn filled_in(wanted: &[String], row: &TorrentRow) -> Option<(OsString, Vec<OsString>)> {
    let (program, rest) = wanted.split_first()?;
    // Each stands for itself alone: what a torrent is called is never part of something larger.
    let fill = |argument: &String| match argument.as_str() {
        "{name}" => row.name.clone().into(),
        "{folder}" => row.folder.clone().into(),
        "{path}" => row.folder.join(row.name_on_disk.as_ref().unwrap_or(&row.name)).into(),
        "{hash}" => row.info_hash.to_hex().into(),
        "{label}" => row.label.clone().into(),
        other => other.into(),
    };
    Some((program.into(), rest.iter().map(fill).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::InfoHash;

    #[test]
    fn arguments_are_filled_in_whole() {
        let row = TorrentRow {
            info_hash: InfoHash([1; 20]),
            name: "; rm -rf $HOME".into(),
            name_on_disk: Some("-f x".into()),
            folder: "/a b".into(),
            label: "music".into(),
            ..TorrentRow::default()
        };
        let wanted = ["run", "{name}", "-x", "{folder}", "{path}", "{hash}", "{label}", "a{name}"];
        let wanted: Vec<String> = wanted.map(Into::into).into();
        let (program, rest) = filled_in(&wanted, &row).expect("a program");
        assert_eq!(program, "run");
        let hash = "01".repeat(20);
        assert_eq!(rest, ["; rm -rf $HOME", "-x", "/a b", "/a b/-f x", &hash, "music", "a{name}"]);
        assert_eq!(filled_in(&[], &row), None);
    }
}
