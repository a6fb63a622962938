//! A session that is played: torrents that move by themselves, answers to every command, and nothing on disk or wire.
//! For tests of the window, for benchmarks with many rows, and for pictures.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::TryRecvError;

use crate::api::{
    Backend, Command, Event, Handle, Level, LogLine, Settings, State, Theme, TorrentRow, View, pair,
};
use crate::base::{InfoHash, Rng};
use crate::gui::clock::unix_millis;

mod answers;
mod made;
mod network;

pub use network::Network;

/// Seconds between two steps of a played session.
const STEP: Duration = Duration::from_millis(500);

/// A played session.
pub struct Demo {
    backend: Backend,
    rng: Rng,
    torrents: Vec<TorrentRow>,
    /// Shares that are being hashed.
    jobs: Vec<answers::Job>,
    settings: Settings,
    watched: Option<InfoHash>,
    generation: u64,
    received: u64,
    sent: u64,
    /// Bytes hashed in a step.
    hash_rate: u64,
    /// Its network, where it has one.
    network: Option<Network>,
    /// Why nobody can come in.
    listen_fault: Option<String>,
    /// Bytes said to be free on the disk.
    free_bytes: Option<u64>,
}

/// One torrent of a played session, as its number makes it.
pub fn row(number: u32) -> TorrentRow {
    made::row(number)
}

/// How a played session goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Nothing is there yet.
    Empty,
    /// Much happens, and all of it well.
    Busy,
    /// Whatever can fail does.
    Failing,
}

/// A played session, in one theme, on a thread of its own; it ends with the handle.
pub fn start(mood: Mood, theme: Theme) -> Handle {
    let (handle, mut demo) = Demo::new(if mood == Mood::Empty { 0 } else { 20 });
    demo.set(|settings| settings.theme = theme);
    match mood {
        Mood::Empty => {}
        Mood::Busy => demo.change_network(|network| {
            network.listen = Some(([192, 168, 1, 20], 6_970).into());
            let announcing = &mut network.rules.announcing;
            "Course archive, week 47\n\nNew recordings every Friday. Please keep them open for the others."
                .clone_into(&mut announcing.right);
            "Stay until Sunday: the whole network is faster with you.".clone_into(&mut announcing.bottom);
        }),
        Mood::Failing => demo.fail(),
    }
    let play = move || {
        while demo.step() {
            std::thread::sleep(STEP);
        }
    };
    // Without a thread the first picture simply stays.
    let _ = std::thread::Builder::new().name("demo".to_owned()).spawn(play);
    handle
}

impl Demo {
    /// A played session that moves when told to.
    pub fn new(torrents: u32) -> (Handle, Self) {
        let (handle, backend) = pair();
        let mut demo = Self {
            backend,
            rng: Rng::new(7),
            torrents: (0..torrents).map(made::row).collect(),
            jobs: Vec::new(),
            settings: Settings {
                download_folder: PathBuf::from("/home/anna/Downloads"),
                ..Settings::default()
            },
            watched: None,
            generation: 0,
            received: 6_184_000_000,
            sent: 18_912_000_000,
            hash_rate: 400 << 20,
            network: Some(Network::new(unix_millis())),
            listen_fault: None,
            free_bytes: Some(214 << 30),
        };
        demo.log(Level::Info, "session", "Listening on port 6881.");
        demo.log(Level::Info, "tracker", "The tracker answers at http://192.168.1.20:6969/announce.");
        demo.publish();
        (handle, demo)
    }

    /// Hashes so many bytes in a step.
    pub fn hash_rate(&mut self, bytes: u64) {
        self.hash_rate = bytes;
    }

    /// Says that so many bytes are free on the disk.
    pub fn free_space(&mut self, bytes: Option<u64>) {
        self.free_bytes = bytes;
    }

    /// Plays with a network, or without one.
    pub fn network(&mut self, on: bool) {
        self.network = on.then(|| Network::new(unix_millis()));
        self.publish();
    }

