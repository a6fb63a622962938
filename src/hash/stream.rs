//! One message at a time, through the `sha1` and `sha2` crates, which use the processor's own instructions where it has them.

use sha1::Digest as _;

/// The SHA-1 digest of one message.
pub fn sha1(message: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(message).into()
}

/// The SHA-256 digest of one message.
pub fn sha256(message: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(message).into()
}

/// A SHA-1 digest of a message that comes in parts.
#[derive(Clone, Default)]
pub struct Sha1(sha1::Sha1);

impl Sha1 {
    /// A digest of nothing so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The digest of all parts.
    pub fn finish(self) -> [u8; 20] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn published_vectors() {
        for (message, hash) in [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
        ] {
            assert_eq!(HEXLOWER.encode(&sha1(message.as_bytes())), hash);
        }
        assert_eq!(
            HEXLOWER.encode(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn parts_make_the_digest_of_the_whole() {
        let message: Vec<u8> = (0..1_000u32).map(|at| at as u8).collect();
        for cut in [0, 1, 63, 64, 65, 999] {
            let mut digest = Sha1::new();
            digest.update(&message[..cut]);
            digest.update(&message[cut..]);
            assert_eq!(digest.finish(), sha1(&message));
        }
    }
}
