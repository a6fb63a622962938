//! Hybrid torrents (BEP 52): their `file tree` must tell of the same files as the v1 part.

use crate::bencode::Node;

/// One file as a torrent names it: its raw path below the torrent's name, and its length.
pub(super) type RawFile<'a> = (Vec<&'a [u8]>, u64);

/// Whether the files of the tree are `files`, in the same order; padding is not among them.
pub(super) fn agrees<'a>(tree: Node<'a>, files: impl Iterator<Item = RawFile<'a>>) -> bool {
    let mut walk = Walk { open: vec![(Vec::new(), tree)], failed: false };
    files.map(Some).chain([None]).all(|file| walk.next_file() == file) && !walk.failed
}

/// A walk over the tree in its own order, without recursion.
struct Walk<'a> {
    /// What is still to be visited, the next on top, each with the path that leads to it.
    open: Vec<(Vec<&'a [u8]>, Node<'a>)>,
    failed: bool,
}

impl<'a> Walk<'a> {
    fn next_file(&mut self) -> Option<RawFile<'a>> {
        while let Some((path, node)) = self.open.pop() {
            // The properties of a file stand under an empty name.
            if let Some(properties) = node.get(b"") {
                let link =
                    properties.get(b"attr").and_then(Node::bytes).is_some_and(|attr| attr.contains(&b'l'));
                let length = if link { Some(0) } else { properties.get(b"length").and_then(Node::int) };
                let length = length.and_then(|length| u64::try_from(length).ok());
                self.failed |= length.is_none();
                return Some((path, length?));
            }
            self.failed |= !node.is_dict();
            let below = node.dict().map(|(name, node)| ([&path[..], &[name]].concat(), node));
            let first = self.open.len();
            self.open.extend(below);
            self.open[first..].reverse();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bencode::decode;

    #[test]
    fn a_tree_is_walked_in_order() {
        let tree = b"d1:ad1:xd0:d6:lengthi1eee1:yd0:d6:lengthi2eeee1:bd0:d6:lengthi0eeee";
        let files: [RawFile<'_>; 3] = [(vec![b"a", b"x"], 1), (vec![b"a", b"y"], 2), (vec![b"b"], 0)];
        let document = decode(tree).expect("a tree");
        assert!(agrees(document.root(), files.iter().cloned()));
        assert!(!agrees(document.root(), files[..2].iter().cloned()));
        assert!(!agrees(document.root(), files.iter().cloned().chain([(vec![&b"c"[..]], 1)])));
        assert!(!agrees(document.root(), files.iter().rev().cloned()));
        for bad in [&b"d1:ai1ee"[..], b"d1:ad0:deee", b"d1:ad0:d6:lengthi-1eeee", b"le"] {
            assert!(
                !agrees(decode(bad).expect("bencoded").root(), std::iter::empty()),
                "{}",
                bad.escape_ascii()
            );
        }
    }
}
