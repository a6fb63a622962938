//! Who sent which block, and who lied when a piece turns out wrong.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use crate::base::{BLOCK_SIZE, BlockRef, ConnKey, PieceIndex};

/// The SHA-1 of one block.
pub type Digest = [u8; 20];

/// Digests remembered of wrong pieces, over all of them.
const DIGESTS: usize = 64 * 1024;
/// Wrong versions remembered of one piece.
const VERSIONS: usize = 4;
/// A piece that was wrong so often is asked of one peer alone.
const PAROLE: usize = 2;
/// No sender is known.
const NOBODY: u16 = u16::MAX;

/// Somebody who sends blocks, as far as it can be told after it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender {
    /// The connection.
    pub conn: ConnKey,
    /// Where it was.
    pub addr: SocketAddr,
}

/// What follows from a wrong piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blame {
    /// Those who certainly lied.
    pub liars: Vec<Sender>,
    /// Whether the piece is to be asked of one peer alone from now on.
    pub parole: bool,
}

/// The memory of who sent what.
///
/// A wrong piece that came from several peers accuses nobody yet. Its blocks are compared with those of the right piece when
/// that has come: whoever sent a block that differs has lied.
#[derive(Debug, Default)]
pub struct Trust {
    /// Pieces that are being fetched.
    fetched: HashMap<PieceIndex, Senders>,
    /// Wrong versions of pieces, the earliest first.
    wrong: BTreeMap<PieceIndex, Vec<Version>>,
    /// Pieces in `wrong`, in the order they went wrong for the first time.
    order: Vec<PieceIndex>,
    digests: usize,
}

/// Who sent the blocks of a piece.
#[derive(Clone, Debug, Default)]
struct Senders {
    who: Vec<Sender>,
    /// The place in `who` for each block.
    blocks: Vec<u16>,
}

#[derive(Debug)]
struct Version {
    senders: Senders,
    digests: Vec<Digest>,
}

impl Senders {
    fn of(&self, block: usize) -> Option<Sender> {
        self.who.get(usize::from(*self.blocks.get(block)?)).copied()
    }

    /// The one who sent all of `count` blocks.
    fn only(&self, count: usize) -> Option<Sender> {
        let all = self.blocks.len() == count && self.blocks.iter().all(|block| *block == 0);
        if all { self.who.first().copied() } else { None }
    }
}

impl Trust {
    /// Nobody is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// A block has come and was kept.
    pub fn sent(&mut self, block: BlockRef, sender: Sender) {
        let senders = self.fetched.entry(block.piece).or_default();
        let number = (block.begin / BLOCK_SIZE) as usize;
        let at = match senders.who.iter().rposition(|who| *who == sender) {
            Some(at) => at,
            None if senders.who.len() < usize::from(NOBODY) => {
                senders.who.push(sender);
                senders.who.len() - 1
            }
            None => return,
        };
        if senders.blocks.len() <= number {
            senders.blocks.resize(number + 1, NOBODY);
        }
        senders.blocks[number] = at as u16;
    }

    /// The piece is wrong; `digests` are those of its blocks, in order.
    pub fn blame(&mut self, piece: PieceIndex, digests: Vec<Digest>) -> Blame {
        let senders = self.fetched.remove(&piece).unwrap_or_default();
        if let Some(liar) = senders.only(digests.len()) {
            return Blame { liars: vec![liar], parole: self.wrong.contains_key(&piece) };
        }
        let mut liars = Vec::new();
        let versions = self.wrong.entry(piece).or_default();
        if versions.is_empty() {
            self.order.push(piece);
        }
        for version in versions.iter() {
            // Who sent the same block in two versions has lied at least once.
            let changed =
                (0..digests.len()).filter(|block| version.digests.get(*block) != digests.get(*block));
            let twice = changed.filter_map(|block| {
                senders
                    .of(block)
                    .filter(|who| version.senders.of(block).is_some_and(|it| it.addr == who.addr))
            });
            liars.extend(twice);
        }
        self.digests += digests.len();
        versions.push(Version { senders, digests });
        if versions.len() > VERSIONS {
            self.digests -= versions.remove(0).digests.len();
        }
        let parole = versions.len() >= PAROLE;
        self.forget_oldest();
        Blame { liars: distinct(liars), parole }
    }

    /// Whether the piece was wrong before, so that the digests of its right blocks tell who lied.
    pub fn is_suspect(&self, piece: PieceIndex) -> bool {
        self.wrong.contains_key(&piece)
    }

    /// The piece is right; `digests` are those of its blocks, needed only where it [was wrong before](Self::is_suspect).
    /// Returns those who sent wrong blocks.
    pub fn acquit(&mut self, piece: PieceIndex, digests: &[Digest]) -> Vec<Sender> {
        self.fetched.remove(&piece);
        let versions = self.wrong.remove(&piece).unwrap_or_default();
        self.order.retain(|other| *other != piece);
        let mut liars = Vec::new();
        for version in versions {
            self.digests -= version.digests.len();
            let pairs = version.digests.iter().zip(digests).enumerate();
            let lies = pairs.filter(|(_, (theirs, right))| theirs != right);
            liars.extend(lies.filter_map(|(block, _)| version.senders.of(block)));
        }
        distinct(liars)
    }

