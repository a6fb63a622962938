//! What a user asks for, and what comes of it.

use std::sync::Arc;

use crate::api::{Command, Event, FilePriority, Limits, RequestId};
use crate::base::{InfoHash, TorrentKey};
use crate::disk::Job;
use crate::engine::record::{Change, Enough, Record};
use crate::engine::shared::Shared;
use crate::engine::torrent::{Birth, Leaving, Torrent};
use crate::engine::{Addition, Engine, Subject};
use crate::metainfo::{self, Magnet};

impl Engine {
    pub(super) fn command(&mut self, command: Command) {
        let command = match subject(&command) {
            Some(torrent) => match self.hold_command(torrent, command) {
                Some(command) => command,
                None => return,
            },
            None => command,
        };
        match command {
            Command::Pause(torrent) => self.with(torrent, |torrent, shared| torrent.pause(shared)),
            Command::Resume(torrent) => self.with(torrent, |torrent, shared| torrent.resume(shared)),
            Command::PauseAll => {
                self.command_asleep(Command::Pause, Torrent::may_be_told_to_pause);
                self.with_all(|torrent, shared| torrent.pause(shared));
            }
            // Those that have given enough rest on.
            Command::ResumeAll => {
                self.command_asleep(Command::Resume, |torrent| {
                    let rests = torrent.choices.paused || torrent.is_faulty() || torrent.is_loading();
                    rests && torrent.choices.enough != Enough::Paused
                });
                self.with_all(|torrent, shared| {
                    if torrent.choices.enough != Enough::Paused {
                        torrent.resume(shared);
                    }
                });
            }
            Command::StopAndSerialize { request, torrent } => self.stop_and_serialize(request, torrent),
            Command::Recheck(torrent) => self.with(torrent, |torrent, shared| torrent.recheck(shared)),
            Command::Remove { torrent, delete_data: false } if self.is_asleep(torrent) => {
                self.strike(torrent);
            }
            Command::Remove { torrent, delete_data } => self.with(torrent, |torrent, shared| {
                torrent.leave(Leaving::Removed { delete: delete_data }, shared);
            }),
            Command::Prioritise { torrent, files } => {
                self.with(torrent, |torrent, shared| torrent.prioritise(&files, shared));
            }
            Command::Sequential { torrent, on } => {
                self.with(torrent, |torrent, shared| torrent.set_sequential(on, shared));
            }
            Command::Limit { torrent, limits } => {
                self.with(torrent, |torrent, shared| torrent.limit(limits, shared));
            }
            Command::Goals { torrent, goals } => self.with(torrent, |torrent, shared| {
                torrent.set_goals(goals, shared);
            }),
            Command::Label { torrent, label } => self.with(torrent, |torrent, shared| {
                torrent.choose(shared, |choices| choices.label = short(&label));
            }),
            Command::Rename { torrent, name } => self.with(torrent, |torrent, shared| {
                let title = Some(short(&name)).filter(|name| !name.is_empty());
                torrent.choose(shared, |choices| choices.title = title);
            }),
            Command::Queue { torrent, turn } => self.queue(torrent, turn),
            Command::AddPeers { torrent, peers } => {
                self.with(torrent, |torrent, shared| torrent.add_peers(&peers, shared));
            }
            Command::Move { request, torrent, folder } => match self.knows(torrent) {
                true => self.with(torrent, |torrent, shared| torrent.move_to(request, folder, shared)),
                false => self.refuse(request, "That torrent is not on the list.".into()),
            },
            Command::Cancel(request) => {
                for (key, torrent) in &mut self.torrents {
                    if torrent.cancel_move(request, &mut self.shared) {
                        self.touched.insert(*key);
                    }
                }
            }
            Command::Announce(torrent) => self.with(torrent, |torrent, shared| torrent.announce_now(shared)),
            Command::Watch(torrent) => self.watch(torrent),
            Command::Describe { request, torrent } => self.describe(request, torrent),
            Command::Settle { request, torrents } => self.settle_for(request, &torrents),
            Command::Settings(settings) => self.set_settings(Arc::from(settings)),
            Command::Shutdown => self.begin_shutdown(),
            // A driver without a network has none to ask.
            Command::Network(_) => {}
            Command::Inspect { request, .. }
            | Command::Add { request, .. }
            | Command::Share { request, .. }
            | Command::SaveTorrent { request, .. } => {
                self.refuse(request, "this is not the engine's to do".into());
            }
        }
    }

