//! A thousand programs and machines that end at any moment, whatever their disk and their session were just writing.
//!
//! Afterwards nothing is claimed that the disk has not, no torrent is lost, and nothing is fetched again but what was suspect
//! and is not on the disk. `FYRIS_CRASH_SEED` plays one seed alone.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::api::{Command, Event, RequestId};
use crate::base::{Bitfield, Moment, PieceIndex, Rng, Span};
use crate::engine::{Input, Progress};
use crate::sim::{Content, Detail, HostId, HostOptions, Link, MOVED, Role, Scenario, Speed, check, scenario};

const KIB: u64 = 1024;
/// Seeds that are played in every test run.
const SEEDS: u64 = 1_000;
const PIECE: u64 = 32 * KIB;
/// A piece is suspect from the first request until it is synced: within this, with what the disk takes for it.
const SUSPECT: Span = Span::from_secs(6);
/// Bytes of pieces that may be asked for at once, besides those that come in while others are suspect.
const OPEN: u64 = 24 * PIECE;

fn content(seed: u64) -> Content {
    match seed % 3 {
        0 => Content::file(seed, 1024 * KIB + 777, PIECE as u32),
        // Pieces that lie in several files, and files without a byte.
        _ => {
            let files = [("a", 300 * KIB + 1), ("empty", 0), ("b/c", 5), ("b/d", 500 * KIB), ("e", 90_001)];
            Content::new(seed, &files, PIECE as u32)
        }
    }
}

