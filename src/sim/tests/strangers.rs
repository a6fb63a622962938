//! Programs that talk nonsense to the engine: nothing panics, nobody honest suffers.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::{BlockRef, ConnKey, InfoHash, Moment, PeerId, PieceIndex, Rng, Span};
use crate::engine::{Input, Output};
use crate::peer::Item;
use crate::sim::{Content, Detail, HostOptions, Link, Program, Role, Scenario};
use crate::wire::peer::{Handshake, Message, Reserved};

/// Connects to everybody, again and again, says hello properly and then whatever comes to its mind.
struct Babbler {
    torrent: InfoHash,
    targets: Vec<SocketAddr>,
    rng: Rng,
    open: BTreeSet<ConnKey>,
    calls: u64,
    next: Moment,
    out: VecDeque<Output>,
    /// Whether it forgets to say hello now and then.
    rude: bool,
}

impl Babbler {
    fn hello(&mut self, conn: ConnKey) {
        self.open.insert(conn);
        if self.rude && self.rng.below(4) == 0 {
            return;
        }
        let mut peer_id = PeerId::default();
        self.rng.fill(&mut peer_id.0);
        let mut info_hash = self.torrent;
        if self.rng.below(20) == 0 {
            info_hash.0[0] ^= 1;
        }
        let mut reserved = Reserved::ours();
        if self.rng.below(3) == 0 {
            self.rng.fill(&mut reserved.0);
        }
        let items = vec![Item::Handshake(Handshake { info_hash, peer_id, reserved })];
        self.out.push_back(Output::Send { conn, items });
    }

    fn thought(&mut self) -> Message {
        let rng = &mut self.rng;
        let piece = PieceIndex(if rng.below(5) == 0 { rng.bits32() } else { rng.below(20) as u32 });
        let begin = if rng.below(5) == 0 { rng.bits32() } else { rng.below(5) as u32 * 16_384 };
        let len = if rng.below(5) == 0 { rng.bits32() } else { 16_384 };
        let block = BlockRef { piece, begin, len };
        let mut bytes = |most: usize| {
            let mut bytes = vec![0; rng.below(most)];
            rng.fill(&mut bytes);
            Bytes::from(bytes)
        };
        let (short, data) = (bytes(64), bytes(16_385));
        let handshake: [&[u8]; 6] = [
            b"d1:md11:ut_metadatai3ee13:metadata_sizei9000e4:reqqi1ee",
            b"d1:md11:ut_metadatai0e11:lt_donthavei7eee",
            b"d13:metadata_sizei-5e1:v4:\xff\xff\xff\xffe",
            b"d4:reqqi99999999999999ee",
            b"d1:md11:upload_onlyi3eee",
            b"de",
        ];
        let metadata: [&[u8]; 5] = [
            b"d8:msg_typei0e5:piecei0ee",
            b"d8:msg_typei0e5:piecei99999999ee",
            b"d8:msg_typei1e5:piecei0e10:total_sizei5eehello",
            b"d8:msg_typei2e5:piecei0ee",
            b"d8:msg_typei7e5:piecei-1ee",
        ];
        match self.rng.below(20) {
            0 => Message::KeepAlive,
            1 => Message::Choke,
            2 | 3 => Message::Unchoke,
            4 | 5 => Message::Interested,
            6 => Message::NotInterested,
            7 => Message::Have(piece),
            8 => Message::Bitfield(short),
            9 | 10 => Message::Request(block),
            11 => Message::Piece { piece, begin, data },
            12 => Message::Cancel(block),
            13 => Message::Suggest(piece),
            14 => Message::HaveAll,
            15 => Message::HaveNone,
            16 => Message::Reject(block),
            17 => Message::AllowedFast(piece),
            18 => {
                let payload = handshake[self.rng.below(handshake.len())];
                Message::Extended { id: 0, payload: Bytes::from_static(payload) }
            }
            _ => {
                let payload = match self.rng.below(metadata.len() + 1) {
                    at if at < metadata.len() => Bytes::from_static(metadata[at]),
                    _ => short,
                };
                Message::Extended { id: self.rng.below(6) as u8, payload }
            }
        }
    }
}

impl Program for Babbler {
    fn handle(&mut self, now: Moment, input: Input) {
        match input {
            Input::Listening(_) => self.next = now,
            Input::Connected { conn } | Input::Accepted { conn, .. } => self.hello(conn),
            Input::ConnectFailed { conn } | Input::Closed { conn, .. } => _ = self.open.remove(&conn),
            _ => {}
        }
    }

    fn poll(&mut self, now: Moment) -> Option<Output> {
        if self.out.is_empty() && now >= self.next {
            self.next = now + Span::from_millis(20);
            let targets = self.targets.clone();
            if self.rng.below(10) == 0 && self.open.len() < 20 {
                self.calls += 1;
                let addr = targets[self.rng.below(targets.len())];
                self.out.push_back(Output::Connect { conn: ConnKey(self.calls), addr });
            }
            let open: Vec<ConnKey> = self.open.iter().copied().collect();
            for conn in open {
                let items = (0..self.rng.below(3)).map(|_| Item::Message(self.thought())).collect();
                self.out.push_back(Output::Send { conn, items });
                if self.rng.below(200) == 0 {
                    self.open.remove(&conn);
                    self.out.push_back(Output::Close { conn });
                }
            }
        }
        self.out.pop_front()
    }

    fn next_deadline(&self) -> Moment {
        self.next
    }
}

#[test]
fn nonsense_hurts_nobody() {
    for seed in 0..10 {
        let content = Content::file(12, 1024 * 1024 + 5, 64 * 1024);
        let mut scenario = Scenario::new(seed, Detail::Everything, content);
        let options = HostOptions { link: Link::symmetric(200_000), ..HostOptions::default() };
        scenario.join(Role::Seed, Moment::ZERO, options.clone());
        scenario.join(Role::Leech, Moment::ZERO, options.clone());
        scenario.join(if seed % 2 == 0 { Role::Magnet } else { Role::Leech }, Moment::ZERO, options.clone());
        let targets = scenario.world.ids().map(|id| scenario.world.host(id).addr()).collect();
        let babbler = scenario.world.add_host(options);
        let program = Babbler {
            torrent: scenario.torrent(),
            targets,
            rng: Rng::new(seed),
            open: BTreeSet::new(),
            calls: 0,
            next: Moment::NEVER,
            out: VecDeque::new(),
            rude: seed % 3 == 0,
        };
        scenario.world.start(babbler, Box::new(program));
        scenario.run(Span::from_secs(400));
    }
}
