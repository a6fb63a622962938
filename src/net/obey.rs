//! What a user asks of the session itself rather than of the engine, and what becomes of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::{
    AddOptions, Command, Event, Level, Preview, PreviewFile, Reachable, RequestId, Settings, Share, Source,
};
use crate::base::{InfoHash, Moment};
use crate::engine::{Input, Subject};
use crate::net::Trackers;
use crate::net::driver::Driver;
use crate::net::hosted::{Hosted, Notes};
use crate::net::jobs::{Brought, Outcome};
use crate::net::listen::{self, Listeners};

/// Places for incoming connections beyond those that the engine allows, so that it is the one to choose.
const SPARE_SEATS: usize = 32;
/// Commands that wait for torrents to wake.
const LATER: usize = 64;

impl Driver {
    /// Does what a command says, or gives it to the engine.
    pub(super) async fn obey(&mut self, now: Moment, command: Command) {
        self.publisher.stir();
        match command {
            Command::Inspect { request, source } => self.inspect(request, source),
            Command::Add { request, source, options } => self.add(request, source, options),
            Command::Share { request, share } => self.share(request, *share),
            Command::SaveTorrent { request, torrent, path } => self.save_torrent(request, torrent, path),
            Command::Cancel(request) if self.jobs.is_running(request) => self.jobs.cancel(request),
            // Hashed already, and on its way into the network's index.
            Command::Cancel(request) if self.networking.cancel(request) => {}
            Command::Move { request, torrent, folder } => match whole(&folder) {
                Some(folder) => {
                    self.publisher.hurry();
                    let command = Command::Move { request, torrent, folder };
                    self.engine.handle(now, Input::Command(command));
                }
                None => self.refuse(request, "No folder was chosen to move to."),
            },
            Command::Settings(settings) => self.change_settings(now, *settings).await,
            Command::Shutdown => self.shut_down(now),
            Command::Network(command) => self.ask_network(command),
            Command::Cancel(_)
            | Command::Pause(_)
            | Command::Resume(_)
            | Command::PauseAll
            | Command::StopAndSerialize { .. }
            | Command::Settle { .. }
            | Command::ResumeAll
            | Command::Recheck(_)
            | Command::Remove { .. }
            | Command::Prioritise { .. }
            | Command::Sequential { .. }
            | Command::Limit { .. }
            | Command::Goals { .. }
            | Command::Label { .. }
            | Command::Rename { .. }
            | Command::Queue { .. }
            | Command::AddPeers { .. }
            | Command::Announce(_)
            | Command::Watch(_)
            | Command::Describe { .. } => {
                self.publisher.hurry();
                self.engine.handle(now, Input::Command(command));
            }
        }
    }

    /// Does what had to wait for a torrent to wake.
    pub(super) fn obey_later(&mut self) {
        for command in std::mem::take(&mut self.later) {
            match command {
                Command::SaveTorrent { torrent, .. } if self.engine.is_loading(torrent) => {
                    self.later.push(command);
                }
                Command::SaveTorrent { request, torrent, path } => self.save_now(request, torrent, path),
                _ => {}
            }
        }
    }

    /// Takes what a job has brought.
    pub(super) fn conclude(&mut self, now: Moment, outcome: Outcome) {
        let Outcome { request, result } = outcome;
        if !self.jobs.ended(request) {
            return;
        }
        match result {
            Ok(Brought::Shared { addition, own }) => self.upload(request, addition, own),
            Ok(Brought::Added(addition)) => self.engine.handle(now, Input::Add { request, addition }),
            Ok(Brought::Inspected { subject, folder, free_bytes }) => {
                let preview = Box::new(self.preview(&subject, folder, free_bytes));
                self.backend.emit(Event::Inspected { request, preview });
            }
            Ok(Brought::Saved(path)) => self.backend.emit(Event::TorrentSaved { request, path }),
            Err(reason) => self.refuse(request, reason),
        }
    }

    fn inspect(&mut self, request: RequestId, source: Source) {
        if self.begins(request) {
            let folder = self.settings.download_folder.clone();
            self.jobs.inspect(request, source, folder);
        }
    }

    pub(super) fn add(&mut self, request: RequestId, source: Source, mut options: AddOptions) {
        let folder = options.folder.take().unwrap_or_else(|| self.settings.download_folder.clone());
        match whole(&folder) {
            Some(folder) => options.folder = Some(folder),
            None => return self.refuse(request, "No folder was chosen to save into."),
        }
        if self.begins(request) {
            self.jobs.add(request, source, options, self.settings.incomplete_folder.clone());
        }
    }

    fn share(&mut self, request: RequestId, share: Share) {
        if !self.begins(request) {
            return;
        }
        if let Some(why) = self.why_no_share() {
            return self.refuse(request, why);
        }
        let trackers = self.hosted.tiers(share.reach);
        if self.goes_to_network(&share) {
            let mut share = share;
            share.piece_length =
                share.piece_length.or(self.networking.rules().and_then(|rules| rules.piece_length));
            return self.jobs.share_in_network(request, share, trackers, self.clock.unix_millis() / 1_000);
        }
        let is_reached = match share.reach {
            Reachable::ThisComputer => !trackers.is_empty(),
            Reachable::LocalNetwork => self.hosted.is_on_network(),
        };
        if !is_reached && share.trackers.is_empty() {
            let why = self.hosted.why_not_reached();
            let text = format!(
                "What is shared now can be found by those only who are told this computer's address: {why}"
            );
            self.log(Level::Warning, "tracker", text);
        }
        self.jobs.share(request, share, trackers, self.clock.unix_millis() / 1_000);
    }