    /// The blocks of the piece were thrown away for another reason than a wrong hash.
    pub fn forget(&mut self, piece: PieceIndex) {
        self.fetched.remove(&piece);
    }

    /// Keeps the memory within its bounds.
    fn forget_oldest(&mut self) {
        while self.digests > DIGESTS && self.order.len() > 1 {
            let piece = self.order.remove(0);
            let versions = self.wrong.remove(&piece).unwrap_or_default();
            self.digests -= versions.iter().map(|version| version.digests.len()).sum::<usize>();
        }
    }
}

/// One of each, in a fixed order.
fn distinct(mut senders: Vec<Sender>) -> Vec<Sender> {
    senders.sort_unstable();
    senders.dedup_by_key(|sender| sender.addr);
    senders
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: PieceIndex = PieceIndex(3);

    fn who(number: u16) -> Sender {
        Sender { conn: ConnKey(number.into()), addr: SocketAddr::from(([10, 0, 0, 1], 1_000 + number)) }
    }

    fn send(trust: &mut Trust, senders: &[u16]) {
        for (block, sender) in senders.iter().enumerate() {
            let begin = block as u32 * BLOCK_SIZE;
            trust.sent(BlockRef { piece: PIECE, begin, len: BLOCK_SIZE }, who(*sender));
        }
    }

    fn digests(of: &[u8]) -> Vec<Digest> {
        of.iter().map(|byte| [*byte; 20]).collect()
    }

    #[test]
    fn who_sent_a_whole_wrong_piece_has_lied() {
        let mut trust = Trust::new();
        send(&mut trust, &[7, 7, 7]);
        let blame = trust.blame(PIECE, digests(&[1, 2, 9]));
        assert_eq!(blame, Blame { liars: vec![who(7)], parole: false });
        assert!(!trust.is_suspect(PIECE));
    }

    #[test]
    fn only_the_one_whose_block_differs_has_lied() {
        let mut trust = Trust::new();
        send(&mut trust, &[1, 2, 3, 1]);
        assert_eq!(trust.blame(PIECE, digests(&[1, 9, 3, 4])), Blame::default());
        assert!(trust.is_suspect(PIECE));
        send(&mut trust, &[3, 3, 2, 2]);
        assert_eq!(trust.acquit(PIECE, &digests(&[1, 2, 3, 4])), [who(2)]);
        assert!(!trust.is_suspect(PIECE) && trust.acquit(PIECE, &digests(&[0; 4])).is_empty());
    }

    #[test]
    fn who_sends_two_versions_of_a_block_has_lied_and_the_piece_goes_on_parole() {
        let mut trust = Trust::new();
        send(&mut trust, &[1, 2]);
        assert!(!trust.blame(PIECE, digests(&[1, 9])).parole);
        send(&mut trust, &[1, 2]);
        assert_eq!(trust.blame(PIECE, digests(&[1, 8])), Blame { liars: vec![who(2)], parole: true });
        send(&mut trust, &[3, 4]);
        assert_eq!(trust.blame(PIECE, digests(&[1, 7])), Blame { liars: vec![], parole: true });
        assert_eq!(trust.acquit(PIECE, &digests(&[1, 2])), [who(2), who(4)]);
    }

    #[test]
    fn blocks_of_unknown_origin_accuse_nobody() {
        let mut trust = Trust::new();
        trust.sent(BlockRef { piece: PIECE, begin: BLOCK_SIZE, len: 5 }, who(1));
        assert_eq!(trust.blame(PIECE, digests(&[1, 2, 3])), Blame::default());
        assert_eq!(trust.acquit(PIECE, &digests(&[4, 2, 3])), []);
        send(&mut trust, &[1, 1]);
        trust.forget(PIECE);
        assert_eq!(trust.blame(PIECE, digests(&[1, 2])), Blame::default());
    }

    #[test]
    fn memory_is_bounded() {
        let mut trust = Trust::new();
        for piece in (0..5_000).map(PieceIndex) {
            for (begin, sender) in [(0, 1), (BLOCK_SIZE, 2)] {
                trust.sent(BlockRef { piece, begin, len: BLOCK_SIZE }, who(sender));
            }
            trust.blame(piece, digests(&[0; 64]));
        }
        assert!(trust.digests <= DIGESTS && trust.order.len() == trust.wrong.len());
        assert!(trust.is_suspect(PieceIndex(4_999)) && !trust.is_suspect(PieceIndex(0)));
        for _ in 0..20 {
            trust.blame(PieceIndex(4_999), digests(&[0; 64]));
        }
        assert_eq!(trust.wrong[&PieceIndex(4_999)].len(), VERSIONS);
    }
}
