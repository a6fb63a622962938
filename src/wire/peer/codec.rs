//! Messages out of and into a buffer: a length, a kind, a body (BEP 3, 5, 6, 10).
//!
//! A length is judged as soon as its kind is known, before a byte of the body is awaited. A block is split off the buffer
//! it was received in and never copied.

use bytes::{Buf, BufMut, BytesMut};

use crate::base::{BLOCK_SIZE, BlockRef, PieceIndex, limits};
use crate::wire::peer::{Message, WireError};

/// Takes the next message off the front of the buffer; nothing where it is not all there yet.
///
/// Messages of a kind that nobody knows are dropped on the way, as BEP 3 leaves room for later ones.
pub fn decode(buffer: &mut BytesMut) -> Result<Option<Message>, WireError> {
    loop {
        let Some(frame) = Frame::peek(buffer)? else { return Ok(None) };
        if buffer.len() < frame.total() {
            return Ok(None);
        }
        let Some(id) = frame.id else {
            buffer.advance(4);
            return Ok(Some(Message::KeepAlive));
        };
        let mut body = buffer.split_to(frame.total());
        body.advance(5);
        if let Some(message) = decode_body(id, body) {
            return Ok(Some(message));
        }
    }
}

/// How many more bytes the message at the front needs, so that a reader can make room for all of them at once; zero where
/// it is all there.
pub fn bytes_wanted(buffer: &BytesMut) -> usize {
    match Frame::peek(buffer) {
        Ok(Some(frame)) => frame.total().saturating_sub(buffer.len()),
        Ok(None) => 5_usize.saturating_sub(buffer.len()),
        Err(_) => 0,
    }
}

/// Appends one message.
pub fn encode(message: &Message, out: &mut BytesMut) {
    match message {
        Message::KeepAlive => out.put_u32(0),
        Message::Choke => put_head(out, CHOKE, 0),
        Message::Unchoke => put_head(out, UNCHOKE, 0),
        Message::Interested => put_head(out, INTERESTED, 0),
        Message::NotInterested => put_head(out, NOT_INTERESTED, 0),
        Message::Have(piece) => put_piece(out, HAVE, *piece),
        Message::Bitfield(bits) => {
            put_head(out, BITFIELD, bits.len());
            out.put_slice(bits);
        }
        Message::Request(block) => put_block(out, REQUEST, block),
        Message::Piece { piece, begin, data } => {
            encode_piece_header(*piece, *begin, data.len(), out);
            out.put_slice(data);
        }
        Message::Cancel(block) => put_block(out, CANCEL, block),
        Message::Port(port) => {
            put_head(out, PORT, 2);
            out.put_u16(*port);
        }
        Message::Suggest(piece) => put_piece(out, SUGGEST, *piece),
        Message::HaveAll => put_head(out, HAVE_ALL, 0),
        Message::HaveNone => put_head(out, HAVE_NONE, 0),
        Message::Reject(block) => put_block(out, REJECT, block),
        Message::AllowedFast(piece) => put_piece(out, ALLOWED_FAST, *piece),
        Message::Extended { id, payload } => {
            put_head(out, EXTENDED, payload.len() + 1);
            out.put_u8(*id);
            out.put_slice(payload);
        }
    }
}

/// Appends the 13 bytes that go before a block of `len` bytes, for a writer that sends the block itself from where it is.
pub fn encode_piece_header(piece: PieceIndex, begin: u32, len: usize, out: &mut BytesMut) {
    put_head(out, PIECE, len + 8);
    out.put_u32(piece.0);
    out.put_u32(begin);
}

/// The length and kind of the message at the front of a buffer, already judged.
struct Frame {
    len: u32,
    id: Option<u8>,
}