/// One seed: a download that ends several times.
struct Play {
    scenario: Scenario,
    rng: Rng,
    host: HostId,
    /// Bytes a second that its link takes in.
    rate: u64,
    /// How long its disk syncs.
    sync: Span,
    /// Bytes that it lacked when it started last, and those received before that.
    lacked: u64,
    before: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut scenario = Scenario::new(seed, Detail::Everything, content(seed));
        let mut rng = Rng::new(seed);
        // From several syncs in one download to one that ends before the first.
        let rate = 40 * KIB + rng.below(500 * KIB as usize) as u64;
        let sync = Span::from_millis(rng.below(300) as u64);
        let link = Link { delay: Span::from_millis(2), ..Link::symmetric(rate) };
        // A disk so slow that something often waits for it.
        let disk_rate = 300 * KIB + rng.below(2_000_000) as u64;
        let speed = Speed { rate: disk_rate, seek: Span::from_micros(200), sync };
        let options = HostOptions { link, speed, ..HostOptions::default() };
        scenario.join(Role::Seed, Moment::ZERO, options.clone());
        let role = if seed % 5 == 1 { Role::Magnet } else { Role::Leech };
        let host = scenario.join(role, Moment::ZERO + Span::from_millis(100), options);
        scenario.world.run_for(Span::from_millis(110));
        let lacked = scenario.content().bytes.len() as u64;
        Self { scenario, rng, host, rate, sync, lacked, before: 0 }
    }

    /// Comes to any moment, or to the very moment of a write.
    fn go_on(&mut self) {
        let world = &mut self.scenario.world;
        if self.rng.below(2) == 0 {
            world.run_for(Span::from_micros(self.rng.below(9_000_000) as u64));
        } else {
            let host = self.host;
            let writes = world.host(host).writes() + 1 + self.rng.below(60) as u64;
            let limit = world.now() + Span::from_secs(9);
            world.run_until(limit, |world| world.host(host).writes() >= writes);
        }
    }

    /// It is on its way to another folder from now on.
    fn moves(&mut self) {
        let torrent = self.scenario.torrent();
        let command = Command::Move { request: RequestId(9), torrent, folder: MOVED.into() };
        let world = &mut self.scenario.world;
        world.tell(self.host, Input::Command(command));
        world.run_for(Span::from_micros(self.rng.below(400_000) as u64));
    }

    /// Its user changes something, at any moment after its start.
    fn is_changed(&mut self) {
        let torrent = self.scenario.torrent();
        let world = &mut self.scenario.world;
        world.run_for(Span::from_micros(self.rng.below(30_000) as u64));
        world.tell(self.host, Input::Command(Command::Sequential { torrent, on: self.rng.below(2) == 0 }));
        world.run_for(Span::from_micros(self.rng.below(30_000) as u64));
    }

    /// It ends, and what must be whole is.
    fn ends(&mut self) {
        let (host, torrent) = (self.host, self.scenario.torrent());
        self.assert_fetched_once();
        let world = &mut self.scenario.world;
        let had = world.host(host).have(torrent).cloned().unwrap_or_default();
        let suspect = world.host_mut(host).shelf().suspects(torrent);
        let window = self.rate as f64 * (SUSPECT + self.sync.times(2)).secs_f64();
        let bytes = suspect.len() as u64 * PIECE;
        if bytes > window as u64 + OPEN {
            world.fail(&format!("{bytes} bytes are suspect, where {window} come in meanwhile"));
        }
        if self.rng.below(3) == 0 {
            world.kill(host)
        } else {
            world.cut_power(host)
        }
        world.assert_shelf(host);
        let kept = self.kept();
        if let Some(piece) = had.iter().find(|piece| !kept.contains(piece) && !suspect.contains(piece)) {
            self.scenario.world.fail(&format!("piece {} was safe and is lost", piece.0));
        }
        let layout = &self.scenario.content().torrent.layout;
        let bytes: u64 = kept.iter().map(|piece| u64::from(layout.piece_size(*piece))).sum();
        self.lacked = layout.total_length() - bytes;
        self.before = self.scenario.world.host(host).blocks_received();
    }

    /// The pieces that its next start finds: those recorded as had, and those recorded as suspect that are there.
    fn kept(&mut self) -> BTreeSet<PieceIndex> {
        let Some(record) = self.scenario.world.host_mut(self.host).shelf().records().next() else {
            self.scenario.world.fail("the torrent is lost");
        };
        let Progress { have, suspect, .. } = record.progress.clone();
        let content = self.scenario.content();
        let disk = &self.scenario.world.hosts[self.host.0].drive.disk;
        let believed = have.iter().flat_map(Bitfield::iter).filter(|piece| !suspect.contains(piece));
        let found = suspect.iter().copied().filter(|piece| check::holds(disk, content, *piece));
        believed.chain(found).collect()
    }

    /// Since its start no more has come than it lacked then.
    fn assert_fetched_once(&self) {
        let world = &self.scenario.world;
        let came = world.host(self.host).blocks_received() - self.before;
        if came > self.lacked {
            world.fail(&format!("{came} bytes came to one who lacked {}", self.lacked));
        }
    }

    /// It starts again after a while.
    fn starts(&mut self) {
        let pause = Span::from_millis(self.rng.below(500) as u64);
        self.scenario.world.run_for(pause);
        scenario::start(&mut self.scenario.world, self.host);
    }

    /// It becomes complete.
    fn completes(mut self) {
        let (host, torrent) = (self.host, self.scenario.torrent());
        let world = &mut self.scenario.world;
        let begun = world.now();
        let done = world.run_until(begun + Span::from_secs(240), |world| {
            let ended = |event: &Event| matches!(event, Event::Completed { .. } | Event::Seeding { .. });
            world.host(host).events().iter().any(|(at, event)| *at >= begun && ended(event))
        });
        if !done {
            world.fail("it is never complete");
        }
        world.assert_files(host, torrent);
        self.assert_fetched_once();
    }
}

fn play(seed: u64) {
    let mut play = Play::new(seed);
    for crash in 0..=play.rng.below(4) {
        if seed % 7 == 3 && play.rng.below(2) == 0 {
            play.is_changed();
        } else {
            play.go_on();
        }
        if seed.is_multiple_of(4) && crash == 0 {
            play.moves();
        }
        play.ends();
        play.starts();
    }
    play.completes();
}

#[test]
fn a_crash_at_any_moment_loses_nothing_that_was_safe() {
    if let Some(seed) = std::env::var("FYRIS_CRASH_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return play(seed);
    }
    let next = AtomicU64::new(0);
    // A failure names its seed; the other thread plays on.
    let some = || {
        while let seed = next.fetch_add(1, Ordering::Relaxed)
            && seed < SEEDS
        {
            play(seed);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(some);
        scope.spawn(some);
    });
}
