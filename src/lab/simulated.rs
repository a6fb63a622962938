//! Machines in simulated time.

use std::path::Path;
use std::sync::Arc;

use crate::api::{AddOptions, Command, FilePriority, LabError, RequestId};
use crate::base::{Moment, Span};
use crate::engine::{Addition, Input, Subject};
use crate::lab::ground::{Ground, Has, Kind, Machine, Setting};
use crate::metainfo::Torrent;
use crate::sim::{Content, Detail, FOLDER, HostId, HostOptions, Link, TRACKER, World, scenario};

/// The time from a machine to the middle of the network: a line of that time, and what makes connecting take time (tc).
const DELAY: Span = Span::from_millis(10);
/// Steps of the world that are one step of the experiment.
const STEPS: usize = 16;

/// A simulated world with machines.
pub(super) struct Simulated {
    world: World,
    contents: Vec<Arc<Content>>,
    /// Pieces of each file of each torrent.
    pieces: Vec<Vec<usize>>,
    /// What each machine has, by torrent, and whether its program is ending.
    machines: Vec<(Vec<Option<Has>>, bool)>,
}

impl Simulated {
    pub(super) fn new(setting: &Setting) -> Self {
        let mut world = World::new(setting.seed, Detail::Events);
        // The engine's books are compared in its own tests; here the time is worth more.
        world.check_every(u64::MAX);
        let tracker = setting.tracker.then_some(TRACKER);
        let content = |files: &crate::lab::files::Files| {
            let torrent = Torrent::parse(&files.torrent(tracker)).expect("a torrent made here reads");
            Arc::new(Content { torrent, bytes: files.bytes.clone() })
        };
        let contents: Vec<Arc<Content>> = setting.files.iter().map(content).collect();
        contents.iter().for_each(|content| world.add_content(content));
        let pieces = setting.files.iter();
        let pieces =
            pieces.map(|files| (0..files.parts.len()).map(|part| files.pieces_of(part)).collect()).collect();
        Self { world, contents, pieces, machines: Vec::new() }
    }

    fn addresses(&self, of: &[Machine]) -> Vec<std::net::SocketAddr> {
        of.iter().map(|machine| self.world.host(HostId(machine.0)).addr()).collect()
    }

    /// What has ended is off.
    fn switch_off(&mut self) {
        for (number, (_, ending)) in self.machines.iter_mut().enumerate() {
            if *ending && self.world.host(HostId(number)).has_stopped() {
                *ending = false;
                self.world.kill(HostId(number));
            }
        }
    }
}

impl Ground for Simulated {
    fn machine(&mut self, kind: Kind) -> Machine {
        let link = Link { up: kind.up, down: kind.down, delay: DELAY, ..Link::default() };
        let mut options = HostOptions { link, ..HostOptions::default() };
        options.settings.max_connections = kind.max_n;
        options.settings.max_connections_per_torrent = kind.max_n;
        let host = self.world.add_host(options);
        let contents = self.contents.iter().map(|content| Content::clone(content)).collect();
        self.world.host_mut(host).disk().set_hasher(Content::hasher_of(contents));
        self.machines.push((vec![None; self.contents.len()], false));
        Machine(host.0)
    }

    fn start(&mut self, machine: Machine) -> Result<(), LabError> {
        scenario::start(&mut self.world, HostId(machine.0));
        Ok(())
    }

    fn stop(&mut self, machine: Machine) {
        self.machines[machine.0].1 = true;
        self.world.tell(HostId(machine.0), Input::Command(Command::Shutdown));
        self.switch_off();
    }

    fn is_on(&self, machine: Machine) -> bool {
        self.world.host(HostId(machine.0)).is_on()
    }

    fn add(&mut self, machine: Machine, torrent: usize, has: Has, of: &[Machine]) -> Result<(), LabError> {
        self.machines[machine.0].0[torrent] = Some(has);
        let content = Arc::clone(&self.contents[torrent]);
        let host = HostId(machine.0);
        for (part, (path, bytes)) in content.files().enumerate() {
            if has == Has::Everything || has == Has::Part(part) {
                self.world.host_mut(host).disk().put_file(Path::new(FOLDER).join(path), bytes);
            }
        }
        let priorities = match has {
            Has::Part(wanted) => (0..self.pieces[torrent].len())
                .map(|part| if part == wanted { FilePriority::Normal } else { FilePriority::Skip })
                .collect(),
            _ => Vec::new(),
        };
        let options = AddOptions {
            folder: Some(FOLDER.into()),
            seed_mode: has == Has::Everything,
            peers: self.addresses(of),
            priorities,
            ..AddOptions::default()
        };
        let subject = Subject::Torrent(Box::new(content.torrent.clone()));
        let shared_here = has == Has::Everything;
        let addition = Box::new(Addition { subject, options, shared_here, incomplete: None });
        self.world.tell(host, Input::Add { request: RequestId(1), addition });
        Ok(())
    }

    fn tell(&mut self, machine: Machine, torrent: usize, of: &[Machine]) {
        let (torrent, peers) = (self.contents[torrent].torrent.info_hash, self.addresses(of));
        self.world.tell(HostId(machine.0), Input::Command(Command::AddPeers { torrent, peers }));
    }

    fn now(&self) -> Moment {
        self.world.now()
    }

    fn pass(&mut self, until: Moment) -> Result<(), LabError> {
        let (mut steps, told) = (0, self.world.told());
        // What a user hears is acted upon at once: where little goes on, some steps take half a minute.
        self.world.run_until(until, |world| {
            steps += 1;
            steps > STEPS || world.told() > told
        });
        self.switch_off();
        Ok(())
    }

    fn is_ready(&self, machine: Machine, torrent: usize) -> bool {
        let (Some(has), pieces) = (self.machines[machine.0].0[torrent], &self.pieces[torrent]) else {
            return false;
        };
        let wanted = match has {
            Has::Part(part) => pieces[part],
            _ => pieces.iter().sum(),
        };
        let info_hash = self.contents[torrent].torrent.info_hash;
        self.world.host(HostId(machine.0)).have(info_hash).is_some_and(|have| have.count() >= wanted)
    }

    fn completed(&self, machine: Machine, torrent: usize) -> Option<Moment> {
        self.world.host(HostId(machine.0)).completed_at(self.contents[torrent].torrent.info_hash)
    }

    fn sent(&self, machine: Machine) -> u64 {
        self.world.host(HostId(machine.0)).blocks_sent()
    }

    fn received(&self, machine: Machine) -> u64 {
        self.world.traffic(HostId(machine.0)).1
    }
}
