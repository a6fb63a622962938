//! The index (thesis: `server`): keeps the .torrent of every upload and hands it out by name or info-hash.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::IndexEntry;
use crate::base::InfoHash;
use crate::metainfo::Torrent;
use crate::network::screen::plain;
use crate::network::{Code, Listing, Refusal};

/// Torrents kept.
const ENTRIES: usize = 100_000;
/// Bytes of all .torrent files kept.
const BYTES: usize = 512 * 1024 * 1024;
/// Torrents in one page of a listing.
const PAGE: usize = 1_000;
/// Torrents of the same name that a refusal tells of.
const NAMED: usize = 10;

/// A torrent in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What is written beside its .torrent.
    pub note: Note,
    /// The .torrent.
    pub torrent: Bytes,
    name: String,
    size: u64,
    files: u32,
    piece_length: u32,
}

/// What is known of a torrent besides its .torrent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Note {
    /// Seconds since 1970 when it was uploaded.
    pub added_unix: u64,
    /// The name of the user who uploaded it.
    pub uploader: String,
    /// Announce URLs in tiers; the first tier is the tracker it was assigned to.
    pub tiers: Vec<Vec<String>>,
}

/// The torrents of a network.
#[derive(Default)]
pub struct Index {
    entries: BTreeMap<InfoHash, Kept>,
    names: BTreeMap<String, Vec<InfoHash>>,
    bytes: usize,
}

impl Kept {
    /// A torrent with those tiers in it.
    pub fn new(mut torrent: Torrent, note: Note) -> Self {
        torrent.trackers.clone_from(&note.tiers);
        let files = torrent.layout.files().iter().filter(|file| !file.pad).count();
        Self {
            torrent: torrent.to_bytes().into(),
            note,
            size: torrent.layout.total_length(),
            files: files as u32,
            piece_length: torrent.layout.piece_length(),
            name: torrent.name,
        }
    }
}

impl Index {
    /// Keeps a torrent, in place of what was kept of it before.
    ///
    /// # Errors
    /// Where the index is full.
    pub fn put(&mut self, torrent: InfoHash, kept: Kept) -> Result<(), Refusal> {
        let before = self.entries.get(&torrent).map_or(0, |known| known.torrent.len());
        let bytes = self.bytes - before + kept.torrent.len();
        if bytes > BYTES || (self.entries.len() >= ENTRIES && before == 0) {
            return Err(Refusal::new(Code::Full, "the index is full: remove what is no longer needed"));
        }
        self.take(torrent);
        self.bytes += kept.torrent.len();
        self.names.entry(kept.name.clone()).or_default().push(torrent);
        self.entries.insert(torrent, kept);
        Ok(())
    }

    /// Takes a torrent out.
    pub fn take(&mut self, torrent: InfoHash) -> Option<Kept> {
        let kept = self.entries.remove(&torrent)?;
        self.bytes -= kept.torrent.len();
        if let Some(same) = self.names.get_mut(&kept.name) {
            same.retain(|other| *other != torrent);
            if same.is_empty() {
                self.names.remove(&kept.name);
            }
        }
        Some(kept)
    }

    /// The torrent of that name or info-hash.
    ///
    /// # Errors
    /// Where there is none, or several have the name.
    pub fn find(&self, name: &str) -> Result<InfoHash, Refusal> {
        if let Ok(torrent) = name.parse()
            && self.entries.contains_key(&torrent)
        {
            return Ok(torrent);
        }
        match self.named(name) {
            [torrent] => Ok(*torrent),
            [] => {
                Err(Refusal::new(Code::NotFound, format!("the index has no torrent named {}", plain(name))))
            }
            several => {
                let line = |torrent: &InfoHash| {
                    let size = self.entries.get(torrent).map_or(0, |kept| kept.size);
                    format!("{torrent} ({size} bytes)")
                };
                let lines: Vec<_> = several.iter().take(NAMED).map(line).collect();
                let count = several.len();
                let lines = lines.join(", ");
                let why = format!("{count} torrents are named {name}; ask for one by its info-hash: {lines}");
                Err(Refusal::new(Code::Ambiguous, why))
            }
        }
    }

    /// Every torrent of that name.
    pub fn named(&self, name: &str) -> &[InfoHash] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// What is kept of a torrent.
    pub fn get(&self, torrent: InfoHash) -> Option<&Kept> {
        self.entries.get(&torrent)
    }

    /// The name of a torrent.
    pub fn name(&self, torrent: InfoHash) -> Option<&str> {
        self.entries.get(&torrent).map(|kept| kept.name.as_str())
    }

    /// How many torrents there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A torrent's row; `swarm` tells who downloads and who seeds it.
    pub fn row(&self, torrent: InfoHash, swarm: impl Fn(InfoHash) -> (u32, u32)) -> Option<IndexEntry> {
        let kept = self.entries.get(&torrent)?;
        let same = self.names.get(&kept.name).map_or(1, Vec::len);
        let (peers, seeds) = swarm(torrent);
        Some(IndexEntry {
            info_hash: torrent,
            name: kept.name.clone(),
            size: kept.size,
            files: kept.files,
            piece_length: kept.piece_length,
            added_unix: kept.note.added_unix,
            uploader: kept.note.uploader.clone(),
            tiers: kept.note.tiers.clone(),
            namesakes: same.saturating_sub(1) as u32,
            seeds,
            peers,
        })
    }

