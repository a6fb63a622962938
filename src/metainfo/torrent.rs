//! A torrent: everything that a .torrent file says, checked and ready to work with.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::{InfoHash, PieceIndex};
use crate::bencode::Encoder;
use crate::metainfo::{Layout, Magnet, TorrentError, parse, urls};

/// A torrent whose every field has been checked: names are safe, hashes and pieces fit, sums do not overflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torrent {
    /// The SHA-1 hash of the original bytes of `info`.
    pub info_hash: InfoHash,
    /// The SHA-256 hash of the same bytes where the torrent is a v2 one too (BEP 52).
    pub info_hash_v2: Option<[u8; 32]>,
    /// The name of the file or of the folder above all files, as it will be on the disk.
    pub name: String,
    /// The files and pieces.
    pub layout: Arc<Layout>,
    /// The SHA-1 hash of each piece, 20 bytes each.
    pub hashes: Arc<[u8]>,
    /// Whether peers come from its trackers only (BEP 27).
    pub private: bool,
    /// Trackers in tiers (BEP 12).
    pub trackers: Vec<Vec<String>>,
    /// Web servers that have the files (BEP 19).
    pub web_seeds: Vec<String>,
    /// Web servers that hand out pieces by a script (BEP 17).
    pub http_seeds: Vec<String>,
    /// What its maker says of it.
    pub comment: Option<String>,
    /// The program that made it.
    pub created_by: Option<String>,
    /// When it was made, in seconds since 1970.
    pub creation_date: Option<i64>,
    /// Where it comes from; makes the info-hash differ between sites.
    pub source: Option<String>,
    /// Collections of which it is a part (BEP 38).
    pub collections: Vec<String>,
    /// Torrents that share files with it (BEP 38).
    pub similar: Vec<InfoHash>,
    /// Hosts and ports where the DHT can be entered (BEP 5).
    pub nodes: Vec<(String, u16)>,
    /// The original bytes of the `info` dictionary.
    pub info: Bytes,
    /// The original bytes of the `piece layers` of a v2 torrent, kept for those who can use them (BEP 52).
    pub piece_layers: Option<Bytes>,
    /// Files that had to be renamed, by number, and the path each has where the torrent was made.
    pub originals: Vec<(usize, Vec<Vec<u8>>)>,
}

impl Torrent {
    /// Reads a .torrent file.
    ///
    /// # Errors
    /// Where it is none, or one that cannot be worked with.
    pub fn parse(file: &[u8]) -> Result<Self, TorrentError> {
        parse::file(file)
    }

    /// Makes a torrent of an `info` dictionary that came from peers (BEP 9) and of what its magnet link said.
    ///
    /// # Errors
    /// As for [`Torrent::parse`].
    pub fn from_info(
        info: Bytes,
        trackers: Vec<Vec<String>>,
        web_seeds: Vec<String>,
    ) -> Result<Self, TorrentError> {
        let mut torrent = parse::info(info)?;
        torrent.trackers = urls::tidy(trackers);
        torrent.web_seeds = urls::unique(web_seeds.into_iter().filter_map(|seed| urls::url(seed.as_bytes())));
        Ok(torrent)
    }

