//! Stopping in order: requests, peers, trackers, and then the state.

use std::sync::Arc;

use crate::announce::Answer;
use crate::api::{Command, Event, RequestId, Settings};
use crate::base::{InfoHash, Moment, Rng, Span};
use crate::disk::MemoryDisk;
use crate::engine::{Addition, Change, Engine, Input, Output};
use crate::wire::tracker::Event as Told;

use super::wire::{options, sample, whole};

const REQUEST: RequestId = RequestId(9);

/// A seed whose tracker answers when the test wants it to.
struct Seed {
    engine: Engine,
    disk: MemoryDisk,
    torrent: InfoHash,
    now: Moment,
    /// The newest change.
    newest: u64,
}

/// What comes out of one step, in order.
#[derive(Debug, PartialEq)]
enum Out {
    Told(Told, u64),
    Put(u64),
    Serialized,
    Other,
}

impl Seed {
    fn new() -> Self {
        let (mut torrent, bytes) = sample(100_000, 32_768);
        torrent.trackers = vec![vec!["http://a.example/announce".into()]];
        let mut disk = MemoryDisk::new();
        disk.put_file("/seed/sample", bytes);
        let mut engine = Engine::new(Moment::ZERO, 0, Arc::new(Settings::default()), Rng::new(1));
        let (subject, options) = (whole(&torrent), options(true, None));
        let addition = Box::new(Addition { subject, options, shared_here: false, incomplete: None });
        engine.handle(Moment::ZERO, Input::Add { request: RequestId(1), addition });
        let mut seed = Self { engine, disk, torrent: torrent.info_hash, now: Moment::ZERO, newest: 0 };
        let started = seed.step();
        let id = started.iter().find_map(|out| match out {
            Out::Told(Told::Started, id) => Some(*id),
            _ => None,
        });
        seed.answer(id.expect("it says that it has started"));
        let seq = seed.newest;
        seed.engine.handle(seed.now, Input::Stored { seq, result: Ok(()) });
        seed.step();
        seed
    }

    fn answer(&mut self, id: u64) {
        let torrent = crate::base::TorrentKey(1);
        self.engine.handle(self.now, Input::Announced { torrent, id, answer: Ok(Answer::default()) });
    }

    fn stop(&mut self, torrent: Option<InfoHash>) {
        let command = Command::StopAndSerialize { request: REQUEST, torrent };
        self.engine.handle(self.now, Input::Command(command));
    }

    fn step(&mut self) -> Vec<Out> {
        let mut all = Vec::new();
        loop {
            while let Some(output) = self.engine.poll(self.now) {
                all.push(match output {
                    Output::Disk(job) => {
                        self.disk.submit(job);
                        Out::Other
                    }
                    Output::Announce { request, .. } => Out::Told(request.event, request.id),
                    Output::Store { seq, change } => {
                        self.newest = seq;
                        if matches!(change, Change::Put(_)) { Out::Put(seq) } else { Out::Other }
                    }
                    Output::Event(Event::Serialized { request: REQUEST, .. }) => Out::Serialized,
                    _ => Out::Other,
                });
            }
            match self.disk.poll() {
                Some(done) => self.engine.handle(self.now, Input::Disk(done)),
                None => return all,
            }
        }
    }
}

#[test]
fn trackers_are_told_before_the_state_is_written_and_that_before_the_answer() {
    let mut seed = Seed::new();
    seed.stop(Some(seed.torrent));
    let out = seed.step();
    let told = out.iter().find_map(|out| match out {
        Out::Told(Told::Stopped, id) => Some(*id),
        _ => None,
    });
    let id = told.expect("it says that it has stopped");
    assert!(!out.contains(&Out::Serialized));
    seed.answer(id);
    let out = seed.step();
    let [Out::Put(seq)] = out[..] else { panic!("{out:?}") };
    assert!(seed.step().is_empty());
    seed.engine.handle(seed.now, Input::Stored { seq, result: Ok(()) });
    assert_eq!(seed.step(), [Out::Serialized]);
    // One that stands still is written once more, and nobody is told anything.
    seed.stop(None);
    let out = seed.step();
    let [Out::Put(seq)] = out[..] else { panic!("{out:?}") };
    seed.engine.handle(seed.now, Input::Stored { seq, result: Err("full".into()) });
    assert!(!seed.step().contains(&Out::Serialized), "what is not written is not said to be");
}

#[test]
fn a_tracker_that_does_not_answer_is_not_waited_for_long() {
    let mut seed = Seed::new();
    seed.stop(None);
    let begun = seed.now;
    let out = seed.step();
    let last = |out: &[Out]| {
        out.iter().rev().find_map(|out| if let Out::Put(seq) = out { Some(*seq) } else { None })
    };
    let paused = last(&out).expect("that it is paused is written at once");
    seed.engine.handle(seed.now, Input::Stored { seq: paused, result: Ok(()) });
    while seed.now.since(begun) < Span::from_secs(5) {
        assert!(!out.contains(&Out::Serialized));
        let due = seed.engine.next_deadline();
        assert!(due > seed.now && due != Moment::NEVER, "it comes back by itself");
        seed.now = due;
        let out = seed.step();
        if let Some(seq) = last(&out) {
            seed.engine.handle(seed.now, Input::Stored { seq, result: Ok(()) });
            assert_eq!(seed.step(), [Out::Serialized]);
            return;
        }
    }
    panic!("not in time");
}