    fn watch(&mut self, torrent: Option<InfoHash>) {
        let before = std::mem::replace(&mut self.shared.watched, torrent);
        let before = before.and_then(|torrent| self.by_hash.get(&torrent).copied());
        // It may rest now.
        self.touched.extend(before);
        torrent.into_iter().for_each(|torrent| self.wake(torrent));
    }

    fn describe(&mut self, request: RequestId, torrent: InfoHash) {
        let key = self.by_hash.get(&torrent);
        let found = key.and_then(|key| self.torrents.get_mut(key)).filter(|torrent| !torrent.is_leaving());
        let event = match found {
            Some(torrent) => Event::Described { request, detail: Box::new(torrent.detail(&self.shared)) },
            None => Event::Refused { request, reason: "That torrent is not on the list.".into() },
        };
        self.shared.event(event);
    }

    pub(super) fn refuse(&mut self, request: RequestId, reason: String) {
        self.shared.event(Event::Refused { request, reason });
    }

    /// Adds a torrent that a user wants.
    pub(super) fn add(&mut self, request: RequestId, addition: Addition) {
        let Addition { subject, options, shared_here, incomplete } = addition;
        let info_hash = match &subject {
            Subject::Torrent(torrent) => torrent.info_hash,
            Subject::Magnet(magnet) => magnet.info_hash,
        };
        if self.shared.ending {
            self.refuse(request, "the session is ending".into());
            return;
        }
        if let Some(key) = self.by_hash.get(&info_hash).copied() {
            let leaving = self.torrents.get(&key).is_some_and(Torrent::is_leaving);
            if leaving {
                self.refuse(request, "this torrent is just being removed; try again in a moment".into());
                return;
            }
            self.wake(info_hash);
            self.with(info_hash, |torrent, shared| torrent.add_peers(&options.peers, shared));
            self.answer_added(request, info_hash, shared_here, true);
            return;
        }
        if self.by_hash.len() >= MAX_TORRENTS {
            self.refuse(request, format!("there are {MAX_TORRENTS} torrents already"));
            return;
        }
        let (torrent, magnet) = match subject {
            Subject::Torrent(torrent) => (Some(torrent), None),
            Subject::Magnet(magnet) => (None, Some(*magnet)),
        };
        let folder = options.folder.unwrap_or_else(|| self.shared.settings.download_folder.clone());
        let record = Record {
            info_hash,
            target: incomplete.is_some().then(|| folder.clone()),
            folder: incomplete.unwrap_or(folder),
            paused: options.paused,
            priorities: options.priorities,
            sequential: options.sequential,
            label: short(&options.label),
            place: self.last_place(),
            shared_here,
            added_unix: self.shared.unix_secs(),
            ..Record::default()
        };
        let seed_mode = options.seed_mode || shared_here;
        let key = self.insert(record, torrent, magnet, seed_mode);
        if let Some(torrent) = self.torrents.get_mut(&key) {
            let change = Change::Put(Box::new(torrent.record()));
            self.shared.store(change);
            torrent.add_peers(&options.peers, &self.shared);
            torrent.start(&mut self.shared);
        }
        self.answer_added(request, info_hash, shared_here, false);
    }

    fn answer_added(&mut self, request: RequestId, torrent: InfoHash, shared_here: bool, known: bool) {
        let event = if shared_here {
            Event::Shared { request, torrent, magnet: self.magnet(torrent).unwrap_or_default() }
        } else {
            Event::Added { request, torrent, known }
        };
        self.shared.event(event);
    }

    /// Takes up a torrent of the last run. One that no longer reads is left out and said.
    pub(super) fn restore(&mut self, mut record: Record) {
        if self.by_hash.contains_key(&record.info_hash) || self.by_hash.len() >= MAX_TORRENTS {
            return;
        }
        if self.restore_asleep(&mut record) {
            return;
        }
        let torrent = record.torrent.as_deref().map(metainfo::Torrent::parse);
        let magnet = record.magnet.as_deref().and_then(|magnet| magnet.parse::<Magnet>().ok());
        let (torrent, magnet) = match (torrent, magnet) {
            (Some(Ok(torrent)), magnet) if torrent.info_hash == record.info_hash => (Some(torrent), magnet),
            (None, Some(magnet)) if magnet.info_hash == record.info_hash => (None, Some(magnet)),
            (Some(Err(error)), _) => {
                let text = format!("{} was left out: {error}", record.info_hash.to_hex());
                self.shared.log(crate::api::Level::Error, text);
                return;
            }
            _ => {
                let text = format!("{} was left out: nothing is known of it", record.info_hash.to_hex());
                self.shared.log(crate::api::Level::Error, text);
                return;
            }
        };
        let moving = record.moving.clone();
        let summed_up = torrent.is_none() || record.summary.is_some();
        let key = self.insert(record, torrent.map(Box::new), magnet, false);
        if let Some(torrent) = self.torrents.get_mut(&key) {
            match moving {
                Some(to) => torrent.resume_move(to, &mut self.shared),
                None => torrent.start(&mut self.shared),
            }
            // The next start may need no more than that.
            if !summed_up {
                self.shared.store(Change::Put(Box::new(torrent.record())));
            }
        }
    }

