//! Peer exchange (BEP 11): addresses that one peer tells another. We tell some and read none.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::bencode::Encoder;
use crate::wire::tracker::put_compact;

/// It has everything, or wants nothing more.
const SEED: u8 = 0x02;
/// It can be connected to.
const REACHABLE: u8 = 0x10;

/// Seeds that can be connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added(pub Vec<SocketAddr>);

impl Added {
    /// The payload of the message.
    pub fn encode(&self) -> Bytes {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for addr in &self.0 {
            put_compact(*addr, if addr.is_ipv4() { &mut v4 } else { &mut v6 });
        }
        let flags = |peers: usize| vec![SEED | REACHABLE; peers];
        let mut out = Encoder::new();
        out.dict(|dict| {
            dict.bytes("added", &v4).bytes("added.f", flags(v4.len() / 6));
            if !v6.is_empty() {
                dict.bytes("added6", &v6).bytes("added6.f", flags(v6.len() / 18));
            }
        });
        out.finish().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compact_and_each_has_its_flags() {
        let v4 = Added(vec!["10.0.0.1:258".parse().expect("v4"), "10.0.0.2:80".parse().expect("v4")]);
        assert_eq!(
            v4.encode()[..],
            *b"d5:added12:\x0a\0\0\x01\x01\x02\x0a\0\0\x02\0\x507:added.f2:\x12\x12e"
        );
        let v6 = Added(vec!["[2001:db8::1]:258".parse().expect("v6")]);
        let mut wanted = b"d5:added0:7:added.f0:6:added618:\x20\x01\x0d\xb8".to_vec();
        wanted.extend([[0; 11].as_slice(), b"\x01\x01\x028:added6.f1:\x12e"].concat());
        assert_eq!(v6.encode()[..], wanted);
    }
}
