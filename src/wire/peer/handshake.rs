//! The handshake, the first 68 bytes each way (BEP 3), and the extensions announced in its reserved bytes.

use std::fmt;

use crate::base::{InfoHash, PeerId};
use crate::wire::peer::WireError;

/// The length of a handshake on the wire.
pub const HANDSHAKE_BYTES: usize = 68;

/// What both sides say first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The torrent the connection is about.
    pub info_hash: InfoHash,
    /// Who is speaking.
    pub peer_id: PeerId,
    /// What the speaker can do beyond BEP 3.
    pub reserved: Reserved,
}

/// The eight reserved bytes: one bit for each extension that changes how the connection is spoken.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserved(pub [u8; 8]);

impl Handshake {
    /// The 68 bytes.
    pub fn encode(&self) -> [u8; HANDSHAKE_BYTES] {
        let mut bytes = [0; HANDSHAKE_BYTES];
        bytes[..20].copy_from_slice(PROTOCOL);
        bytes[20..28].copy_from_slice(&self.reserved.0);
        bytes[28..48].copy_from_slice(&self.info_hash.0);
        bytes[48..].copy_from_slice(&self.peer_id.0);
        bytes
    }

    /// Reads the 68 bytes.
    pub fn decode(bytes: &[u8; HANDSHAKE_BYTES]) -> Result<Self, WireError> {
        let (protocol, rest) = bytes.split_at(20);
        let (reserved, rest) = rest.split_at(8);
        let (info_hash, peer_id) = rest.split_at(20);
        if protocol != PROTOCOL {
            return Err(WireError::NotBitTorrent);
        }
        let mut handshake = Self {
            info_hash: InfoHash::default(),
            peer_id: PeerId::default(),
            reserved: Reserved::default(),
        };
        handshake.reserved.0.copy_from_slice(reserved);
        handshake.info_hash.0.copy_from_slice(info_hash);
        handshake.peer_id.0.copy_from_slice(peer_id);
        Ok(handshake)
    }

    /// Whether these first bytes, be they still too few, can be the start of a handshake.
    pub fn may_start(bytes: &[u8]) -> bool {
        let len = bytes.len().min(PROTOCOL.len());
        bytes[..len] == PROTOCOL[..len]
    }
}

impl Reserved {
    /// What this program speaks: the Fast extension and the extension protocol.
    pub fn ours() -> Self {
        Self([0, 0, 0, 0, 0, EXTENDED, 0, FAST])
    }

    /// The same, with the DHT announced as well (BEP 5).
    pub fn with_dht(mut self) -> Self {
        self.0[7] |= DHT;
        self
    }

    /// The Fast extension (BEP 6).
    pub fn fast(&self) -> bool {
        self.0[7] & FAST != 0
    }

    /// The extension protocol (BEP 10).
    pub fn extended(&self) -> bool {
        self.0[5] & EXTENDED != 0
    }

    /// The DHT (BEP 5).
    pub fn dht(&self) -> bool {
        self.0[7] & DHT != 0
    }
}

impl fmt::Debug for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";
const EXTENDED: u8 = 0x10;
const FAST: u8 = 0x04;
const DHT: u8 = 0x01;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_survives_the_wire() {
        let handshake = Handshake {
            info_hash: InfoHash([7; 20]),
            peer_id: PeerId(*b"-FY0100-abcdefghijkl"),
            reserved: Reserved::ours().with_dht(),
        };
        let bytes = handshake.encode();
        assert_eq!(Handshake::decode(&bytes), Ok(handshake));
        assert!(handshake.reserved.fast() && handshake.reserved.extended() && handshake.reserved.dht());
        assert!(!Reserved::ours().dht() && !Reserved::default().fast());
        for len in 0..bytes.len() {
            assert!(Handshake::may_start(&bytes[..len]));
        }
    }

    #[test]
    fn other_protocols_are_told_apart_by_their_first_bytes() {
        for other in [&b"GET / HTTP/1.1\r\n"[..], b"\x13BitTorrent Protocol", b"\x16\x03\x01", b"\x12"] {
            assert!(!Handshake::may_start(other));
        }
        let mut bytes = [0; HANDSHAKE_BYTES];
        bytes[..20].copy_from_slice(b"\x13bitTorrent protocol");
        assert_eq!(Handshake::decode(&bytes), Err(WireError::NotBitTorrent));
    }
}
