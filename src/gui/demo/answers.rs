//! What a played session answers to each command.

use std::path::Path;

use super::network::named;
use super::{Demo, made};
use crate::api::{
    AddOptions, Command, Event, FilePriority, JobKind, JobRow, NetworkCommand, Preview, PreviewFile,
    RequestId, Share, Source, State, TorrentRow,
};
use crate::base::InfoHash;
use crate::gui::clock::unix_millis;

/// Bytes that a path which is not on this disk is said to hold.
const IMAGINED: u64 = 734 << 20;

/// A share that is being hashed.
pub(super) struct Job {
    request: RequestId,
    share: Share,
    done: u64,
    total: u64,
    rate: u64,
}

impl Job {
    pub(super) fn row(&self) -> JobRow {
        let name = name(&self.share.path);
        JobRow {
            request: self.request,
            kind: JobKind::Share,
            name,
            done: self.done,
            total: self.total,
            rate: self.rate,
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| "files".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// A hash that follows from a text, as a real one follows from the content.
fn hash(text: &str) -> InfoHash {
    let mut hash = [7_u8; 20];
    for (at, byte) in text.bytes().enumerate() {
        hash[at % 20] = hash[at % 20].wrapping_mul(31).wrapping_add(byte);
    }
    InfoHash(hash)
}

impl Demo {
    pub(super) fn answer(&mut self, command: &Command) {
        match command {
            Command::Inspect { request, source } => match self.preview(source) {
                Ok(preview) => {
                    self.backend.emit(Event::Inspected { request: *request, preview: Box::new(preview) });
                }
                Err(reason) => self.backend.emit(Event::Refused { request: *request, reason }),
            },
            Command::Add { request, source, options } => self.add(*request, source, options),
            Command::Share { request, share } => {
                if share.path.to_string_lossy().contains("unreadable") {
                    let reason =
                        format!("{} cannot be read. Allow reading it and try again.", share.path.display());
                    self.backend.emit(Event::Refused { request: *request, reason });
                    return;
                }
                let total = std::fs::metadata(&share.path).map_or(IMAGINED, |about| about.len().max(1));
                let share = Share::clone(share);
                self.jobs.push(Job { request: *request, share, done: 0, total, rate: 0 });
            }
            Command::Cancel(request) => self.jobs.retain(|job| job.request != *request),
            Command::Pause(torrent) => self.each(*torrent, |row| row.state = State::Paused),
            Command::Resume(torrent) => self.each(*torrent, resume),
            Command::PauseAll => self.torrents.iter_mut().for_each(|row| row.state = State::Paused),
            Command::ResumeAll => self.torrents.iter_mut().for_each(resume),
            Command::Recheck(torrent) => self.each(*torrent, |row| {
                row.state = State::Checking;
                row.progress = 0.0;
            }),
            Command::Remove { torrent, .. } => {
                self.torrents.retain(|row| row.info_hash != *torrent);
                self.backend.emit(Event::Removed(*torrent));
            }
            Command::Sequential { torrent, on } => self.each(*torrent, |row| row.sequential = *on),
            Command::Limit { torrent, limits } => self.each(*torrent, |row| row.limits = *limits),
            Command::SaveTorrent { request, path, .. } => {
                self.backend.emit(Event::TorrentSaved { request: *request, path: path.clone() });
            }
            Command::Rename { torrent, name } => self.each(*torrent, |row| row.name.clone_from(name)),
            Command::Label { torrent, label } => self.each(*torrent, |row| row.label.clone_from(label)),
            Command::Goals { torrent, goals } => self.each(*torrent, |row| row.goals = *goals),
            Command::Watch(torrent) => self.watched = *torrent,
            Command::Settings(settings) => self.settings = settings.as_ref().clone(),
            Command::Network(command) => self.network_answer(command),
            Command::Shutdown => self.backend.emit(Event::Stopped),
            _ => {}
        }
    }

    fn network_answer(&mut self, command: &NetworkCommand) {
        let Some(network) = &mut self.network else { return };
        let event = match command {
            NetworkCommand::Join { request, link } if link.starts_with("fyris://") => {
                (network.hosted, network.fault, network.disconnected) = (false, None, false);
                Event::Joined { request: *request }
            }
            NetworkCommand::Join { request, .. } => {
                let reason = "That is not a join link: it should begin with fyris://".to_owned();
                Event::Refused { request: *request, reason }
            }
            NetworkCommand::Fetch { request, name, options } => {
                let view = network.view(&self.torrents, unix_millis());
                let Some(entry) = view.index.iter().find(|entry| named(entry, name)) else {
                    let reason = format!("The index has nothing called {name}.");
                    self.backend.emit(Event::Refused { request: *request, reason });
                    return;
                };
                let source = Source::Magnet(made::magnet(entry.info_hash, &entry.name));
                self.add(*request, &source, options);
                return;
            }
            NetworkCommand::Save { request, path, .. } => {
                Event::TorrentSaved { request: *request, path: path.clone() }
            }
            NetworkCommand::Unlist { request, name } => match network.unlist(name, &self.torrents) {
                Some(name) => Event::Unlisted { request: *request, name },
                None => {
                    let reason = format!("The index has nothing called {name}.");
                    Event::Refused { request: *request, reason }
                }
            },
            command => {
                network.obey(command, &self.torrents);
                return;
            }
        };
        self.backend.emit(event);
    }

    /// Half a second of hashing.
    pub(super) fn work(&mut self) {
        for job in &mut self.jobs {
            job.rate = self.hash_rate * 2;
            job.done = (job.done + self.hash_rate).min(job.total);
        }
        let (ended, running) =
            std::mem::take(&mut self.jobs).into_iter().partition(|job| job.done == job.total);
        self.jobs = running;
        for job in ended {
            let row = shared(&job);
            let (torrent, magnet) = (row.info_hash, row.magnet.clone());
            self.torrents.retain(|other| other.info_hash != torrent);
            self.torrents.push(row);
            self.backend.emit(Event::Shared { request: job.request, torrent, magnet });
        }
    }

    fn each(&mut self, torrent: InfoHash, change: impl Fn(&mut TorrentRow)) {
        for row in self.torrents.iter_mut().filter(|row| row.info_hash == torrent) {
            change(row);
            made::play(row, &mut self.rng, 0.0);
        }
    }

    fn preview(&self, source: &Source) -> Result<Preview, String> {
        let (name, files) = match source {
            Source::File(path) if path.to_string_lossy().contains("broken") => {
                return Err(format!("{} is not a .torrent file: it ends too soon.", path.display()));
            }
            Source::File(path) => {
                let name =
                    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
                let file = |index: u32| {
                    let path = format!("{name}/{:02} Chapter {}.ogg", index + 1, index + 1);
                    (index, PreviewFile { path, length: (40 + u64::from(index) * 3) << 20 })
                };
                let files = (0..if name.contains("single") { 1 } else { 14 }).map(file).collect();
                (name.clone(), files)
            }
            Source::Magnet(link) => {
                let name = link.split("dn=").nth(1).and_then(|rest| rest.split('&').next());
                (name.unwrap_or("Magnet link").replace('+', " "), Vec::new())
            }
            Source::Bytes(_) => ("Torrent".to_owned(), Vec::new()),
        };
        let info_hash = hash(&name);
        Ok(Preview {
            info_hash,
            total_length: files.iter().map(|(_, file): &(u32, PreviewFile)| file.length).sum(),
            files,
            comment: None,
            private: false,
            trackers: vec!["http://192.168.1.20:6969/announce".to_owned()],
            known: self.torrents.iter().any(|row| row.info_hash == info_hash || row.name == name),
            folder: self.settings.download_folder.clone(),
            free_bytes: self.free_bytes,
            name,
        })
    }

    fn add(&mut self, request: RequestId, source: &Source, options: &AddOptions) {
        let preview = match self.preview(source) {
            Ok(preview) => preview,
            Err(reason) => {
                self.backend.emit(Event::Refused { request, reason });
                return;
            }
        };
        let torrent = preview.info_hash;
        if !preview.known {
            let skipped: u64 = preview
                .files
                .iter()
                .filter(|(number, _)| options.priorities.get(*number as usize) == Some(&FilePriority::Skip))
                .map(|(_, file)| file.length)
                .sum();
            let mut row = TorrentRow {
                info_hash: torrent,
                magnet: made::magnet(torrent, &preview.name),
                name: preview.name,
                state: match (options.paused, preview.files.is_empty()) {
                    (true, _) => State::Paused,
                    (false, true) => State::Metadata,
                    (false, false) => State::Downloading,
                },
                size: preview.total_length,
                wanted: preview.total_length - skipped,
                done: 0,
                progress: 0.0,
                downloaded: 0,
                uploaded: 0,
                completed_unix: None,
                folder: options.folder.clone().unwrap_or(preview.folder),
                ..made::row(1)
            };
            made::play(&mut row, &mut self.rng, 0.0);
            self.torrents.push(row);
        }
        self.backend.emit(Event::Added { request, torrent, known: preview.known });
    }
}

fn resume(row: &mut TorrentRow) {
    if matches!(row.state, State::Paused | State::Failed) {
        row.state = if row.done >= row.wanted { State::Seeding } else { State::Downloading };
    }
}

/// The row of a finished share.
fn shared(job: &Job) -> TorrentRow {
    let name = name(&job.share.path);
    let info_hash = hash(&job.share.path.to_string_lossy());
    TorrentRow {
        info_hash,
        magnet: made::magnet(info_hash, &name),
        name,
        state: State::Seeding,
        reason: "Seeding; nobody is downloading it yet".to_owned(),
        size: job.total,
        wanted: job.total,
        done: job.total,
        progress: 1.0,
        downloaded: 0,
        uploaded: 0,
        peers: 0,
        seeds: 0,
        whole_elsewhere: 0,
        swarm: None,
        availability: 0.0,
        ratio: 0.0,
        folder: job.share.path.parent().unwrap_or(Path::new("/")).to_path_buf(),
        shared_here: true,
        ..made::row(0)
    }
}