impl Frame {
    fn peek(buffer: &[u8]) -> Result<Option<Self>, WireError> {
        let Some((len, rest)) = buffer.split_first_chunk::<4>() else { return Ok(None) };
        let len = u32::from_be_bytes(*len);
        if len == 0 {
            return Ok(Some(Self { len, id: None }));
        }
        if len as usize > limits::MESSAGE_BYTES {
            return Err(WireError::TooLong(len));
        }
        let Some(&id) = rest.first() else { return Ok(None) };
        let fits = match id {
            CHOKE | UNCHOKE | INTERESTED | NOT_INTERESTED | HAVE_ALL | HAVE_NONE => len == 1,
            HAVE | SUGGEST | ALLOWED_FAST => len == 5,
            BITFIELD => len - 1 <= limits::PIECES.div_ceil(8),
            REQUEST | CANCEL | REJECT => len == 13,
            PIECE => (9..=9 + BLOCK_SIZE).contains(&len),
            PORT => len == 3,
            EXTENDED => len >= 2,
            _ => true,
        };
        if fits { Ok(Some(Self { len, id: Some(id) })) } else { Err(WireError::WrongLength { id, len }) }
    }

    fn total(&self) -> usize {
        4 + self.len as usize
    }
}

/// The message in a body whose length [`Frame::peek`] has found right.
fn decode_body(id: u8, mut body: BytesMut) -> Option<Message> {
    Some(match id {
        CHOKE => Message::Choke,
        UNCHOKE => Message::Unchoke,
        INTERESTED => Message::Interested,
        NOT_INTERESTED => Message::NotInterested,
        HAVE => Message::Have(PieceIndex(body.get_u32())),
        BITFIELD => Message::Bitfield(body.freeze()),
        REQUEST => Message::Request(take_block(&mut body)),
        PIECE => {
            let (piece, begin) = (PieceIndex(body.get_u32()), body.get_u32());
            Message::Piece { piece, begin, data: body.freeze() }
        }
        CANCEL => Message::Cancel(take_block(&mut body)),
        PORT => Message::Port(body.get_u16()),
        SUGGEST => Message::Suggest(PieceIndex(body.get_u32())),
        HAVE_ALL => Message::HaveAll,
        HAVE_NONE => Message::HaveNone,
        REJECT => Message::Reject(take_block(&mut body)),
        ALLOWED_FAST => Message::AllowedFast(PieceIndex(body.get_u32())),
        EXTENDED => {
            let id = body.get_u8();
            Message::Extended { id, payload: body.freeze() }
        }
        _ => return None,
    })
}

fn take_block(body: &mut BytesMut) -> BlockRef {
    BlockRef { piece: PieceIndex(body.get_u32()), begin: body.get_u32(), len: body.get_u32() }
}

fn put_head(out: &mut BytesMut, id: u8, body_bytes: usize) {
    out.put_u32(1 + body_bytes as u32);
    out.put_u8(id);
}

fn put_piece(out: &mut BytesMut, id: u8, piece: PieceIndex) {
    put_head(out, id, 4);
    out.put_u32(piece.0);
}

fn put_block(out: &mut BytesMut, id: u8, block: &BlockRef) {
    put_head(out, id, 12);
    out.put_u32(block.piece.0);
    out.put_u32(block.begin);
    out.put_u32(block.len);
}