    fn save_torrent(&mut self, request: RequestId, torrent: InfoHash, path: PathBuf) {
        if !self.engine.is_asleep(torrent) {
            return self.save_now(request, torrent, path);
        }
        if self.later.len() >= LATER {
            return self.refuse(request, "Too much is asked at once; try again in a moment.");
        }
        self.engine.wake(torrent);
        self.later.push(Command::SaveTorrent { request, torrent, path });
    }

    fn save_now(&mut self, request: RequestId, torrent: InfoHash, path: PathBuf) {
        let Some(file) = self.engine.torrent_file(torrent) else {
            return self.refuse(request, "Its content is not known yet; wait until its name is there.");
        };
        if self.begins(request) {
            self.jobs.save(request, path, file);
        }
    }

    /// Whether a request may begin a job.
    pub(super) fn begins(&mut self, request: RequestId) -> bool {
        let begins = !self.jobs.is_running(request);
        if !begins {
            self.refuse(request, "A request with this number is being worked on.");
        }
        begins
    }

    fn refuse(&self, request: RequestId, reason: impl Into<String>) {
        self.backend.emit(Event::Refused { request, reason: reason.into() });
    }

    fn preview(&self, subject: &Subject, folder: PathBuf, free_bytes: Option<u64>) -> Preview {
        match subject {
            Subject::Torrent(torrent) => {
                let files = torrent.layout.files().iter().zip(0..).filter(|(file, _)| !file.pad);
                Preview {
                    info_hash: torrent.info_hash,
                    name: torrent.name.clone(),
                    total_length: files.clone().map(|(file, _)| file.length).sum(),
                    files: files
                        .map(|(file, number)| {
                            (number, PreviewFile { path: file.path.join("/"), length: file.length })
                        })
                        .collect(),
                    comment: torrent.comment.clone(),
                    private: torrent.private,
                    trackers: torrent.trackers.concat(),
                    known: self.engine.knows(torrent.info_hash),
                    folder,
                    free_bytes,
                }
            }
            Subject::Magnet(magnet) => Preview {
                info_hash: magnet.info_hash,
                name: magnet.name.clone().unwrap_or_else(|| magnet.info_hash.to_hex()),
                total_length: 0,
                files: Vec::new(),
                comment: None,
                private: false,
                trackers: magnet.trackers.clone(),
                known: self.engine.knows(magnet.info_hash),
                folder,
                free_bytes,
            },
        }
    }

    async fn change_settings(&mut self, now: Moment, settings: Settings) {
        if let Err(error) = settings.check() {
            return self.log(Level::Error, "session", format!("The settings were not changed: {error}."));
        }
        let old = std::mem::replace(&mut self.settings, Arc::new(settings));
        let new = Arc::clone(&self.settings);
        if *old == *new {
            return;
        }
        if let Some(state) = &self.settings_kept
            && let Err(error) = crate::store::write_settings(&crate::store::settings_path(state), &new)
        {
            self.log(Level::Error, "session", format!("The settings could not be written: {error}."));
        }
        if let Some(watcher) = &self.watcher {
            watcher.set(Arc::clone(&new));
        }
        self.engine.handle(now, Input::Settings(self.settings_in_force()));
        if (old.port, old.bind) != (new.port, new.bind) {
            self.trackers = Trackers::new(new.bind);
            self.listen(now);
        }
        self.set_seats();
        if Hosted::differs(&old, &new) {
            self.host().await;
        } else if old.trackers != new.trackers {
            let notes = self.hosted.be_as_many(&new).await;
            self.told_of_trackers(notes);
        }
        self.introduce_user(&old);
        self.publisher.hurry();
    }

    /// Listens where the settings say, in place of where it did.
    pub(super) fn listen(&mut self, now: Moment) {
        // The old sockets first: the same port may be wanted for another address.
        self.listeners = Listeners::default();
        let (bind, port) = (self.settings.bind, self.settings.port);
        let opened = listen::open(bind, port)
            .and_then(|sockets| Listeners::serve(sockets, None, &self.seats, &self.inbox));
        match opened {
            Ok(listeners) => {
                self.listeners = listeners;
                self.listen_fault = None;
                let got = self.listeners.addrs().first().map_or(0, SocketAddr::port);
                if port != 0 && got != port {
                    let text =
                        format!("Port {port} is in use by another program; peers connect to port {got}.");
                    self.log(Level::Warning, "net", text);
                }
            }
            Err(error) => {
                let place = bind.map_or_else(|| "any address".to_owned(), |ip| ip.to_string());
                let fault =
                    format!("Nobody can connect to this computer: {place} cannot be listened at ({error}).");
                self.log(Level::Error, "net", fault.clone());
                self.listen_fault = Some(fault);
            }
        }
        self.engine.handle(now, Input::Listening(self.listeners.addrs().to_vec()));
    }

    /// As many seats as the settings allow connections, and some.
    pub(super) fn set_seats(&self) {
        let limit = usize::try_from(self.settings.max_connections).unwrap_or(usize::MAX);
        self.seats.set_limit(limit.saturating_add(SPARE_SEATS));
    }

    /// Starts the tracker in this program as the settings say, in place of the one that runs.
    pub(super) async fn host(&mut self) {
        std::mem::take(&mut self.hosted).stop().await;
        let (hosted, notes) = Hosted::start(&self.settings).await;
        self.hosted = hosted;
        self.told_of_trackers(notes);
    }

    fn told_of_trackers(&self, notes: Notes) {
        for (level, text) in notes {
            self.log(level, "tracker", text);
        }
        self.offer_tracker();
    }
}

/// The folder as an absolute path; nothing where none was chosen.
fn whole(folder: &Path) -> Option<PathBuf> {
    (!folder.as_os_str().is_empty())
        .then(|| std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()))
}
