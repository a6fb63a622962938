//! Links, back-pressure and endings, with programs that send as much as they can.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::{ConnKey, Moment, PieceIndex, Span};
use crate::engine::{Input, Output};
use crate::peer::Item;
use crate::sim::{Detail, HostId, HostOptions, Link, Program, World};
use crate::wire::peer::Message;

/// Connects to all targets and keeps a mebibyte of blocks waiting on each.
#[derive(Default)]
struct Talker {
    targets: Vec<SocketAddr>,
    out: VecDeque<Output>,
    received: std::rc::Rc<std::cell::RefCell<Vec<(Moment, u64)>>>,
    closed: std::rc::Rc<std::cell::Cell<Option<Moment>>>,
    failed: std::rc::Rc<std::cell::Cell<Option<Moment>>>,
}

impl Talker {
    fn say(&mut self, conn: ConnKey, blocks: u64) {
        let block = Message::Piece { piece: PieceIndex(0), begin: 0, data: Bytes::from_static(&[0; 16_384]) };
        let items = (0..blocks).map(|_| Item::Message(block.clone())).collect();
        self.out.push_back(Output::Send { conn, items });
    }
}

impl Program for Talker {
    fn handle(&mut self, now: Moment, input: Input) {
        match input {
            Input::Listening(_) => {
                for (at, addr) in self.targets.iter().enumerate() {
                    self.out.push_back(Output::Connect { conn: ConnKey(at as u64), addr: *addr });
                }
            }
            Input::Connected { conn } => self.say(conn, 64),
            Input::Sent { conn, bytes } => self.say(conn, bytes / 16_384),
            Input::Received { items, .. } => {
                let bytes = items.iter().map(Item::block_bytes).sum();
                self.received.borrow_mut().push((now, bytes));
            }
            Input::Closed { .. } => self.closed.set(Some(now)),
            Input::ConnectFailed { .. } => self.failed.set(Some(now)),
            _ => {}
        }
    }

    fn poll(&mut self, _now: Moment) -> Option<Output> {
        self.out.pop_front()
    }

    fn next_deadline(&self) -> Moment {
        Moment::NEVER
    }
}

fn host(world: &mut World, up: u64, down: u64) -> HostId {
    let link = Link { up, down, delay: Span::from_millis(10), ..Link::default() };
    world.add_host(HostOptions { link, ..HostOptions::default() })
}

fn secs(secs: u64) -> Moment {
    Moment::ZERO + Span::from_secs(secs)
}

const MIB: u64 = 1024 * 1024;

#[test]
fn an_uplink_is_used_up_and_shared_alike() {
    let mut world = World::new(1, Detail::Everything);
    let sender = host(&mut world, MIB, MIB);
    let mut heard = Vec::new();
    let mut targets = Vec::new();
    for _ in 0..4 {
        let id = host(&mut world, MIB, MIB);
        let talker = Talker::default();
        heard.push(talker.received.clone());
        targets.push(world.host(id).addr());
        world.start(id, Box::new(talker));
    }
    world.start(sender, Box::new(Talker { targets, ..Talker::default() }));
    world.run_for(Span::from_secs(10));
    let counts: Vec<u64> =
        heard.iter().map(|heard| heard.borrow().iter().map(|(_, bytes)| bytes).sum()).collect();
    let all: u64 = counts.iter().sum();
    assert!(all > 10 * MIB / 100 * 98 && all <= 10 * MIB, "{counts:?}");
    assert!(counts.iter().all(|count| count.abs_diff(all / 4) < 64 * 1024), "{counts:?}");
}

#[test]
fn a_downlink_is_used_up_and_shared_alike_and_one_slow_peer_holds_up_nobody() {
    let mut world = World::new(1, Detail::Everything);
    let (slow, fast) = (host(&mut world, MIB, MIB / 4), host(&mut world, MIB, 8 * MIB));
    let mut heard = Vec::new();
    for id in [slow, fast] {
        let talker = Talker::default();
        heard.push(talker.received.clone());
        world.start(id, Box::new(talker));
    }
    let targets = vec![world.host(slow).addr(), world.host(fast).addr()];
    for _ in 0..4 {
        let id = host(&mut world, MIB, MIB);
        world.start(id, Box::new(Talker { targets: targets.clone(), ..Talker::default() }));
    }
    world.run_for(Span::from_secs(20));
    let counts: Vec<u64> =
        heard.iter().map(|heard| heard.borrow().iter().map(|(_, bytes)| bytes).sum()).collect();
    assert!(counts[0] > 5 * MIB / 100 * 95 && counts[0] <= 5 * MIB, "{counts:?}");
    assert!(
        counts[1] > 75 * MIB / 100 * 95,
        "what the slow one does not take goes to the fast one: {counts:?}"
    );
}

#[test]
fn endings_are_heard_of() {
    let mut world = World::new(1, Detail::Everything);
    let (a, b) = (host(&mut world, MIB, MIB), host(&mut world, MIB, MIB));
    let hidden = host(&mut world, MIB, MIB);
    world.relink(hidden, Link { reachable: false, ..Link::symmetric(MIB) });
    let off = host(&mut world, MIB, MIB);
    let listener = Talker::default();
    let (closed, heard) = (listener.closed.clone(), listener.received.clone());
    world.start(b, Box::new(listener));
    world.start(hidden, Box::new(Talker::default()));
    let caller =
        |world: &World, to: HostId| Talker { targets: vec![world.host(to).addr()], ..Talker::default() };
    let program = caller(&world, b);
    world.start(a, Box::new(program));
    world.run_for(Span::from_secs(1));
    world.kill(a);
    world.run_for(Span::from_secs(1));
    let ended = closed.get().expect("the end of a killed program is heard of at once");
    assert!(ended < secs(1) + Span::from_millis(50), "{ended}");
    assert!(heard.borrow().iter().all(|(at, _)| *at <= ended));

    for (to, after) in [(off, Span::from_millis(100)), (hidden, Span::from_secs(11))] {
        let program = caller(&world, to);
        let failed = program.failed.clone();
        let begun = world.now();
        world.start(a, Box::new(program));
        world.run_for(Span::from_secs(12));
        assert!(failed.get().is_some_and(|at| at.since(begun) <= after), "{:?}", failed.get());
        world.kill(a);
    }

    let program = caller(&world, b);
    closed.set(None);
    world.start(a, Box::new(program));
    world.run_for(Span::from_secs(1));
    world.cut_power(a);
    world.run_for(Span::from_secs(59));
    assert_eq!(closed.get(), None);
    world.run_for(Span::from_secs(2));
    assert!(closed.get().is_some());
}

#[test]
fn one_seed_makes_one_log() {
    let play = |seed| {
        let mut world = World::new(seed, Detail::Everything);
        let link = Link { jitter: Span::from_millis(30), ..Link::symmetric(MIB) };
        let ids: Vec<HostId> =
            (0..5).map(|_| world.add_host(HostOptions { link, ..HostOptions::default() })).collect();
        let targets: Vec<SocketAddr> = ids.iter().map(|id| world.host(*id).addr()).collect();
        for id in ids {
            world.start(id, Box::new(Talker { targets: targets.clone(), ..Talker::default() }));
        }
        world.run_for(Span::from_secs(5));
        (world.log().lines(), world.log().digest())
    };
    assert_eq!(play(7), play(7));
    assert_ne!(play(7), play(8));
}
