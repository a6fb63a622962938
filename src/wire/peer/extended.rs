//! The extension protocol (BEP 10) and the messages that travel in it: metadata (BEP 9), `lt_donthave` (BEP 54) and
//! `upload_only` (BEP 21).
//!
//! Each side numbers the messages it receives. Ours are the constants here; a peer's stand in its [`Handshake::ids`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use crate::base::{PieceIndex, limits};
use crate::bencode::{self, Encoder};
use crate::wire::peer::WireError;
use crate::wire::text::printable;

/// The number of the extended handshake, the same for everybody.
pub const HANDSHAKE_ID: u8 = 0;
/// Our number for metadata messages (BEP 9).
pub const METADATA_ID: u8 = 2;
/// Our number for a piece that is no longer there (BEP 54).
pub const DONT_HAVE_ID: u8 = 3;
/// Our number for whether the peer wants anything (BEP 21).
pub const UPLOAD_ONLY_ID: u8 = 4;
/// Bytes of metadata in one message (BEP 9).
pub const METADATA_BLOCK: u32 = 16 * 1024;

/// What a peer tells of itself beyond the handshake proper (BEP 10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// Its numbers for the messages that it understands.
    pub ids: Ids,
    /// Its program's name and version.
    pub client: Option<String>,
    /// How many requests may wait at it.
    pub reqq: Option<u32>,
    /// The length of the `info` dictionary that it has, in bytes (BEP 9).
    pub metadata_size: Option<u32>,
    /// The TCP port that it listens on.
    pub port: Option<u16>,
    /// Our address as it sees it.
    pub your_ip: Option<IpAddr>,
    /// Whether it downloads nothing (BEP 21).
    pub upload_only: bool,
}

/// The numbers under which a peer understands the known extension messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    /// `ut_metadata` (BEP 9).
    pub metadata: Option<u8>,
    /// `ut_pex` (BEP 11).
    pub pex: Option<u8>,
    /// `lt_donthave` (BEP 54).
    pub dont_have: Option<u8>,
    /// `upload_only` (BEP 21).
    pub upload_only: Option<u8>,
}

/// A message about the `info` dictionary (BEP 9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// A part is asked for.
    Request {
        /// Which, counted in [`METADATA_BLOCK`]s.
        piece: u32,
    },
    /// A part.
    Data {
        /// Which.
        piece: u32,
        /// The length of the whole dictionary in bytes.
        total_size: u32,
        /// The part's bytes.
        data: Bytes,
    },
    /// A part will not be served.
    Reject {
        /// Which.
        piece: u32,
    },
}

/// A piece is no longer there (BEP 54).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DontHave(pub PieceIndex);

/// Whether the sender downloads nothing (BEP 21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadOnly(pub bool);

impl Ids {
    /// Our numbers; peer exchange has none.
    pub fn ours() -> Self {
        Self {
            metadata: Some(METADATA_ID),
            pex: None,
            dont_have: Some(DONT_HAVE_ID),
            upload_only: Some(UPLOAD_ONLY_ID),
        }
    }

    fn named(&mut self) -> [(&'static str, &mut Option<u8>); 4] {
        [
            ("lt_donthave", &mut self.dont_have),
            ("upload_only", &mut self.upload_only),
            ("ut_metadata", &mut self.metadata),
            ("ut_pex", &mut self.pex),
        ]
    }
}

impl Handshake {
    /// The first handshake of a peer.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let mut handshake = Self::default();
        handshake.update(payload)?;
        Ok(handshake)
    }

    /// A later handshake, which changes only what it names; the number 0 switches a message off (BEP 10).
    ///
    /// Fields of a wrong type or beyond their bounds are as good as absent: programs differ too much to close for them.
    pub fn update(&mut self, payload: &[u8]) -> Result<(), WireError> {
        const BAD: WireError = WireError::Extension("extended handshake");
        if payload.len() > HANDSHAKE_BYTES {
            return Err(BAD);
        }
        let (document, _) = bencode::decode_prefix(payload).map_err(|_| BAD)?;
        let root = document.root();
        if !root.is_dict() {
            return Err(BAD);
        }
        if let Some(messages) = root.get(b"m") {
            for (name, id) in self.ids.named() {
                if let Some(given) =
                    messages.get(name.as_bytes()).and_then(|node| u8::try_from(node.int()?).ok())
                {
                    *id = Some(given).filter(|given| *given != 0);
                }
            }
        }
        let number = |key: &[u8]| root.get(key).and_then(bencode::Node::int);
        if let Some(client) =
            root.get(b"v").and_then(bencode::Node::bytes).and_then(|name| printable(name, CLIENT_CHARS))
        {
            self.client = Some(client);
        }
        if let Some(reqq) = number(b"reqq").filter(|reqq| *reqq > 0) {
            self.reqq = Some(reqq.min(limits::REQUESTS_OUT as i64) as u32);
        }
        if let Some(size) = number(b"metadata_size") {
            self.metadata_size =
                u32::try_from(size).ok().filter(|size| (1..=limits::METADATA_BYTES).contains(size));
        }
        if let Some(port) = number(b"p") {
            self.port = u16::try_from(port).ok().filter(|port| *port != 0);
        }
        if let Some(address) = root.get(b"yourip").and_then(bencode::Node::bytes) {
            self.your_ip = address_from(address);
        }
        if let Some(flag) = number(b"upload_only") {
            self.upload_only = flag != 0;
        }
        Ok(())
    }

