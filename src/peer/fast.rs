//! The pieces that a peer may have although it is choked (BEP 6).

use std::net::IpAddr;

use crate::base::{InfoHash, PieceIndex};
use crate::hash::sha1;

/// The first `count` pieces that follow from a peer's address and the torrent, as every program computes them.
///
/// Only IPv4 addresses have such a set (BEP 6).
pub fn allowed_fast_set(ip: IpAddr, torrent: InfoHash, piece_count: u32, count: usize) -> Vec<PieceIndex> {
    let IpAddr::V4(ip) = ip.to_canonical() else { return Vec::new() };
    let count = count.min(piece_count as usize);
    let [a, b, c, _] = ip.octets();
    let mut seed = vec![a, b, c, 0];
    seed.extend(torrent.0);
    let mut digest = sha1(&seed);
    let mut set = Vec::with_capacity(count);
    while set.len() < count {
        for word in digest.chunks_exact(4) {
            let word = word.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
            let piece = PieceIndex(word % piece_count);
            if set.len() < count && !set.contains(&piece) {
                set.push(piece);
            }
        }
        digest = sha1(&digest);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_bep_6_comes_out() {
        let torrent = InfoHash([0xaa; 20]);
        let set = allowed_fast_set([80, 4, 4, 200].into(), torrent, 1313, 9);
        let numbers: Vec<u32> = set.iter().map(|piece| piece.0).collect();
        assert_eq!(numbers, [1059, 431, 808, 1217, 287, 376, 1188, 353, 508]);
    }

    #[test]
    fn a_small_torrent_has_a_small_set() {
        let set = allowed_fast_set([10, 0, 0, 1].into(), InfoHash([1; 20]), 3, 10);
        assert_eq!(set.len(), 3);
        assert!(allowed_fast_set([10, 0, 0, 1].into(), InfoHash([1; 20]), 0, 10).is_empty());
        assert!(allowed_fast_set("::1".parse().expect("an address"), InfoHash([1; 20]), 9, 10).is_empty());
    }
}
