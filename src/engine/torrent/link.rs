//! What is known of one connected peer of a torrent.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::{Bitfield, ConnKey, Moment, PeerId, PieceIndex, RateMeter, limits};
use crate::peer::{Item, Pipeline, Uploads};
use crate::wire::peer::{Message, Reserved, client_name, extended};

/// Pieces remembered that a peer lets us have while it chokes.
const ALLOWED: usize = 64;
/// Parts of metadata given to a peer in one step.
const METADATA_AT_ONCE: usize = 64;

/// One connection after both handshakes.
#[derive(Debug)]
pub(in crate::engine) struct Link {
    pub(super) conn: ConnKey,
    pub(super) addr: SocketAddr,
    pub(super) peer_id: PeerId,
    pub(super) reserved: Reserved,
    pub(super) extended: extended::Handshake,
    /// The pieces it has; nothing while their number is not known.
    pub(super) has: Option<Bitfield>,
    /// What it said of its pieces before their number was known.
    pub(super) early: Vec<Message>,
    /// What we told and were told last.
    pub(super) choked: bool,
    pub(super) choking_us: bool,
    pub(super) interesting: bool,
    pub(super) interested: bool,
    /// Pieces it gives us while choking, and those we give it.
    pub(super) allowed_us: Vec<PieceIndex>,
    pub(super) allowed: Vec<PieceIndex>,
    pub(super) pipeline: Pipeline,
    pub(super) uploads: Uploads,
    /// Blocks that came without having been asked for.
    pub(super) unasked: usize,
    /// Bytes of blocks given to the socket and not yet taken by the system.
    pub(super) unsent: u64,
    pub(super) down: RateMeter,
    pub(super) up: RateMeter,
    pub(super) connected_at: Moment,
    /// When we choked or unchoked it last.
    pub(super) turned_at: Moment,
    /// Bytes sent since it was unchoked.
    pub(super) sent_in_turn: u64,
    pub(super) heard_at: Moment,
    pub(super) said_at: Moment,
    /// Since when neither side wants anything of the other.
    pub(super) idle_since: Moment,
    /// Whether it was told of all our pieces, although we hide them from others.
    pub(super) sees_all: bool,
    /// Whether its queue of requests should be looked at.
    pub(super) hungry: bool,
    /// What is to be said at the end of this step.
    out: Vec<Item>,
}

impl Link {
    pub(super) fn new(
        conn: ConnKey,
        addr: SocketAddr,
        peer_id: PeerId,
        reserved: Reserved,
        now: Moment,
    ) -> Self {
        Self {
            conn,
            addr,
            peer_id,
            reserved,
            extended: extended::Handshake::default(),
            has: None,
            early: Vec::new(),
            choked: true,
            choking_us: true,
            interesting: false,
            interested: false,
            allowed_us: Vec::new(),
            allowed: Vec::new(),
            pipeline: Pipeline::default(),
            uploads: Uploads::default(),
            unasked: 0,
            unsent: 0,
            down: RateMeter::default(),
            up: RateMeter::default(),
            connected_at: now,
            turned_at: now,
            sent_in_turn: 0,
            heard_at: now,
            said_at: now,
            idle_since: now,
            sees_all: false,
            hungry: false,
            out: Vec::new(),
        }
    }

    /// Says something at the end of this step.
    pub(super) fn say(&mut self, message: Message) {
        self.out.push(Item::Message(message));
    }

    /// Says an extension's message, where the peer understands it.
    pub(super) fn say_extended(&mut self, id: Option<u8>, payload: Bytes) {
        if let Some(id) = id {
            self.say(Message::Extended { id, payload });
        }
    }

    /// What is to be said, taken out.
    pub(super) fn take_said(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.out)
    }

    pub(super) fn has_something_to_say(&self) -> bool {
        !self.out.is_empty()
    }

    /// Whether it takes the metadata that it asks for as fast as it asks.
    pub(super) fn takes_metadata(&self) -> bool {
        self.out.len() < METADATA_AT_ONCE
    }

    /// The name of its program.
    pub(super) fn client(&self) -> String {
        self.extended.client.clone().unwrap_or_else(|| client_name(&self.peer_id))
    }

    /// Whether it has every piece, or wants none.
    pub(super) fn is_seed(&self) -> bool {
        self.extended.upload_only || self.has_everything()
    }

    pub(super) fn has_everything(&self) -> bool {
        match &self.has {
            Some(has) => has.all(),
            None => self.early.contains(&Message::HaveAll),
        }
    }

    /// Whether it may be asked for something.
    pub(super) fn may_ask(&self) -> bool {
        self.interesting && (!self.choking_us || !self.allowed_us.is_empty())
    }

    /// It lets us have the piece while it chokes.
    pub(super) fn allow_us(&mut self, piece: PieceIndex) {
        if self.allowed_us.len() < ALLOWED && !self.allowed_us.contains(&piece) {
            self.allowed_us.push(piece);
        }
    }

    /// Remembers what it says of its pieces until their number is known.
    pub(super) fn keep_early(&mut self, message: Message) {
        match message {
            Message::Have(_) if self.early.len() < limits::REQUESTS_IN * 8 => self.early.push(message),
            Message::Bitfield(_) | Message::HaveAll | Message::HaveNone => {
                self.early.retain(|kept| matches!(kept, Message::AllowedFast(_)));
                self.early.push(message);
            }
            Message::AllowedFast(_) if self.early.len() < ALLOWED => self.early.push(message),
            _ => {}
        }
    }

    /// Letters for a list of peers, as other clients have them.
    pub(super) fn flags(&self, optimistic: bool) -> String {
        let mut flags = String::new();
        match (self.interesting, self.choking_us) {
            (true, false) => flags.push('D'),
            (true, true) => flags.push('d'),
            (false, false) => flags.push('K'),
            (false, true) => {}
        }
        match (self.interested, self.choked) {
            (true, false) => flags.push('U'),
            (true, true) => flags.push('u'),
            (false, false) => flags.push('?'),
            (false, true) => {}
        }
        let others = [
            (optimistic, 'O'),
            (self.pipeline.is_snubbed(), 'S'),
            (self.conn.is_incoming(), 'I'),
            (self.reserved.fast(), 'F'),
        ];
        flags.extend(others.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag));
        flags
    }
}
