//! The connections between hosts: what is said waits at the sender's socket, leaves through its uplink in turn with its other
//! connections, and comes in through the receiver's downlink.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use slab::Slab;

use crate::base::{ConnKey, Moment, Rng, Span};
use crate::peer::Item;
use crate::sim::HostId;
use crate::sim::link::{Downlink, Link, Parcel, Uplink, time_for, wire_bytes};

/// Bytes that a socket takes before it makes its program wait.
const SOCKET: u64 = 128 * 1024;
/// Bytes that leave at once; a block and its head fit.
const PARCEL: u64 = 16 * 1024 + 64;
/// The least and the most that one connection has on its way.
const WINDOW: std::ops::RangeInclusive<u64> = 2 * PARCEL..=4 * 1024 * 1024;
/// What waits at a downlink is worth about so much of its time.
const QUEUE: Span = Span::from_millis(50);
/// A connect to where nobody answers is given up after so long.
const CONNECT_TIMEOUT: Span = Span::from_secs(10);

/// One direction of a connection: the connection's number, and which end speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pipe {
    /// Which connection; numbers are used again.
    wire: usize,
    /// Tells two uses of the number apart.
    life: u64,
    /// 0 speaks, 1 speaks.
    from: usize,
}

/// Something that happens on a wire.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A connect reaches the other host.
    Knock(Pipe),
    /// The other host's answer is back.
    Answered(Pipe, bool),
    /// A parcel has left its host.
    Left(HostId),
    /// A parcel stands before its receiver's downlink.
    Reached(Pipe, u64),
    /// A parcel is through.
    Through(Pipe),
    /// The end of a connection is known at the end that this pipe leads to.
    Ended(Pipe),
}

/// Something that a host is told.
#[derive(Debug)]
pub(super) enum Notice {
    Connected(ConnKey),
    Failed(ConnKey),
    Accepted(ConnKey, SocketAddr),
    Received(ConnKey, Vec<Item>),
    Sent(ConnKey, u64),
    Closed(ConnKey),
}

/// All hosts' links and all connections between them.
#[derive(Debug, Default)]
pub(super) struct Wires {
    hosts: Vec<Port>,
    wires: Slab<Wire>,
    lives: u64,
}

#[derive(Debug)]
struct Port {
    addr: SocketAddr,
    link: Link,
    up: Uplink,
    down: Downlink,
    /// Whether a program runs there.
    listens: bool,
    incoming: u64,
    conns: BTreeMap<ConnKey, Pipe>,
}

#[derive(Debug)]
struct Wire {
    life: u64,
    ends: [End; 2],
    stands: bool,
}

/// One end of a connection, with what it says.
#[derive(Debug)]
struct End {
    host: HostId,
    /// Its program's name for it; nothing where that program knows it no more, or not yet.
    key: Option<ConnKey>,
    /// Said, and not taken by the socket yet.
    waiting: VecDeque<Item>,
    waiting_bytes: u64,
    /// Taken by the socket.
    socket: VecDeque<Item>,
    socket_bytes: u64,
    /// On its way, oldest first.
    flying: VecDeque<Parcel>,
    flying_bytes: u64,
    last_arrival: Moment,
    /// Whether it stands in its uplink's round, or is being served.
    in_round: bool,
    /// Says no more than what the socket has.
    ends: bool,
}

/// Where planned steps go, with what is random about them.
pub(super) struct Plan<'a> {
    pub(super) now: Moment,
    pub(super) rng: &'a mut Rng,
    pub(super) steps: &'a mut Vec<(Moment, Step)>,
    pub(super) notices: &'a mut VecDeque<(HostId, Notice)>,
}

impl Plan<'_> {
    fn after(&mut self, span: Span, step: Step) {
        self.steps.push((self.now + span, step));
    }

    fn tell(&mut self, host: HostId, notice: Notice) {
        self.notices.push_back((host, notice));
    }
}

impl Wires {
    pub(super) fn add_host(&mut self, addr: SocketAddr, link: Link) {
        self.hosts.push(Port {
            addr,
            link,
            up: Uplink::default(),
            down: Downlink::default(),
            listens: false,
            incoming: 0,
            conns: BTreeMap::new(),
        });
    }

    pub(super) fn set_listens(&mut self, host: HostId, listens: bool) {
        self.hosts[host.0].listens = listens;
    }

    pub(super) fn link_mut(&mut self, host: HostId) -> &mut Link {
        &mut self.hosts[host.0].link
    }