const CHOKE: u8 = 0;
const UNCHOKE: u8 = 1;
const INTERESTED: u8 = 2;
const NOT_INTERESTED: u8 = 3;
const HAVE: u8 = 4;
const BITFIELD: u8 = 5;
const REQUEST: u8 = 6;
const PIECE: u8 = 7;
const CANCEL: u8 = 8;
const PORT: u8 = 9;
const SUGGEST: u8 = 13;
const HAVE_ALL: u8 = 14;
const HAVE_NONE: u8 = 15;
const REJECT: u8 = 16;
const ALLOWED_FAST: u8 = 17;
const EXTENDED: u8 = 20;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Rng;

    fn random_message(rng: &mut Rng) -> Message {
        let mut bytes = vec![0; rng.below(400)];
        rng.fill(&mut bytes);
        let payload = Bytes::from(bytes);
        let piece = PieceIndex(rng.bits32());
        let block = BlockRef { piece, begin: rng.bits32(), len: rng.bits32() };
        match rng.below(17) {
            0 => Message::KeepAlive,
            1 => Message::Choke,
            2 => Message::Unchoke,
            3 => Message::Interested,
            4 => Message::NotInterested,
            5 => Message::Have(piece),
            6 => Message::Bitfield(payload),
            7 => Message::Request(block),
            8 => Message::Piece { piece, begin: rng.bits32(), data: payload },
            9 => Message::Cancel(block),
            10 => Message::Port(rng.bits32() as u16),
            11 => Message::Suggest(piece),
            12 => Message::HaveAll,
            13 => Message::HaveNone,
            14 => Message::Reject(block),
            15 => Message::AllowedFast(piece),
            _ => Message::Extended { id: rng.bits32() as u8, payload },
        }
    }

    #[test]
    fn messages_cut_anywhere_read_the_same() {
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let sent: Vec<_> = (0..rng.below(60)).map(|_| random_message(&mut rng)).collect();
            let mut wire = BytesMut::new();
            for message in &sent {
                encode(message, &mut wire);
                if rng.below(10) == 0 {
                    wire.put_slice(&[0, 0, 0, 3, 0x77, 1, 2]);
                }
            }
            let (mut buffer, mut got) = (BytesMut::new(), Vec::new());
            while !wire.is_empty() {
                let cut = (1 + rng.below(300)).min(wire.len());
                buffer.put_slice(&wire.split_to(cut));
                while let Some(message) = decode(&mut buffer).expect("what was encoded") {
                    got.push(message);
                }
                assert!(bytes_wanted(&buffer) > 0);
            }
            assert_eq!(got, sent, "seed {seed}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn no_input_panics() {
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let mut bytes = vec![0; rng.below(64)];
            rng.fill(&mut bytes);
            if let [a, b, c, ..] = &mut bytes[..] {
                (*a, *b, *c) = (0, 0, 0);
            }
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = decode(&mut buffer) {}
        }
    }

    #[test]
    fn every_kind_refuses_every_wrong_length_at_once() {
        let right: [(u8, &[u32]); 15] = [
            (0, &[1]),
            (1, &[1]),
            (2, &[1]),
            (3, &[1]),
            (4, &[5]),
            (6, &[13]),
            (7, &[9, 10, 16_393]),
            (8, &[13]),
            (9, &[3]),
            (13, &[5]),
            (14, &[1]),
            (15, &[1]),
            (16, &[13]),
            (17, &[5]),
            (20, &[2, 1_048_576]),
        ];
        for (id, lens) in right {
            for len in (1..40).chain([16_392, 16_393, 16_394, 65_536, 1_048_576]) {
                let mut buffer = BytesMut::new();
                buffer.put_u32(len);
                buffer.put_u8(id);
                let fits = match id {
                    7 => (9..=16_393).contains(&len),
                    20 => len >= 2,
                    _ => lens.contains(&len),
                };
                match decode(&mut buffer) {
                    Err(WireError::WrongLength { .. }) => assert!(!fits, "{id} {len}"),
                    Ok(_) => assert!(fits, "{id} {len}"),
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }

    #[test]
    fn a_length_beyond_any_message_is_refused_before_its_kind_is_known() {
        for len in [limits::MESSAGE_BYTES as u32 + 1, u32::MAX, 0x8000_0000, u32::from_be_bytes(*b"HTTP")] {
            let mut buffer = BytesMut::from(&len.to_be_bytes()[..]);
            assert_eq!(decode(&mut buffer), Err(WireError::TooLong(len)));
        }
        let mut bits = BytesMut::new();
        bits.put_u32(limits::PIECES / 8 + 2);
        bits.put_u8(BITFIELD);
        assert!(matches!(decode(&mut bits), Err(WireError::WrongLength { id: BITFIELD, .. })));
    }

    #[test]
    fn a_block_is_not_copied() {
        let mut buffer = BytesMut::new();
        encode_piece_header(PieceIndex(3), 16_384, 16_384, &mut buffer);
        assert_eq!((buffer.len(), bytes_wanted(&buffer)), (13, 16_384));
        buffer.put_bytes(9, 16_384);
        let at = buffer[13..].as_ptr();
        match decode(&mut buffer) {
            Ok(Some(Message::Piece { piece: PieceIndex(3), begin: 16_384, data })) => {
                assert_eq!((data.len(), data.as_ptr()), (16_384, at));
            }
            other => panic!("{other:?}"),
        }
    }
}