    fn insert(
        &mut self,
        mut record: Record,
        torrent: Option<Box<metainfo::Torrent>>,
        magnet: Option<Magnet>,
        seed_mode: bool,
    ) -> TorrentKey {
        self.next_torrent += 1;
        let key = TorrentKey(self.next_torrent);
        let info_hash = record.info_hash;
        if record.place == 0 {
            record.place = self.last_place();
        }
        self.note_place(record.place);
        self.queue_stale = true;
        let birth = Birth { key, record, torrent, magnet, seed_mode };
        self.torrents.insert(key, Torrent::new(birth, &mut self.shared));
        self.by_hash.insert(info_hash, key);
        self.touched.insert(key);
        key
    }

    fn set_settings(&mut self, settings: Arc<crate::api::Settings>) {
        self.shared.settings = settings;
        self.queue_stale = true;
        self.renew_limits();
        // Goals may have changed, and with them when something is due.
        self.touch_dormant();
    }

    /// Takes every torrent out of its swarm, or back into it.
    pub(super) fn rest(&mut self, on: bool) {
        self.shared.resting = on;
        let act = |torrent: &mut Torrent, shared: &mut Shared| {
            if on { torrent.rest(shared) } else { torrent.start(shared) }
        };
        self.with_all(act);
        self.with_dormant(act);
    }

    fn begin_shutdown(&mut self) {
        if self.shared.ending {
            return;
        }
        self.shared.ending = true;
        self.end_by = self.shared.now + super::FAREWELL;
        self.get_up_to_leave();
        for (key, torrent) in &mut self.torrents {
            // What was asked of one that is just waking is done first.
            if !torrent.is_loading() || !(torrent.is_unwritten() || self.dormant.holds_commands(*key)) {
                torrent.leave(Leaving::Ended, &mut self.shared);
                self.touched.insert(*key);
            }
        }
    }
}

impl Torrent {
    fn prioritise(&mut self, files: &[(u32, FilePriority)], shared: &mut Shared) {
        let count = self.file_count();
        self.choices.priorities.resize(count, FilePriority::Normal);
        for (file, priority) in files {
            if let Some(slot) = self.choices.priorities.get_mut(*file as usize) {
                *slot = *priority;
            }
        }
        if let Some(storage) = self.apply_priorities() {
            shared.disk(Job::Update { torrent: self.key, storage });
        }
        shared.store(Change::Put(Box::new(self.record())));
        self.wants_changed(shared);
    }

    fn set_sequential(&mut self, on: bool, shared: &mut Shared) {
        self.choices.sequential = on;
        self.apply_sequential();
        shared.store(Change::Put(Box::new(self.record())));
    }

    fn limit(&mut self, limits: Limits, shared: &mut Shared) {
        self.choices.limits = limits;
        self.apply_limits();
        shared.store(Change::Put(Box::new(self.record())));
    }
}

/// A name or a label without what no line can show, and not too long.
fn short(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control()).take(NAME).collect();
    kept.trim().to_owned()
}

/// Characters of a name or a label.
const NAME: usize = 240;

/// The torrent that a command is about, where that has to be awake for it.
fn subject(command: &Command) -> Option<InfoHash> {
    match command {
        Command::Pause(torrent)
        | Command::Resume(torrent)
        | Command::Recheck(torrent)
        | Command::Remove { torrent, delete_data: true }
        | Command::Prioritise { torrent, .. }
        | Command::Sequential { torrent, .. }
        | Command::Limit { torrent, .. }
        | Command::AddPeers { torrent, .. }
        | Command::Move { torrent, .. }
        | Command::Goals { torrent, .. }
        | Command::Label { torrent, .. }
        | Command::Rename { torrent, .. }
        | Command::Queue { torrent, .. }
        | Command::Describe { torrent, .. }
        | Command::Announce(torrent) => Some(*torrent),
        _ => None,
    }
}

/// Torrents in one session.
const MAX_TORRENTS: usize = 100_000;