    pub(super) fn link(&self, host: HostId) -> &Link {
        &self.hosts[host.0].link
    }

    /// Bytes that went out and came in.
    pub(super) fn traffic(&self, host: HostId) -> (u64, u64) {
        (self.hosts[host.0].up.sent, self.hosts[host.0].down.received)
    }

    /// Connections that the host's program knows of, those still being made among them.
    pub(super) fn count(&self, host: HostId) -> usize {
        self.hosts[host.0].conns.len()
    }

    /// Bytes said on any one connection that its socket has not taken yet, at most.
    pub(super) fn longest_wait(&self, host: HostId) -> u64 {
        let ends = self.hosts[host.0].conns.values().map(|pipe| &self.wires[pipe.wire].ends[pipe.from]);
        ends.map(|end| end.waiting_bytes).max().unwrap_or(0)
    }

    /// A program connects to an address; `to` is the host that has it.
    pub(super) fn connect(&mut self, from: HostId, key: ConnKey, to: Option<HostId>, plan: &mut Plan<'_>) {
        self.lives += 1;
        let life = self.lives;
        let target = to.unwrap_or(from);
        let ends = [End::new(from, Some(key)), End::new(target, None)];
        let wire = self.wires.insert(Wire { life, ends, stands: false });
        let pipe = Pipe { wire, life, from: 0 };
        self.hosts[from.0].conns.insert(key, pipe);
        if to.is_some_and(|to| to == from || self.hosts[to.0].link.reachable) {
            let way = self.way(pipe, plan.rng);
            plan.after(way, Step::Knock(pipe));
        } else {
            plan.after(CONNECT_TIMEOUT, Step::Answered(pipe, false));
        }
    }

    /// A program says something.
    pub(super) fn send(&mut self, host: HostId, key: ConnKey, items: Vec<Item>, plan: &mut Plan<'_>) {
        let pipe = *self.hosts[host.0].conns.get(&key).expect("a program speaks on a connection that stands");
        let wire = &mut self.wires[pipe.wire];
        assert!(wire.stands, "a program speaks on a connection that does not stand yet");
        let end = &mut wire.ends[pipe.from];
        end.waiting_bytes += items.iter().map(wire_bytes).sum::<u64>();
        end.waiting.extend(items);
        self.take(pipe, plan);
    }

    /// A program ends a connection: what its socket has still arrives.
    pub(super) fn close(&mut self, host: HostId, key: ConnKey, plan: &mut Plan<'_>) {
        let Some(pipe) = self.hosts[host.0].conns.remove(&key) else { return };
        let wire = &mut self.wires[pipe.wire];
        wire.ends[pipe.from].key = None;
        wire.ends[pipe.from].ends = true;
        let end = &mut wire.ends[pipe.from];
        while end.socket_bytes < SOCKET && end.waiting.front().is_some_and(|item| item.block_bytes() == 0) {
            let item = end.waiting.pop_front().expect("one is in front");
            end.socket_bytes += wire_bytes(&item);
            end.socket.push_back(item);
        }
        end.waiting.clear();
        end.waiting_bytes = 0;
        if !end.socket.is_empty() && !end.in_round {
            end.in_round = true;
            self.hosts[host.0].up.round.push_back(pipe);
            self.serve(host, plan);
        }
        self.end_if_silent(pipe, plan);
    }

    /// A host's program is gone, or its power: every connection ends. With the power gone nobody is told for `silence`.
    pub(super) fn drop_host(&mut self, host: HostId, silence: Span, plan: &mut Plan<'_>) {
        self.set_listens(host, false);
        for pipe in std::mem::take(&mut self.hosts[host.0].conns).into_values() {
            let wire = &mut self.wires[pipe.wire];
            let end = &mut wire.ends[pipe.from];
            // It does not end in order: what is still on its way may arrive, but the end is heard of by itself.
            end.key = None;
            end.waiting.clear();
            end.waiting_bytes = 0;
            end.socket.clear();
            end.socket_bytes = 0;
            let way = silence + self.way(pipe, plan.rng);
            plan.after(way, Step::Ended(pipe));
        }
    }

    /// Something that was planned happens.
    pub(super) fn step(&mut self, step: Step, plan: &mut Plan<'_>) {
        match step {
            Step::Knock(pipe) => self.knocked(pipe, plan),
            Step::Answered(pipe, welcome) => self.answered(pipe, welcome, plan),
            Step::Left(host) => self.left(host, plan),
            Step::Reached(pipe, bytes) => self.reached(pipe, bytes, plan),
            Step::Through(pipe) => self.through(pipe, plan),
            Step::Ended(pipe) => self.ended(pipe, plan),
        }
    }

