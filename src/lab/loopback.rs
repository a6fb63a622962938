//! Real sessions on sockets of this computer, whose rate limits stand for the lines.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use tempfile::TempDir;

use crate::api::{
    AddOptions, Command, Event, FilePriority, Handle, LabError, Limits, Settings, Source, State, TorrentRow,
};
use crate::base::{InfoHash, Moment, Span};
use crate::lab::files::Files;
use crate::lab::ground::{Ground, Has, Kind, Machine, Setting};
use crate::metainfo::Torrent;
use crate::net::{Config, Session};

/// A session is there, or gone, within this.
const WITHIN: Duration = Duration::from_secs(10);
/// Who wants an experiment to end waits no longer than this.
const LOOK: Duration = Duration::from_millis(50);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Sessions with folders of their own, below one that goes with them.
pub(super) struct Loopback {
    begun: Instant,
    folder: TempDir,
    files: Vec<Files>,
    /// The .torrent files, and what they are about.
    torrents: Vec<(Vec<u8>, InfoHash)>,
    /// The session whose tracker is used, where there is one.
    tracker: Option<(Session, Handle)>,
    sites: Vec<Site>,
    /// Rings when something happened in a session.
    bell: (Sender<()>, Receiver<()>),
}

/// One machine.
struct Site {
    kind: Kind,
    running: Option<(Session, Handle)>,
    addr: Option<SocketAddr>,
    stopped: bool,
    /// When each torrent was complete.
    completed: Vec<Option<Moment>>,
}

impl Loopback {
    pub(super) fn new(setting: Setting) -> Result<Self, LabError> {
        let mut new = Self {
            begun: begin(),
            folder: tempfile::Builder::new().prefix("fyris-lab-").tempdir().map_err(system)?,
            files: setting.files,
            torrents: Vec::new(),
            tracker: None,
            sites: Vec::new(),
            bell: bounded(1),
        };
        let mut url = None;
        if setting.tracker {
            let settings = Settings {
                tracker: true,
                tracker_port: 0,
                tracker_on_network: false,
                download_folder: new.folder.path().to_path_buf(),
                ..quiet()
            };
            let (session, handle) =
                Session::start(Config { settings, ..Config::default() }).map_err(system)?;
            let seen = handle.clone();
            new.tracker = Some((session, handle));
            url = new.wait_for("a tracker", || seen.view().tracker.urls.first().cloned())?.into();
        }
        for files in &new.files {
            let bytes = files.torrent(url.as_deref());
            let info_hash = Torrent::parse(&bytes).map_err(system)?.info_hash;
            new.torrents.push((bytes, info_hash));
        }
        Ok(new)
    }

    fn wait_for<T>(&self, what: &str, mut found: impl FnMut() -> Option<T>) -> Result<T, LabError> {
        let begun = begin();
        loop {
            if let Some(found) = found() {
                return Ok(found);
            }
            if begun.elapsed() > WITHIN {
                return Err(LabError::System(format!("{what} did not come up on {HERE}")));
            }
            // Nothing rings for a view that is looked at through a handle of one's own.
            _ = self.bell.1.recv_timeout(Duration::from_millis(5));
        }
    }

    fn home(&self, machine: Machine) -> PathBuf {
        self.folder.path().join(format!("machine-{}", machine.0))
    }

    fn addresses(&self, of: &[Machine]) -> Vec<SocketAddr> {
        of.iter().filter_map(|machine| self.sites[machine.0].addr).collect()
    }

    fn handle(&self, machine: Machine) -> Option<&Handle> {
        self.sites[machine.0].running.as_ref().map(|(_, handle)| handle)
    }

    fn send(&self, machine: Machine, command: Command) -> Result<(), LabError> {
        let handle = self.handle(machine).ok_or_else(|| LabError::System("a session is gone".into()))?;
        handle.send(command).map_err(system)
    }

    fn row(&self, machine: Machine, torrent: usize) -> Option<std::sync::Arc<TorrentRow>> {
        let view = self.handle(machine)?.view();
        view.torrents.iter().find(|row| row.info_hash == self.torrents[torrent].1).cloned()
    }

    /// Writes what a machine has of a torrent to its folder.
    fn write(&self, machine: Machine, files: &Files, has: Has) -> std::io::Result<()> {
        let folder = self.home(machine).join("files");
        if files.parts.len() == 1 {
            return if has == Has::Nothing {
                Ok(())
            } else {
                std::fs::write(folder.join(&files.name), &files.bytes)
            };
        }
        let folder = folder.join(&files.name);
        std::fs::create_dir_all(&folder)?;
        for part in 0..files.parts.len() {
            if has == Has::Everything || has == Has::Part(part) {
                std::fs::write(folder.join(Files::part_name(part)), files.part(part))?;
            }
        }
        Ok(())
    }

    /// Takes what the sessions say.
    fn take_events(&mut self) {
        let now = self.now();
        for site in &mut self.sites {
            let Some((_, handle)) = &site.running else { continue };
            while let Some(event) = handle.try_event() {
                match event {
                    Event::Completed { torrent, .. } => {
                        let numbers = self.torrents.iter().position(|(_, hash)| *hash == torrent);
                        if let Some(number) = numbers {
                            site.completed[number].get_or_insert(now);
                        }
                    }
                    Event::Stopped => site.stopped = true,
                    _ => {}
                }
            }
            if site.stopped
                && let Some((session, _)) = site.running.take()
            {
                session.join(WITHIN);
            }
        }
    }
}

