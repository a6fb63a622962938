//! The bytes of a connection: what arrives becomes [`Item`]s, and items become chunks for a vectored write.
//!
//! A block is never copied on either way: what was received stays where it was read to, and what is sent is sent from where
//! the disk put it. Only the few bytes around blocks are gathered.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

use crate::peer::Item;
use crate::wire::peer::{
    HANDSHAKE_BYTES, Handshake, Message, WireError, bytes_wanted, decode, encode, encode_piece_header,
};

/// The reading side: a handshake, then messages.
#[derive(Debug, Default)]
pub struct Conn {
    greeted: bool,
}

impl Conn {
    /// Nothing was read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes everything that is whole off the front of the buffer and appends it to `items`. Another protocol is found out
    /// with its first byte, not when 68 are there.
    ///
    /// # Errors
    /// Where the other side breaks the protocol; what it said before is in `items`, and nothing after it can be read.
    pub fn read(&mut self, buffer: &mut BytesMut, items: &mut Vec<Item>) -> Result<(), WireError> {
        if !self.greeted {
            if !Handshake::may_start(buffer) {
                return Err(WireError::NotBitTorrent);
            }
            let Some(bytes) = buffer.first_chunk::<HANDSHAKE_BYTES>() else { return Ok(()) };
            let handshake = Handshake::decode(bytes)?;
            buffer.advance(HANDSHAKE_BYTES);
            self.greeted = true;
            items.push(Item::Handshake(handshake));
        }
        while let Some(message) = decode(buffer)? {
            items.push(Item::Message(message));
        }
        Ok(())
    }

    /// How many bytes are missing from what the buffer begins with; never zero after [`read`](Self::read).
    pub fn wanted(&self, buffer: &BytesMut) -> usize {
        if self.greeted {
            bytes_wanted(buffer).max(1)
        } else {
            HANDSHAKE_BYTES.saturating_sub(buffer.len()).max(1)
        }
    }
}

/// The writing side: items in, chunks of bytes out.
#[derive(Debug, Default)]
pub struct Outbox {
    chunks: VecDeque<Chunk>,
    /// What goes after the last chunk, still growing.
    heads: BytesMut,
    bytes: usize,
    block_bytes: usize,
}

#[derive(Debug)]
struct Chunk {
    bytes: Bytes,
    is_block: bool,
}

impl Outbox {
    /// Nothing to be written.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an item.
    pub fn push(&mut self, item: Item) {
        if self.heads.capacity() - self.heads.len() < HANDSHAKE_BYTES {
            self.heads.reserve(HEADS);
        }
        let before = self.heads.len();
        match item {
            Item::Handshake(handshake) => self.heads.extend_from_slice(&handshake.encode()),
            Item::Message(Message::Piece { piece, begin, data }) => {
                encode_piece_header(piece, begin, data.len(), &mut self.heads);
                self.bytes += self.heads.len() - before + data.len();
                self.block_bytes += data.len();
                self.seal();
                self.chunks.push_back(Chunk { bytes: data, is_block: true });
                return;
            }
            Item::Message(message) => encode(&message, &mut self.heads),
        }
        self.bytes += self.heads.len() - before;
    }

    /// Fills `slices` with what is to be written next, in order, and says how many it filled.
    pub fn slices<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        self.seal();
        let filled = slices.len().min(self.chunks.len());
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            *slice = IoSlice::new(&chunk.bytes);
        }
        filled
    }

    /// Takes away bytes that were written, and says how many of them were bytes of blocks.
    pub fn advance(&mut self, written: usize) -> u64 {
        let (mut left, mut blocks) = (written, 0);
        while left > 0 {
            let Some(chunk) = self.chunks.front_mut() else { break };
            let now = left.min(chunk.bytes.len());
            chunk.bytes.advance(now);
            left -= now;
            self.bytes -= now;
            if chunk.is_block {
                blocks += now;
            }
            if chunk.bytes.is_empty() {
                self.chunks.pop_front();
            }
        }
        // A block without a byte is no byte to write; it must not stay at the front.
        while self.chunks.front().is_some_and(|chunk| chunk.bytes.is_empty()) {
            self.chunks.pop_front();
        }
        self.block_bytes -= blocks;
        blocks as u64
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Bytes that wait and belong to no block.
    pub fn overhead(&self) -> usize {
        self.bytes - self.block_bytes
    }

    fn seal(&mut self) {
        if !self.heads.is_empty() {
            let bytes = self.heads.split().freeze();
            self.chunks.push_back(Chunk { bytes, is_block: false });
        }
    }
}