    fn knocked(&mut self, pipe: Pipe, plan: &mut Plan<'_>) {
        let Some(wire) = self.wire(pipe) else { return };
        let (from, to) = (wire.ends[0].host, wire.ends[1].host);
        let port = &mut self.hosts[to.0];
        let welcome = port.listens;
        if welcome {
            port.incoming += 1;
            let key = ConnKey::incoming(port.incoming);
            port.conns.insert(key, pipe.back());
            let wire = &mut self.wires[pipe.wire];
            wire.ends[1].key = Some(key);
            wire.stands = true;
            let number = 32_768 + (pipe.life % 32_000) as u16;
            let addr = SocketAddr::new(self.hosts[from.0].addr.ip(), number);
            plan.tell(to, Notice::Accepted(key, addr));
        }
        let way = self.way(pipe, plan.rng);
        plan.after(way, Step::Answered(pipe, welcome));
    }

    fn answered(&mut self, pipe: Pipe, welcome: bool, plan: &mut Plan<'_>) {
        let Some(wire) = self.wire(pipe) else { return };
        let Some(key) = wire.ends[0].key else {
            if !welcome {
                self.wires.remove(pipe.wire);
            }
            return;
        };
        let host = wire.ends[0].host;
        if welcome {
            plan.tell(host, Notice::Connected(key));
        } else {
            self.hosts[host.0].conns.remove(&key);
            self.wires.remove(pipe.wire);
            plan.tell(host, Notice::Failed(key));
        }
    }

    /// The socket takes what it has room for.
    fn take(&mut self, pipe: Pipe, plan: &mut Plan<'_>) {
        let end = &mut self.wires[pipe.wire].ends[pipe.from];
        let mut blocks = 0;
        while end.socket_bytes < SOCKET
            && let Some(item) = end.waiting.pop_front()
        {
            let bytes = wire_bytes(&item);
            blocks += item.block_bytes();
            end.waiting_bytes -= bytes;
            end.socket_bytes += bytes;
            end.socket.push_back(item);
        }
        let host = end.host;
        if let Some(key) = end.key.filter(|_| blocks > 0) {
            plan.tell(host, Notice::Sent(key, blocks));
        }
        let end = &mut self.wires[pipe.wire].ends[pipe.from];
        if !end.socket.is_empty() && !end.in_round {
            end.in_round = true;
            self.hosts[host.0].up.round.push_back(pipe);
            self.serve(host, plan);
        }
    }

    /// The uplink, where it is free, takes the next parcel.
    fn serve(&mut self, host: HostId, plan: &mut Plan<'_>) {
        while self.hosts[host.0].up.busy.is_none() {
            let Some(pipe) = self.hosts[host.0].up.round.pop_front() else { return };
            let Some(wire) = self.wire(pipe) else { continue };
            let window = self.window(wire.ends[1 - pipe.from].host);
            let end = &mut self.wires[pipe.wire].ends[pipe.from];
            if end.socket.is_empty() || end.flying_bytes >= window {
                end.in_round = false;
                continue;
            }
            let mut parcel = Parcel { items: Vec::new(), bytes: 0 };
            while let Some(item) = end.socket.front() {
                let bytes = wire_bytes(item);
                if parcel.bytes > 0 && parcel.bytes + bytes > PARCEL {
                    break;
                }
                parcel.bytes += bytes;
                parcel.items.extend(end.socket.pop_front());
            }
            end.socket_bytes -= parcel.bytes;
            let port = &mut self.hosts[host.0];
            plan.after(time_for(parcel.bytes, port.link.up), Step::Left(host));
            port.up.busy = Some((pipe, parcel));
        }
    }