impl Ground for Loopback {
    fn machine(&mut self, kind: Kind) -> Machine {
        let completed = vec![None; self.torrents.len()];
        self.sites.push(Site { kind, running: None, addr: None, stopped: false, completed });
        Machine(self.sites.len() - 1)
    }

    fn start(&mut self, machine: Machine) -> Result<(), LabError> {
        let home = self.home(machine);
        let kind = self.sites[machine.0].kind;
        std::fs::create_dir_all(home.join("files")).map_err(system)?;
        let settings = Settings {
            download_folder: home.join("files"),
            limits: Limits { up: Some(kind.up), down: Some(kind.down) },
            max_connections: kind.max_n,
            max_connections_per_torrent: kind.max_n,
            tracker: false,
            ..quiet()
        };
        let config = Config {
            state: Some(home.join("state")),
            settings,
            keep_settings: false,
            restore: true,
            ..Config::default()
        };
        let (session, handle) = Session::start(config).map_err(system)?;
        let bell = self.bell.0.clone();
        // Full: it has been rung already.
        handle.on_news(std::sync::Arc::new(move || _ = bell.try_send(())));
        let seen = handle.clone();
        let site = &mut self.sites[machine.0];
        (site.running, site.stopped) = (Some((session, handle)), false);
        let addr = self.wait_for("a session", || seen.view().listening.first().copied())?;
        self.sites[machine.0].addr = Some(addr);
        Ok(())
    }

    fn stop(&mut self, machine: Machine) {
        // One that is gone already has stopped, too.
        _ = self.send(machine, Command::Shutdown);
    }

    fn is_on(&self, machine: Machine) -> bool {
        self.sites[machine.0].running.is_some()
    }

    fn add(&mut self, machine: Machine, torrent: usize, has: Has, of: &[Machine]) -> Result<(), LabError> {
        let files = &self.files[torrent];
        self.write(machine, files, has).map_err(system)?;
        let priorities = match has {
            Has::Part(wanted) => (0..files.parts.len())
                .map(|part| if part == wanted { FilePriority::Normal } else { FilePriority::Skip })
                .collect(),
            _ => Vec::new(),
        };
        let options = AddOptions {
            seed_mode: has == Has::Everything,
            peers: self.addresses(of),
            priorities,
            ..AddOptions::default()
        };
        let handle = self.handle(machine).ok_or_else(|| LabError::System("a session is gone".into()))?;
        let (request, source) = (handle.next_request(), Source::Bytes(self.torrents[torrent].0.clone()));
        self.send(machine, Command::Add { request, source, options })
    }

    fn tell(&mut self, machine: Machine, torrent: usize, of: &[Machine]) {
        let (torrent, peers) = (self.torrents[torrent].1, self.addresses(of));
        _ = self.send(machine, Command::AddPeers { torrent, peers });
    }

    fn now(&self) -> Moment {
        Moment::ZERO + Span::from(self.begun.elapsed())
    }

    fn pass(&mut self, until: Moment) -> Result<(), LabError> {
        let left = Duration::from_micros(until.since(self.now()).micros());
        _ = self.bell.1.recv_timeout(left.min(LOOK));
        self.take_events();
        Ok(())
    }

    fn is_ready(&self, machine: Machine, torrent: usize) -> bool {
        let gives = self.row(machine, torrent).is_some_and(|row| row.state == State::Seeding);
        let known = self.tracker.as_ref().is_none_or(|(_, handle)| {
            let swarms = &handle.view().tracker.swarms;
            swarms.iter().any(|swarm| swarm.info_hash == self.torrents[torrent].1 && swarm.seeders > 0)
        });
        gives && known
    }

    fn completed(&self, machine: Machine, torrent: usize) -> Option<Moment> {
        self.sites[machine.0].completed[torrent]
    }

    fn sent(&self, machine: Machine) -> u64 {
        self.handle(machine).map_or(0, |handle| handle.view().totals.uploaded)
    }

    fn received(&self, machine: Machine) -> u64 {
        self.handle(machine).map_or(0, |handle| handle.view().totals.downloaded)
    }
}

impl Drop for Loopback {
    /// Nothing is left running, and nothing on the disk.
    fn drop(&mut self) {
        let tracker = self.tracker.take();
        let mut sessions: Vec<(Session, Handle)> =
            self.sites.iter_mut().filter_map(|site| site.running.take()).collect();
        // The tracker last: the others take their leave of it.
        sessions.extend(tracker);
        for (session, handle) in sessions {
            _ = handle.send(Command::Shutdown);
            drop(handle);
            session.join(WITHIN);
        }
    }
}

/// A session that opens nothing to others.
fn quiet() -> Settings {
    Settings { port: 0, bind: Some(HERE), ..Settings::default() }
}

fn system(error: impl std::fmt::Display) -> LabError {
    LabError::System(error.to_string())
}

#[expect(clippy::disallowed_methods, reason = "the clock of experiments that take real time")]
fn begin() -> Instant {
    Instant::now()
}
