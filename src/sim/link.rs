//! What connects one host with the others: how fast, how far, and whether it can be reached at all.

use std::collections::VecDeque;

use crate::base::{Moment, Rng, Span};
use crate::peer::Item;
use crate::sim::wires::Pipe;
use crate::wire::peer::{HANDSHAKE_BYTES, Message};

/// A host's way to the network.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Bytes per second out.
    pub up: u64,
    /// Bytes per second in.
    pub down: u64,
    /// How long everything takes from here to the middle of the network, besides waiting.
    pub delay: Span,
    /// By how much more that may vary; what one connection carries stays in order.
    pub jitter: Span,
    /// Whether others can connect to it; behind a NAT they cannot.
    pub reachable: bool,
}

impl Link {
    /// As fast both ways, near, and reachable.
    pub fn symmetric(rate: u64) -> Self {
        Self { up: rate, down: rate, ..Self::default() }
    }

    /// The time from this host to another.
    pub(super) fn way_to(&self, other: &Self, rng: &mut Rng) -> Span {
        let jitter = self.jitter + other.jitter;
        let more = Span::from_micros(rng.below(jitter.micros() as usize + 1) as u64);
        self.delay + other.delay + more
    }
}

impl Default for Link {
    /// A machine in the same building.
    fn default() -> Self {
        Self {
            up: 1_000_000_000,
            down: 1_000_000_000,
            delay: Span::from_micros(100),
            jitter: Span::ZERO,
            reachable: true,
        }
    }
}

/// The bytes that something said takes on a connection.
pub fn wire_bytes(item: &Item) -> u64 {
    let Item::Message(message) = item else { return HANDSHAKE_BYTES as u64 };
    4 + match message {
        Message::KeepAlive => 0,
        Message::Choke
        | Message::Unchoke
        | Message::Interested
        | Message::NotInterested
        | Message::HaveAll
        | Message::HaveNone => 1,
        Message::Have(_) | Message::Suggest(_) | Message::AllowedFast(_) => 5,
        Message::Bitfield(bits) => 1 + bits.len() as u64,
        Message::Request(_) | Message::Cancel(_) | Message::Reject(_) => 13,
        Message::Piece { data, .. } => 9 + data.len() as u64,
        Message::Port(_) => 3,
        Message::Extended { payload, .. } => 2 + payload.len() as u64,
    }
}

/// How long `bytes` take at `rate`, never less.
pub(super) fn time_for(bytes: u64, rate: u64) -> Span {
    Span::from_micros((bytes * 1_000_000).div_ceil(rate.max(1)))
}

/// The way out of a host: one parcel at a time, its connections in turn.
#[derive(Debug, Default)]
pub(super) struct Uplink {
    /// What is on its way out now.
    pub(super) busy: Option<(Pipe, Parcel)>,
    /// The connections that have something to send.
    pub(super) round: VecDeque<Pipe>,
    /// Bytes that have gone out.
    pub(super) sent: u64,
}

/// The way into a host: first come, first served.
#[derive(Debug, Default)]
pub(super) struct Downlink {
    /// When everything that has come is through.
    pub(super) free_at: Moment,
    /// Connections of which something is on its way.
    pub(super) busy_pipes: u64,
    /// Bytes that have come in.
    pub(super) received: u64,
}

/// Things said one after the other that travel together.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) items: Vec<Item>,
    pub(super) bytes: u64,
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};

    use super::*;
    use crate::base::{BlockRef, PieceIndex};
    use crate::wire::peer::encode;

    #[test]
    fn sizes_are_those_of_the_codec() {
        let block = BlockRef { piece: PieceIndex(1), begin: 0, len: 16_384 };
        let messages = [
            Message::KeepAlive,
            Message::Choke,
            Message::HaveAll,
            Message::Have(PieceIndex(3)),
            Message::AllowedFast(PieceIndex(3)),
            Message::Bitfield(Bytes::from_static(&[1, 2, 3])),
            Message::Request(block),
            Message::Reject(block),
            Message::Piece { piece: PieceIndex(1), begin: 0, data: Bytes::from(vec![0; 16_384]) },
            Message::Port(9),
            Message::Extended { id: 1, payload: Bytes::from_static(b"de") },
        ];
        for message in messages {
            let mut out = BytesMut::new();
            encode(&message, &mut out);
            let item = Item::from(message);
            assert_eq!(wire_bytes(&item), out.len() as u64, "{item:?}");
        }
    }
}