    fn left(&mut self, host: HostId, plan: &mut Plan<'_>) {
        let (pipe, parcel) = self.hosts[host.0].up.busy.take().expect("a parcel that leaves was being sent");
        self.hosts[host.0].up.sent += parcel.bytes;
        if self.wire(pipe).is_some() {
            let way = self.way(pipe, plan.rng);
            let to = self.wires[pipe.wire].ends[1 - pipe.from].host;
            let end = &mut self.wires[pipe.wire].ends[pipe.from];
            // What one connection carries stays in order.
            let arrival = (plan.now + way).max(end.last_arrival);
            end.last_arrival = arrival;
            self.hosts[to.0].down.busy_pipes += u64::from(end.flying.is_empty());
            end.flying_bytes += parcel.bytes;
            plan.steps.push((arrival, Step::Reached(pipe, parcel.bytes)));
            end.flying.push_back(parcel);
            // The next in turn comes first.
            if end.socket.is_empty() {
                end.in_round = false;
            } else {
                self.hosts[host.0].up.round.push_back(pipe);
            }
            if self.wires[pipe.wire].ends[pipe.from].key.is_some() {
                self.take(pipe, plan);
            }
        }
        self.serve(host, plan);
    }

    fn reached(&mut self, pipe: Pipe, bytes: u64, plan: &mut Plan<'_>) {
        let Some(wire) = self.wire(pipe) else { return };
        let to = wire.ends[1 - pipe.from].host;
        let port = &mut self.hosts[to.0];
        let through = port.down.free_at.max(plan.now) + time_for(bytes, port.link.down);
        port.down.free_at = through;
        plan.steps.push((through, Step::Through(pipe)));
    }

    fn through(&mut self, pipe: Pipe, plan: &mut Plan<'_>) {
        let Some(wire) = self.wire(pipe) else { return };
        let to = wire.ends[1 - pipe.from].host;
        let end = &mut self.wires[pipe.wire].ends[pipe.from];
        let parcel = end.flying.pop_front().expect("a parcel that arrives was on its way");
        end.flying_bytes -= parcel.bytes;
        let from = end.host;
        let waits = !end.socket.is_empty() && !end.in_round;
        self.hosts[to.0].down.busy_pipes -= u64::from(end.flying.is_empty());
        self.hosts[to.0].down.received += parcel.bytes;
        if waits {
            end.in_round = true;
            self.hosts[from.0].up.round.push_back(pipe);
            self.serve(from, plan);
        }
        if let Some(key) = self.wires[pipe.wire].ends[1 - pipe.from].key {
            plan.tell(to, Notice::Received(key, parcel.items));
        }
        self.end_if_silent(pipe, plan);
    }

    /// Tells the other end once everything that was said has arrived.
    fn end_if_silent(&mut self, pipe: Pipe, plan: &mut Plan<'_>) {
        let end = &self.wires[pipe.wire].ends[pipe.from];
        if end.ends && end.socket.is_empty() && end.flying.is_empty() && !end.in_round {
            let way = self.way(pipe, plan.rng);
            plan.after(way, Step::Ended(pipe));
        }
    }

    fn ended(&mut self, pipe: Pipe, plan: &mut Plan<'_>) {
        let Some(wire) = self.wire(pipe) else { return };
        let other = &wire.ends[1 - pipe.from];
        let (host, key) = (other.host, other.key);
        let wire = self.wires.remove(pipe.wire);
        for from in 0..2 {
            let to = wire.ends[1 - from].host;
            self.hosts[to.0].down.busy_pipes -= u64::from(!wire.ends[from].flying.is_empty());
        }
        if let Some(key) = key {
            self.hosts[host.0].conns.remove(&key);
            plan.tell(host, Notice::Closed(key));
        }
    }

    /// What one connection may have on its way to the host: its share of the downlink, for the time that a queue is worth.
    fn window(&self, to: HostId) -> u64 {
        let port = &self.hosts[to.0];
        let time = port.link.delay.times(4) + QUEUE;
        let worth = port.link.down / 1_000 * time.millis() / port.down.busy_pipes.max(1);
        worth.clamp(*WINDOW.start(), *WINDOW.end())
    }

    fn way(&self, pipe: Pipe, rng: &mut Rng) -> Span {
        let [a, b] = &self.wires[pipe.wire].ends;
        self.hosts[a.host.0].link.way_to(&self.hosts[b.host.0].link, rng)
    }

    fn wire(&self, pipe: Pipe) -> Option<&Wire> {
        self.wires.get(pipe.wire).filter(|wire| wire.life == pipe.life)
    }
}

impl Pipe {
    fn back(self) -> Self {
        Self { from: 1 - self.from, ..self }
    }
}

impl End {
    fn new(host: HostId, key: Option<ConnKey>) -> Self {
        Self {
            host,
            key,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            socket: VecDeque::new(),
            socket_bytes: 0,
            flying: VecDeque::new(),
            flying_bytes: 0,
            last_arrival: Moment::ZERO,
            in_round: false,
            ends: false,
        }
    }
}
