//! A session that runs in this program, and all that can happen to it in one queue.

use std::path::Path;
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context as _, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::api::{Command, Event, Handle, Settings};
use crate::app::cli::SessionArgs;
use crate::app::{log, paths, signals};
use crate::net::{Config, Session, load_settings};

/// The longest that an ending session is waited for.
const FAREWELL: Duration = Duration::from_secs(5);

/// Files and sockets that may be open.
const OPEN_FILES: u64 = 65_536;

/// What happens.
#[derive(Debug)]
pub(super) enum News {
    /// In the session.
    Event(Event),
    /// The session has ended.
    Ended,
    /// The user wants the program to end.
    Signal,
    /// Nothing, for a while.
    Nothing,
}

/// A running session.
pub(super) struct Running {
    session: Session,
    pub(super) handle: Handle,
    sender: Sender<News>,
    news: Receiver<News>,
}

impl Running {
    /// Starts a session.
    pub(super) fn start(config: Config) -> Result<Self> {
        let (sender, news) = bounded(1_024);
        let asked = sender.clone();
        // Where the queue is full, somebody reads it, and the session's end is told by other means.
        signals::on_end(move || _ = asked.send(News::Signal)).context("signals cannot be caught")?;
        // Connections and files; what the system allows at first is meant for programs with a few. A refusal only means fewer.
        _ = rlimit::increase_nofile_limit(OPEN_FILES);
        let (session, handle) = Session::start(config)?;
        Ok(Self { session, handle, sender, news })
    }

    /// Begins to take the session's events, which then come out of [`Running::next`] and nowhere else.
    pub(super) fn listen(&self) -> Result<()> {
        let (handle, sender) = (self.handle.clone(), self.sender.clone());
        Builder::new().name("events".into()).spawn(move || {
            while let Some(event) = handle.wait_event() {
                if sender.send(News::Event(event)).is_err() {
                    return;
                }
            }
            _ = sender.send(News::Ended);
        })?;
        Ok(())
    }

    /// What happens next, or that nothing does for a quarter of a second. Lines of the log are written on the way.
    pub(super) fn next(&self) -> News {
        loop {
            match self.news.recv_timeout(Duration::from_millis(250)) {
                Ok(News::Event(Event::Log(line))) => log::tell(&line),
                Ok(News::Event(Event::Stopped)) => return News::Ended,
                Ok(news) => return news,
                Err(_) => return News::Nothing,
            }
        }
    }

    /// Where the user's wish to end goes while somebody else takes the events: straight to the session.
    #[cfg(feature = "gui")]
    pub(super) fn pass_signals_on(&self) -> Result<()> {
        let (handle, news) = (self.handle.clone(), self.news.clone());
        Builder::new().name("wishes".into()).spawn(move || {
            while let Ok(wish) = news.recv() {
                if let News::Signal = wish {
                    _ = handle.send(Command::Shutdown);
                }
            }
        })?;
        Ok(())
    }

    /// Ends the session in order: peers and trackers are told, its state is written. False where it took too long.
    pub(super) fn end(self) -> bool {
        _ = self.handle.send(Command::Shutdown);
        let Self { session, handle, sender, news } = self;
        // Nobody may have to wait for a queue that is no longer read.
        drop((sender, news));
        drop(handle);
        session.join(FAREWELL)
    }
}

/// The settings kept in a state folder, with what the command line says instead.
pub(super) fn settings(state: Option<&Path>, args: &SessionArgs) -> Result<Settings> {
    let kept = match state {
        Some(state) => load_settings(state)?,
        None => Settings::default(),
    };
    in_force(kept, args)
}

/// The same for the app: what is downloading stands beside the downloads until it is complete, unless the user has chosen.
pub(super) fn app_settings(state: &Path, args: &SessionArgs) -> Result<Settings> {
    let mut kept = load_settings(state)?;
    if kept.download_folder.as_os_str().is_empty() {
        kept.download_folder = paths::downloads();
        let temporal = kept.download_folder.join(Settings::TEMPORAL);
        kept.incomplete_folder =
            kept.incomplete_folder.or(Some(temporal)).filter(|folder| folder.is_absolute());
    }
    in_force(kept, args)
}

fn in_force(mut settings: Settings, args: &SessionArgs) -> Result<Settings> {
    if settings.download_folder.as_os_str().is_empty() {
        settings.download_folder = paths::downloads();
    }
    args.apply(&mut settings);
    settings.check()?;
    Ok(settings)
}