/// Room made at once for small messages and the heads of blocks: some fifty of them.
const HEADS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{BlockRef, InfoHash, PeerId, PieceIndex, Rng};
    use crate::wire::peer::Reserved;

    fn random_items(rng: &mut Rng) -> Vec<Item> {
        let handshake = Handshake {
            info_hash: InfoHash([rng.bits32() as u8; 20]),
            peer_id: PeerId([rng.bits32() as u8; 20]),
            reserved: Reserved::ours(),
        };
        let mut items = vec![Item::Handshake(handshake)];
        for _ in 0..rng.below(60) {
            let piece = PieceIndex(rng.bits32());
            let mut data = vec![0; rng.below(3_000)];
            rng.fill(&mut data);
            let data = Bytes::from(data);
            items.push(Item::Message(match rng.below(6) {
                0 => Message::KeepAlive,
                1 => Message::Have(piece),
                2 => Message::Request(BlockRef { piece, begin: rng.bits32(), len: rng.bits32() }),
                3 => Message::Extended { id: 3, payload: data },
                _ => Message::Piece { piece, begin: rng.bits32(), data },
            }));
        }
        items
    }

    /// Writes up to `at_most` bytes, as a socket that takes no more would.
    fn write(outbox: &mut Outbox, at_most: usize, wire: &mut BytesMut) -> u64 {
        let mut slices = [IoSlice::new(&[]); 5];
        let filled = outbox.slices(&mut slices);
        let mut left = at_most;
        for slice in &slices[..filled] {
            let now = left.min(slice.len());
            wire.extend_from_slice(&slice[..now]);
            left -= now;
        }
        outbox.advance(at_most - left)
    }

    #[test]
    fn items_cut_anywhere_on_both_sides_arrive_the_same() {
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let sent = random_items(&mut rng);
            let blocks: u64 = sent.iter().map(Item::block_bytes).sum();
            let (mut outbox, mut conn) = (Outbox::new(), Conn::new());
            let (mut wire, mut buffer) = (BytesMut::new(), BytesMut::new());
            let (mut got, mut acknowledged) = (Vec::new(), 0);
            let mut waiting = sent.iter().cloned();
            loop {
                waiting.by_ref().take(rng.below(5)).for_each(|item| outbox.push(item));
                acknowledged += write(&mut outbox, rng.below(4_000), &mut wire);
                let cut = rng.below(3_000).min(wire.len());
                buffer.extend_from_slice(&wire.split_to(cut));
                conn.read(&mut buffer, &mut got).expect("what was written");
                assert!(conn.wanted(&buffer) > 0);
                if waiting.len() == 0 && outbox.is_empty() && wire.is_empty() {
                    break;
                }
            }
            assert_eq!(got, sent, "seed {seed}");
            assert_eq!((acknowledged, outbox.len(), outbox.overhead(), buffer.len()), (blocks, 0, 0, 0));
        }
    }

    #[test]
    fn no_input_panics_and_what_is_wrong_stays_wrong() {
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let mut bytes = vec![0; rng.below(200)];
            rng.fill(&mut bytes);
            let mut buffer = BytesMut::new();
            if rng.below(4) > 0 {
                let mut outbox = Outbox::new();
                outbox.push(random_items(&mut rng).swap_remove(0));
                write(&mut outbox, 100, &mut buffer);
                // Short lengths, so that messages come about.
                bytes.iter_mut().enumerate().filter(|(at, _)| at % 7 < 3).for_each(|(_, byte)| *byte = 0);
            }
            buffer.extend_from_slice(&bytes);
            let (mut conn, mut items) = (Conn::new(), Vec::new());
            if conn.read(&mut buffer, &mut items).is_err() {
                assert!(conn.read(&mut buffer, &mut items).is_err(), "seed {seed}");
            }
        }
    }

    #[test]
    fn another_protocol_is_refused_with_its_first_byte() {
        let mut buffer = BytesMut::from(&b"G"[..]);
        assert_eq!(Conn::new().read(&mut buffer, &mut Vec::new()), Err(WireError::NotBitTorrent));
        let mut buffer = BytesMut::from(&b"\x13BitTorrent protokoll"[..]);
        assert_eq!(Conn::new().read(&mut buffer, &mut Vec::new()), Err(WireError::NotBitTorrent));
        let mut buffer = BytesMut::from(&b"\x13Bit"[..]);
        assert_eq!(Conn::new().read(&mut buffer, &mut Vec::new()), Ok(()));
    }

    #[test]
    fn a_block_is_sent_from_where_it_lies() {
        let data = Bytes::from(vec![7; 16_384]);
        let mut outbox = Outbox::new();
        outbox.push(Message::Unchoke.into());
        outbox.push(Message::Piece { piece: PieceIndex(1), begin: 0, data: data.clone() }.into());
        outbox.push(Message::Choke.into());
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(outbox.slices(&mut slices), 3);
        assert_eq!((slices[0].len(), slices[1].as_ptr(), slices[2].len()), (5 + 13, data.as_ptr(), 5));
        assert_eq!(outbox.overhead(), 5 + 13 + 5);
        assert_eq!((outbox.advance(20), outbox.advance(16_384)), (2, 16_382));
        assert_eq!((outbox.len(), outbox.advance(3), outbox.is_empty()), (3, 0, true));
    }
}