    /// Changes the network as others in it, or the coordinator, would.
    pub fn change_network(&mut self, change: impl FnOnce(&mut Network)) {
        if let Some(network) = &mut self.network {
            change(network);
        }
        self.publish();
    }

    /// Changes the settings as another user of the session would.
    pub fn set(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.publish();
    }

    /// Changes a torrent.
    pub fn change(&mut self, number: usize, change: impl FnOnce(&mut TorrentRow)) {
        if let Some(row) = self.torrents.get_mut(number) {
            change(row);
        }
        self.publish();
    }

    /// Lets whatever can fail do so.
    fn fail(&mut self) {
        self.listen_fault =
            Some("Port 6881 is taken by another program. Choose another under Settings.".to_owned());
        self.change_network(|network| {
            network.hosted = false;
            network.fault =
                Some("The coordinator at 192.168.1.7:7300 does not answer; trying again in 8 s.".to_owned());
            network.tracker_fault = network.fault.clone();
        });
    }

    /// Tells of something that happened.
    pub fn tell(&self, event: Event) {
        self.backend.emit(event);
    }

    /// Obeys the commands that wait, and returns them; nothing once nobody can send any more.
    pub fn obey(&mut self) -> Option<Vec<Command>> {
        let mut commands = Vec::new();
        loop {
            match self.backend.commands.try_recv() {
                Ok(command) => {
                    self.answer(&command);
                    commands.push(command);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return None,
            }
        }
        if !commands.is_empty() {
            self.publish();
        }
        Some(commands)
    }

    /// Half a second of play; false once nobody listens any more.
    pub fn step(&mut self) -> bool {
        if self.obey().is_none() {
            return false;
        }
        let moves = self.network.as_ref().is_none_or(Network::moves);
        for row in self.torrents.iter_mut().filter(|_| moves) {
            made::play(row, &mut self.rng, STEP.as_secs_f64());
        }
        self.network.iter_mut().for_each(Network::step);
        self.work();
        let ended: Vec<_> = self
            .torrents
            .iter_mut()
            .filter(|row| matches!(row.state, State::Downloading) && row.done >= row.wanted)
            .map(|row| {
                made::complete(row);
                (row.info_hash, row.name.clone())
            })
            .collect();
        if let Some(network) = &mut self.network {
            network.completed |= !ended.is_empty();
        }
        for (torrent, name) in ended {
            self.backend.emit(Event::Completed { torrent, name, secs: 312.0 });
        }
        self.publish();
        true
    }

    fn log(&self, level: Level, room: &str, text: &str) {
        let line =
            LogLine { unix_millis: unix_millis(), level, room: room.to_owned(), text: text.to_owned() };
        self.backend.emit(Event::Log(line));
    }

    fn publish(&mut self) {
        self.generation += 1;
        let totals = made::totals(&self.torrents);
        self.received += totals.down_rate / 2;
        self.sent += totals.up_rate / 2;
        let detail = self.watched.and_then(|watched| {
            let row = self.torrents.iter().find(|row| row.info_hash == watched)?;
            Some(Arc::new(made::detail(row)))
        });
        let totals = crate::api::Totals { downloaded: self.received, uploaded: self.sent, ..totals };
        let view = View {
            generation: self.generation,
            unix_millis: unix_millis(),
            torrents: Arc::new(self.torrents.iter().cloned().map(Arc::new).collect()),
            jobs: self.jobs.iter().map(answers::Job::row).collect(),
            detail,
            totals,
            tracker: Arc::new(made::tracker(&self.torrents, &self.settings)),
            network: self
                .network
                .as_ref()
                .map(|network| Arc::new(network.view(&self.torrents, unix_millis()))),
            listening: vec![([0, 0, 0, 0], self.settings.port).into()],
            listen_fault: self.listen_fault.clone(),
            settings: Arc::new(self.settings.clone()),
        };
        self.backend.publish(view);
    }
}
