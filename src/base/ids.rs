//! Identities: hashes, peer ids, piece indexes, blocks, and the keys under which the engine knows its parts.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The unit of a request: 16 KiB, as every client asks for (BEP 3).
pub const BLOCK_SIZE: u32 = 16 * 1024;

/// The SHA-1 hash of a torrent's `info` dictionary, its identity in BitTorrent v1 (BEP 3).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InfoHash(pub [u8; 20]);

/// The 20 bytes by which a peer names itself in one session (BEP 20).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 20]);

/// The number of a piece within its torrent, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PieceIndex(pub u32);

/// A run of bytes within one piece, at most [`BLOCK_SIZE`] long on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRef {
    /// The piece it lies in.
    pub piece: PieceIndex,
    /// Its first byte, counted from the start of the piece.
    pub begin: u32,
    /// Its length in bytes.
    pub len: u32,
}

/// The engine's key of one connection; never used twice in the life of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnKey(pub u64);

/// The engine's key of one torrent; never used twice in the life of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TorrentKey(pub u32);

impl ConnKey {
    /// The name of a connection that somebody made to us; those that we make have other names.
    pub const fn incoming(number: u64) -> Self {
        Self(number | 1 << 63)
    }

    /// Whether somebody made it to us.
    pub const fn is_incoming(self) -> bool {
        self.0 >> 63 == 1
    }
}

impl InfoHash {
    /// The 40 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl PeerId {
    /// A peer id of this program: `-FY0100-` (BEP 20, Azureus style) and twelve random characters.
    pub fn generate(rng: &mut crate::base::Rng) -> Self {
        const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut id = *b"-FY0100-000000000000";
        for byte in &mut id[8..] {
            *byte = ALPHABET[rng.below(ALPHABET.len())];
        }
        Self(id)
    }
}

impl PieceIndex {
    /// The index as an array index.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

impl BlockRef {
    /// The first byte after the block, counted from the start of the piece.
    pub const fn end(self) -> u64 {
        self.begin as u64 + self.len as u64
    }
}

/// A text that is no info-hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an info-hash has 40 hexadecimal or 32 base32 digits")]
pub struct ParseHashError;

impl FromStr for InfoHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = match text.len() {
            40 => HEXLOWER_PERMISSIVE.decode(text.as_bytes()),
            32 => BASE32.decode(text.to_ascii_uppercase().as_bytes()),
            _ => return Err(ParseHashError),
        };
        bytes.ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(ParseHashError)
    }
}

impl fmt::Display for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl Serialize for InfoHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for InfoHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_info_hash_reads_hex_and_base32() {
        let hash: InfoHash = "0123456789ABCDEF0123456789abcdef01234567".parse().expect("hex");
        assert_eq!(hash.to_hex(), "0123456789abcdef0123456789abcdef01234567");
        let text = BASE32.encode(&hash.0);
        assert_eq!(text.parse(), Ok(hash));
        assert_eq!(text.to_lowercase().parse(), Ok(hash));
        for bad in ["", "0123", &"é".repeat(20), &"g".repeat(40), &"1".repeat(32)] {
            assert_eq!(bad.parse::<InfoHash>(), Err(ParseHashError), "{bad}");
        }
    }

    #[test]
    fn peer_ids_carry_our_mark() {
        let id = PeerId::generate(&mut crate::base::Rng::new(1));
        assert!(id.0.starts_with(b"-FY0100-"));
        assert!(id.0.iter().all(u8::is_ascii_graphic));
    }
}