    /// The .torrent file, with the original bytes of `info`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Encoder::append(Vec::with_capacity(self.info.len() + 1024));
        out.dict(|dict| {
            if let Some(first) = self.trackers.iter().flatten().next() {
                dict.bytes("announce", first);
            }
            if self.trackers.iter().flatten().nth(1).is_some() {
                dict.list("announce-list", |list| self.trackers.iter().for_each(|tier| strings(list, tier)));
            }
            if !self.collections.is_empty() {
                strings(dict.key("collections"), &self.collections);
            }
            for (key, text) in [("comment", &self.comment), ("created by", &self.created_by)] {
                text.iter().for_each(|text| _ = dict.bytes(key, text));
            }
            self.creation_date.iter().for_each(|date| _ = dict.int("creation date", *date));
            if !self.http_seeds.is_empty() {
                strings(dict.key("httpseeds"), &self.http_seeds);
            }
            dict.raw("info", &self.info);
            if !self.nodes.is_empty() {
                dict.list("nodes", |list| {
                    for (host, port) in &self.nodes {
                        list.list(|node| _ = node.bytes(host).int((*port).into()));
                    }
                });
            }
            self.piece_layers.iter().for_each(|layers| _ = dict.raw("piece layers", layers));
            if !self.similar.is_empty() {
                dict.list("similar", |list| self.similar.iter().for_each(|hash| _ = list.bytes(hash.0)));
            }
            if !self.web_seeds.is_empty() {
                strings(dict.key("url-list"), &self.web_seeds);
            }
        });
        out.finish()
    }

    /// The link that stands for this torrent.
    pub fn magnet(&self) -> Magnet {
        Magnet {
            info_hash: self.info_hash,
            info_hash_v2: self.info_hash_v2,
            name: Some(self.name.clone()),
            trackers: self.trackers.iter().flatten().cloned().collect(),
            peers: Vec::new(),
            web_seeds: self.web_seeds.clone(),
            select: Vec::new(),
        }
    }

    /// The SHA-1 hash that `piece` must have.
    pub fn piece_hash(&self, piece: PieceIndex) -> [u8; 20] {
        let mut hash = [0; 20];
        hash.copy_from_slice(&self.hashes[piece.at() * 20..][..20]);
        hash
    }

    /// The path that a renamed file has where the torrent was made, for finding data that is there already.
    ///
    /// Its parts are whole names without `/`, never empty, `.` or `..`; but systems other than Unix may give them a meaning,
    /// and two files may have the same. It is for reading, and nothing is ever created under it.
    pub fn original_path(&self, file: usize) -> Option<&[Vec<u8>]> {
        let at = self.originals.binary_search_by_key(&file, |(number, _)| *number).ok()?;
        Some(&self.originals[at].1)
    }
}

fn strings(out: &mut Encoder, texts: &[String]) {
    out.list(|list| texts.iter().for_each(|text| _ = list.bytes(text)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits;

    const FILE: &[u8] = b"d8:announce8:http://a13:announce-listll8:http://ael8:http://bee7:comment2:hi\
        10:created by1:x13:creation datei5e9:httpseedsl8:http://se4:infod5:filesld6:lengthi5e4:pathl1:dee\
        d6:lengthi0e4:pathl3:a:beee4:name1:t12:piece lengthi16384e6:pieces20:01234567890123456789\
        7:privatei1e6:source2:sre5:nodesl9:junklist1l9:127.0.0.1i6881eee8:url-listl8:http://wee";

    #[test]
    fn a_torrent_survives_being_written_and_read() {
        let torrent = Torrent::parse(FILE).expect("a good torrent");
        assert_eq!(torrent.trackers, [["http://a"], ["http://b"]]);
        assert_eq!((torrent.comment.as_deref(), torrent.creation_date), (Some("hi"), Some(5)));
        assert_eq!((torrent.source.as_deref(), torrent.private), (Some("sr"), true));
        assert_eq!(torrent.nodes, [("127.0.0.1".to_owned(), 6881)]);
        assert_eq!(torrent.piece_hash(PieceIndex(0)), *b"01234567890123456789");
        assert_eq!(torrent.layout.files()[1].path, ["t", "a_b"]);
        assert_eq!(torrent.original_path(1), Some(&[b"t".to_vec(), b"a:b".to_vec()][..]));
        assert_eq!(torrent.original_path(0), None);
        let again = Torrent::parse(&torrent.to_bytes()).expect("our own file");
        assert_eq!(again, torrent);
        assert_eq!(torrent.magnet().to_string().parse(), Ok(torrent.magnet()));
    }

    #[test]
    fn metadata_from_peers_makes_the_same_torrent() {
        let torrent = Torrent::parse(FILE).expect("a good torrent");
        let trackers = vec![vec![" http://t ".to_owned(), "junk".to_owned()], vec!["http://t".to_owned()]];
        let other =
            Torrent::from_info(torrent.info.clone(), trackers, vec!["http://w".to_owned(); 2]).expect("good");
        assert_eq!((other.info_hash, &other.layout), (torrent.info_hash, &torrent.layout));
        assert_eq!(
            (other.trackers, other.web_seeds),
            (vec![vec!["http://t".to_owned()]], vec!["http://w".to_owned()])
        );
        let huge = Bytes::from(vec![b'l'; limits::TORRENT_FILE_BYTES as usize + 1]);
        assert_eq!(Torrent::from_info(huge, vec![], vec![]), Err(TorrentError::TooBig));
        assert_eq!(Torrent::from_info(Bytes::from_static(b"le"), vec![], vec![]), Err(TorrentError::NoInfo));
        assert!(matches!(Torrent::from_info(Bytes::new(), vec![], vec![]), Err(TorrentError::Bencode(_))));
    }
}