    /// The payload of an extended handshake.
    pub fn encode(&self) -> Bytes {
        let mut ids = self.ids;
        let mut out = Encoder::new();
        out.dict(|dict| {
            dict.dict("m", |messages| {
                for (name, id) in ids.named() {
                    if let Some(id) = id {
                        messages.int(name, i64::from(*id));
                    }
                }
            });
            if let Some(size) = self.metadata_size {
                dict.int("metadata_size", i64::from(size));
            }
            if let Some(port) = self.port {
                dict.int("p", i64::from(port));
            }
            if let Some(reqq) = self.reqq {
                dict.int("reqq", i64::from(reqq));
            }
            if self.upload_only {
                dict.int("upload_only", 1);
            }
            if let Some(client) = &self.client {
                dict.bytes("v", client);
            }
            match self.your_ip {
                Some(IpAddr::V4(address)) => _ = dict.bytes("yourip", address.octets()),
                Some(IpAddr::V6(address)) => _ = dict.bytes("yourip", address.octets()),
                None => {}
            }
        });
        out.finish().into()
    }
}

impl Metadata {
    /// Reads a message; nothing for a kind that nobody knows, which BEP 9 says to ignore.
    pub fn decode(payload: &Bytes) -> Result<Option<Self>, WireError> {
        const BAD: WireError = WireError::Extension("metadata");
        if payload.len() > METADATA_MESSAGE_BYTES {
            return Err(BAD);
        }
        let (document, used) = bencode::decode_prefix(payload).map_err(|_| BAD)?;
        let root = document.root();
        let number = |key: &[u8]| root.get(key).and_then(bencode::Node::int);
        let kind = number(b"msg_type").ok_or(BAD)?;
        let piece = number(b"piece").and_then(|piece| u32::try_from(piece).ok()).ok_or(BAD)?;
        Ok(match kind {
            0 => Some(Self::Request { piece }),
            1 => {
                let data = payload.slice(used..);
                let total_size =
                    number(b"total_size").and_then(|size| u32::try_from(size).ok()).ok_or(BAD)?;
                if data.is_empty()
                    || data.len() > METADATA_BLOCK as usize
                    || total_size > limits::METADATA_BYTES
                {
                    return Err(BAD);
                }
                Some(Self::Data { piece, total_size, data })
            }
            2 => Some(Self::Reject { piece }),
            _ => None,
        })
    }

    /// The payload of the message.
    pub fn encode(&self) -> Bytes {
        let (kind, piece, total, data) = match self {
            Self::Request { piece } => (0, *piece, None, None),
            Self::Data { piece, total_size, data } => (1, *piece, Some(*total_size), Some(data)),
            Self::Reject { piece } => (2, *piece, None, None),
        };
        let mut out = Encoder::append(Vec::with_capacity(64 + data.map_or(0, Bytes::len)));
        out.dict(|dict| {
            dict.int("msg_type", kind).int("piece", i64::from(piece));
            if let Some(total) = total {
                dict.int("total_size", i64::from(total));
            }
        });
        if let Some(data) = data {
            out.raw(data);
        }
        out.finish().into()
    }
}

impl DontHave {
    /// Reads the payload.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let piece = payload.try_into().map_err(|_| WireError::Extension("lt_donthave"))?;
        Ok(Self(PieceIndex(u32::from_be_bytes(piece))))
    }

    /// The payload.
    pub fn encode(self) -> Bytes {
        Bytes::copy_from_slice(&self.0.0.to_be_bytes())
    }
}

impl UploadOnly {
    /// Reads the payload.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        match payload {
            [flag] => Ok(Self(*flag != 0)),
            _ => Err(WireError::Extension("upload_only")),
        }
    }

    /// The payload.
    pub fn encode(self) -> Bytes {
        Bytes::from_static(if self.0 { &[1] } else { &[0] })
    }
}

fn address_from(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).to_canonical())
}