    /// The torrents whose names hold `search`, by name.
    pub fn list(&self, search: &str, offset: u32, swarm: impl Fn(InfoHash) -> (u32, u32)) -> Listing {
        let search = search.trim().to_lowercase();
        let found = self.names.iter().filter(|(name, _)| name.to_lowercase().contains(&search));
        let hashes: Vec<InfoHash> = found.flat_map(|(_, same)| same.iter().copied()).collect();
        let page = hashes.iter().skip(offset as usize).take(PAGE);
        Listing {
            torrents: page.filter_map(|torrent| self.row(*torrent, &swarm)).collect(),
            total: hashes.len() as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn torrent(name: &str, size: u64) -> Torrent {
        let info = format!(
            "d6:lengthi{size}e4:name{}:{name}12:piece lengthi16384e6:pieces20:{}e",
            name.len(),
            "x".repeat(20)
        );
        Torrent::from_info(Bytes::from(info), Vec::new(), Vec::new()).expect("a small torrent")
    }

    fn put(index: &mut Index, name: &str, size: u64) -> InfoHash {
        let torrent = torrent(name, size);
        let hash = torrent.info_hash;
        let note = Note { tiers: vec![vec!["http://t/announce".into()]], ..Note::default() };
        index.put(hash, Kept::new(torrent, note)).expect("room");
        hash
    }

    fn nobody(_: InfoHash) -> (u32, u32) {
        (0, 0)
    }

    #[test]
    fn what_is_put_is_found_by_name_and_by_hash() {
        let mut index = Index::default();
        let hash = put(&mut index, "one.bin", 5);
        assert_eq!((index.find("one.bin"), index.find(&hash.to_hex())), (Ok(hash), Ok(hash)));
        let kept = index.get(hash).expect("kept");
        let again = Torrent::parse(&kept.torrent).expect("our own file");
        assert_eq!((again.info_hash, again.trackers), (hash, vec![vec!["http://t/announce".to_owned()]]));
        let refusal = index.find("two.bin").expect_err("absent");
        assert_eq!(
            (refusal.code, refusal.message.as_str()),
            (Code::NotFound, "the index has no torrent named two.bin")
        );
        assert!(index.take(hash).is_some() && index.take(hash).is_none() && index.is_empty());
        assert_eq!(index.find("one.bin").expect_err("removed").code, Code::NotFound);
        assert_eq!(index.bytes, 0);
    }

    #[test]
    fn the_same_name_twice_is_kept_apart_and_said() {
        let mut index = Index::default();
        let (a, b) = (put(&mut index, "same", 5), put(&mut index, "same", 6));
        let refusal = index.find("same").expect_err("two");
        assert_eq!(refusal.code, Code::Ambiguous);
        assert!(refusal.message.contains(&a.to_hex()) && refusal.message.contains(&b.to_hex()), "{refusal}");
        assert_eq!(index.find(&b.to_hex()), Ok(b));
        assert_eq!(index.row(a, nobody).expect("a row").namesakes, 1);
        assert_eq!(put(&mut index, "same", 5), a, "put again, it stays one");
        assert_eq!(index.len(), 2);
        index.take(a);
        assert_eq!(index.find("same"), Ok(b));
    }

    #[test]
    fn listings_are_searched_and_paged() {
        let mut index = Index::default();
        for n in 0..PAGE + 5 {
            put(&mut index, &format!("File {n:05}"), n as u64 + 1);
        }
        let page = index.list("fILE", 0, |_| (2, 3));
        assert_eq!((page.torrents.len(), page.total as usize), (PAGE, PAGE + 5));
        assert_eq!(
            (page.torrents[0].name.as_str(), page.torrents[0].peers, page.torrents[0].seeds),
            ("File 00000", 2, 3)
        );
        let rest = index.list("file", PAGE as u32, nobody);
        assert_eq!((rest.torrents.len(), rest.torrents[0].name.as_str()), (5, "File 01000"));
        assert_eq!(index.list("00007", 0, nobody).total, 1);
        assert_eq!(index.list("none", 0, nobody), Listing::default());
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_a_plain_list(steps in prop::collection::vec((any::<bool>(), 0..4u8, 1..4u64), 0..40)) {
            let mut index = Index::default();
            let mut list: Vec<(String, u64, InfoHash)> = Vec::new();
            for (puts, name, size) in steps {
                let name = format!("n{name}");
                let hash = torrent(&name, size).info_hash;
                let known = list.iter().position(|entry| entry.2 == hash);
                if puts {
                    put(&mut index, &name, size);
                    known.into_iter().for_each(|at| _ = list.remove(at));
                    list.push((name, size, hash));
                } else {
                    prop_assert_eq!(index.take(hash).is_some(), known.is_some());
                    known.into_iter().for_each(|at| _ = list.remove(at));
                }
                prop_assert_eq!(index.len(), list.len());
                for number in 0..4u8 {
                    let name = format!("n{number}");
                    let same: Vec<_> = list.iter().filter(|entry| entry.0 == name).collect();
                    match index.find(&name) {
                        Ok(hash) => prop_assert!(same.len() == 1 && same[0].2 == hash),
                        Err(refusal) => {
                            let expected = if same.is_empty() { Code::NotFound } else { Code::Ambiguous };
                            prop_assert!(same.len() != 1 && refusal.code == expected);
                        }
                    }
                }
            }
        }
    }
}
