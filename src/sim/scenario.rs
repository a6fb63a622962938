//! Swarms to be played: who takes part, with what link and disk, from when on; and how close they come to the best there is.

use std::sync::Arc;

use crate::api::{AddOptions, RequestId};
use crate::base::{InfoHash, Moment, Span};
use crate::engine::{Addition, Engine, Input, Subject};
use crate::sim::{Content, Detail, FOLDER, HostId, HostOptions, World};

/// A swarm that shares one torrent.
pub struct Scenario {
    /// The world they live in.
    pub world: World,
    content: Arc<Content>,
    members: Vec<Member>,
}

struct Member {
    host: HostId,
    role: Role,
    joins: Moment,
}

/// How a host takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It has everything.
    Seed,
    /// It has the .torrent file.
    Leech,
    /// It has the magnet link.
    Magnet,
}

/// How it went.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// When the last one was complete.
    pub last: Span,
    /// When they were complete, in the middle.
    pub mean: Span,
    /// The least time that any way of sharing could take.
    pub bound: Span,
}

impl Outcome {
    /// How many times the least time the last one took.
    pub fn ratio(&self) -> f64 {
        self.last.secs_f64() / self.bound.secs_f64()
    }
}

impl Scenario {
    /// Nobody takes part yet.
    pub fn new(seed: u64, detail: Detail, content: Content) -> Self {
        let content = Arc::new(content);
        let mut world = World::new(seed, detail);
        world.add_content(&content);
        Self { world, content, members: Vec::new() }
    }

    /// What they share.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// What they share, by its name.
    pub fn torrent(&self) -> InfoHash {
        self.content.torrent.info_hash
    }

    /// Lets a host take part from `joins` on.
    pub fn join(&mut self, role: Role, joins: Moment, options: HostOptions) -> HostId {
        let host = self.world.add_host(options);
        self.world.host_mut(host).disk().set_hasher(self.content.hasher());
        self.members.push(Member { host, role, joins });
        let content = Arc::clone(&self.content);
        if role == Role::Seed {
            for (path, bytes) in content.files() {
                let path = std::path::Path::new(FOLDER).join(path);
                self.world.host_mut(host).disk().put_file(path, bytes);
            }
        }
        self.world.at(joins, move |world| {
            start(world, host);
            add(world, host, &content, role);
        });
        host
    }

    /// Lets `count` hosts of one kind take part from the same moment on.
    pub fn join_all(
        &mut self,
        count: usize,
        role: Role,
        joins: Moment,
        options: &HostOptions,
    ) -> Vec<HostId> {
        (0..count).map(|_| self.join(role, joins, options.clone())).collect()
    }

    /// Those who fetch.
    pub fn leeches(&self) -> impl Iterator<Item = HostId> + '_ {
        self.members.iter().filter(|member| member.role != Role::Seed).map(|member| member.host)
    }

    /// Whether everybody who fetches is complete.
    pub fn all_complete(&self) -> bool {
        let torrent = self.torrent();
        self.leeches().all(|host| self.world.host(host).completed_at(torrent).is_some())
    }

    /// Plays until everybody is complete, and then compares every byte; fails at `limit`.
    pub fn run(&mut self, limit: Span) -> Outcome {
        let torrent = self.torrent();
        let leeches: Vec<HostId> = self.leeches().collect();
        let limit = self.world.now() + limit;
        let mut open = leeches.clone();
        let done = self.world.run_until(limit, |world| {
            while open.last().is_some_and(|host| world.host(*host).completed_at(torrent).is_some()) {
                open.pop();
            }
            open.is_empty()
        });
        if !done {
            let how = |host: &HostId| {
                let have = self.world.host(*host).have(torrent).map_or(0, |have| have.count());
                format!("{host:?} {have} of {}", self.content.torrent.layout.piece_count())
            };
            let late: Vec<String> = leeches
                .iter()
                .filter(|host| self.world.host(**host).completed_at(torrent).is_none())
                .map(how)
                .collect();
            self.world.fail(&format!("not complete in time: {}", late.join(", ")));
        }
        leeches.iter().for_each(|host| self.world.assert_files(*host, torrent));
        self.outcome()
    }

    /// How it went for those who are complete.
    pub fn outcome(&self) -> Outcome {
        let torrent = self.torrent();
        let fetching = self.members.iter().filter(|member| member.role != Role::Seed);
        let spans: Vec<Span> = fetching
            .filter_map(|member| {
                Some(self.world.host(member.host).completed_at(torrent)?.since(member.joins))
            })
            .collect();
        let sum: u64 = spans.iter().map(|span| span.micros()).sum();
        Outcome {
            last: spans.iter().max().copied().unwrap_or(Span::ZERO),
            mean: Span::from_micros(sum / spans.len().max(1) as u64),
            bound: self.bound(),
        }
    }

    /// The least time: every byte leaves a seed once, everybody takes it in, and all of them together give as much as is taken.
    fn bound(&self) -> Span {
        let size = self.content.bytes.len() as f64;
        let up = |member: &Member| {
            let options = &self.world.host(member.host).options;
            options.settings.limits.up.unwrap_or(u64::MAX).min(options.link.up) as f64
        };
        let seeds: f64 = self.members.iter().filter(|member| member.role == Role::Seed).map(up).sum();
        let all: f64 = self.members.iter().map(up).sum();
        let count = self.leeches().count() as f64;
        let slowest =
            self.leeches().map(|host| self.world.host(host).options.link.down).min().unwrap_or(1) as f64;
        Span::from_secs_f64((size / seeds).max(size / slowest).max(count * size / all))
    }
}

/// Starts the engine on a host, with what survives of the one before.
pub fn start(world: &mut World, host: HostId) {
    let now = world.now();
    let rng = world.rng().fork();
    let settings = Arc::new(world.host(host).options.settings.clone());
    let mut engine = Engine::new(now, UNIX_START, settings, rng);
    engine.let_rest();
    let records: Vec<_> = world.host_mut(host).shelf().records().cloned().collect();
    world.start(host, Box::new(engine));
    for mut record in records {
        // As the real store does, which does not read it either.
        if record.needs_no_metadata() {
            record.torrent = None;
        }
        world.tell(host, Input::Restore(Box::new(record)));
    }
}

/// Gives a torrent to the engine of a host.
pub fn add(world: &mut World, host: HostId, content: &Content, role: Role) {
    let subject = match role {
        Role::Magnet => Subject::Magnet(Box::new(content.torrent.magnet())),
        _ => Subject::Torrent(Box::new(content.torrent.clone())),
    };
    let shared = role == Role::Seed;
    let options = AddOptions { folder: Some(FOLDER.into()), seed_mode: shared, ..AddOptions::default() };
    let addition = Box::new(Addition { subject, options, shared_here: shared, incomplete: None });
    world.tell(host, Input::Add { request: RequestId(1), addition });
}

/// When every simulated world begins.
const UNIX_START: u64 = 1_800_000_000;