/// Bytes of an extended handshake that are read at all; real ones have a few hundred.
const HANDSHAKE_BYTES: usize = 64 * 1024;
/// Bytes of a metadata message: its part and a generous dictionary before it.
const METADATA_MESSAGE_BYTES: usize = METADATA_BLOCK as usize + 1024;
/// Characters of a program's name that are kept.
const CLIENT_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn full() -> Handshake {
        Handshake {
            ids: Ids { pex: Some(1), ..Ids::ours() },
            client: Some("Fyris 0.1.0".to_owned()),
            reqq: Some(500),
            metadata_size: Some(31_235),
            port: Some(6881),
            your_ip: Some([192, 168, 1, 2].into()),
            upload_only: true,
        }
    }

    #[test]
    fn a_handshake_survives_the_wire() {
        let v6 = Handshake { your_ip: Some("2001:db8::1".parse().expect("an address")), ..full() };
        for handshake in [full(), v6, Handshake::default()] {
            assert_eq!(Handshake::decode(&handshake.encode()), Ok(handshake));
        }
    }

    #[test]
    fn an_update_changes_only_what_it_names() {
        let mut handshake = full();
        handshake.update(b"d1:md11:ut_metadatai0ee11:upload_onlyi0ee").expect("an update");
        let ids = Ids { metadata: None, ..full().ids };
        assert_eq!(handshake, Handshake { ids, upload_only: false, ..full() });
    }

    #[test]
    fn boasts_and_lies_are_clamped_or_ignored() {
        let payload = b"d1:md11:ut_metadatai256e6:ut_pexi-1e11:lt_donthavei9e5:otheri3ee13:metadata_sizei2147483647e1:pi70000e\
            4:reqqi4294967296e1:v9:\x1b[31mHi\xff\x006:yourip3:abce";
        let handshake = Handshake::decode(payload).expect("readable");
        let wanted = Handshake {
            ids: Ids { dont_have: Some(9), ..Ids::default() },
            client: Some("[31mHi\u{fffd}".to_owned()),
            reqq: Some(limits::REQUESTS_OUT as u32),
            ..Handshake::default()
        };
        assert_eq!(handshake, wanted);
        let long = named(&[b'x'; 5_000]);
        assert_eq!(
            Handshake::decode(&long).expect("readable").client.map(|name| name.len()),
            Some(CLIENT_CHARS)
        );
        for bad in [&b""[..], b"i1e", b"le", b"d1:m", &named(&[b'x'; 70_000])] {
            assert!(Handshake::decode(bad).is_err());
        }
    }

    fn named(client: &[u8]) -> Vec<u8> {
        let mut out = Encoder::new();
        out.dict(|dict| _ = dict.bytes("v", client));
        out.finish()
    }

    #[test]
    fn metadata_messages_survive_the_wire() {
        for message in [
            Metadata::Request { piece: 0 },
            Metadata::Data { piece: 3, total_size: 60_000, data: Bytes::from(vec![b'e'; 16_384]) },
            Metadata::Reject { piece: u32::MAX },
        ] {
            assert_eq!(Metadata::decode(&message.encode()), Ok(Some(message)));
        }
        let unknown = Bytes::from_static(b"d8:msg_typei7e5:piecei0ee");
        assert_eq!(Metadata::decode(&unknown), Ok(None));
    }

    #[test]
    fn bad_metadata_messages_are_refused() {
        let too_much = Metadata::Data { piece: 0, total_size: 60_000, data: Bytes::from(vec![0; 16_385]) };
        for bad in [
            &too_much.encode()[..],
            b"d8:msg_typei1e5:piecei0e10:total_sizei5ee",
            b"d8:msg_typei1e5:piecei0eexxxxx",
            b"d8:msg_typei1e5:piecei0e10:total_sizei2147483647eexxxxx",
            b"d8:msg_typei0e5:piecei-1ee",
            b"d8:msg_typei0ee",
            b"i0e",
            b"",
        ] {
            assert!(Metadata::decode(&Bytes::copy_from_slice(bad)).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn small_messages_have_one_length() {
        assert_eq!(DontHave::decode(&DontHave(PieceIndex(77)).encode()), Ok(DontHave(PieceIndex(77))));
        assert_eq!(UploadOnly::decode(&UploadOnly(true).encode()), Ok(UploadOnly(true)));
        assert_eq!(UploadOnly::decode(&UploadOnly(false).encode()), Ok(UploadOnly(false)));
        for len in (0..12).filter(|len| *len != 4) {
            assert!(DontHave::decode(&vec![0; len]).is_err());
        }
        assert!(UploadOnly::decode(&[]).is_err() && UploadOnly::decode(&[1, 1]).is_err());
    }

    #[test]
    fn no_input_panics() {
        let seeds = [
            full().encode(),
            Metadata::Data { piece: 1, total_size: 20, data: Bytes::from_static(b"abc") }.encode(),
        ];
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let mut bytes = seeds[rng.below(2)].to_vec();
            for _ in 0..=rng.below(4) {
                let at = rng.below(bytes.len());
                bytes[at] = rng.bits32() as u8;
            }
            bytes.truncate(rng.below(bytes.len() + 1));
            _ = Handshake::decode(&bytes);
            _ = Metadata::decode(&bytes.into());
        }
    }
}
