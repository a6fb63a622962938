//! Reading a torrent: every number as 64 bits, then bounded, and only then narrowed.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::{InfoHash, limits};
use crate::bencode::{self, Node};
use crate::hash::{sha1, sha256};
use crate::metainfo::names::{safe_name, usable_name};
use crate::metainfo::{File, Layout, Torrent, TorrentError, hybrid, paths, urls};

/// Reads a .torrent file. White space after it is let pass, since editors leave a line break there.
pub(super) fn file(input: &[u8]) -> Result<Torrent, TorrentError> {
    if input.len() as u64 > limits::TORRENT_FILE_BYTES {
        return Err(TorrentError::TooBig);
    }
    let (document, used) = bencode::decode_prefix(input)?;
    if !input[used..].iter().all(u8::is_ascii_whitespace) {
        return Err(bencode::Error { fault: bencode::Fault::Trailing, at: used }.into());
    }
    let root = document.root();
    if !root.is_dict() {
        return Err(TorrentError::NotDictionary);
    }
    let info = root.get(b"info").ok_or(TorrentError::NoInfo)?;
    let mut torrent = from_node(Bytes::copy_from_slice(info.raw()), info)?;
    torrent.trackers = urls::tiers(root);
    torrent.web_seeds = urls::seeds(root.get(b"url-list"));
    torrent.http_seeds = urls::seeds(root.get(b"httpseeds"));
    torrent.comment = text(root.get(b"comment.utf-8").or_else(|| root.get(b"comment")));
    torrent.created_by = text(root.get(b"created by"));
    torrent.creation_date = root.get(b"creation date").and_then(Node::int).filter(|date| *date >= 0);
    torrent.nodes = nodes(root);
    torrent.piece_layers = root.get(b"piece layers").map(|layers| Bytes::copy_from_slice(layers.raw()));
    relations(root, &mut torrent);
    Ok(torrent)
}

/// Reads an `info` dictionary that came alone.
pub(super) fn info(info: Bytes) -> Result<Torrent, TorrentError> {
    if info.len() as u64 > limits::TORRENT_FILE_BYTES {
        return Err(TorrentError::TooBig);
    }
    let bytes = info.clone();
    let document = bencode::decode(&bytes)?;
    from_node(info, document.root())
}

fn from_node(raw: Bytes, info: Node<'_>) -> Result<Torrent, TorrentError> {
    if !info.is_dict() {
        return Err(TorrentError::NoInfo);
    }
    let tree = info.get(b"file tree");
    let version = info.get(b"meta version").and_then(Node::int).unwrap_or(1);
    let pieces = info.get(b"pieces");
    if pieces.is_none() && (tree.is_some() || version > 1) {
        return Err(TorrentError::V2Only);
    }
    let info_hash = InfoHash(sha1(&raw));
    let raw_name = info.get(b"name.utf-8").and_then(Node::bytes).filter(|name| !name.is_empty());
    let raw_name =
        raw_name.or_else(|| info.get(b"name").and_then(Node::bytes)).ok_or(TorrentError::NoName)?;
    // A name of which nothing can be kept would be the same for every such torrent.
    let name = usable_name(raw_name).unwrap_or_else(|| info_hash.to_hex());
    let piece_length = info.get(b"piece length").and_then(Node::int).ok_or(TorrentError::NoPieceLength)?;
    let piece_length = u32::try_from(piece_length)
        .ok()
        .filter(|length| (1..=limits::PIECE_LENGTH).contains(length))
        .ok_or(TorrentError::PieceLength(piece_length))?;
    let pieces = pieces.and_then(Node::bytes).ok_or(TorrentError::NoPieces)?;

    let entries = entries(info, raw_name)?;
    if let (Some(tree), true) = (tree, version > 1) {
        let files = entries.list.iter().filter(|entry| !entry.pad);
        if !hybrid::agrees(tree, files.map(|entry| (entry.path.clone(), entry.length))) {
            return Err(TorrentError::Inconsistent);
        }
    }
    let (files, originals) = entries.into_files(raw_name, &name)?;
    let layout = layout(files, piece_length, pieces)?;
    let mut torrent = Torrent {
        info_hash,
        info_hash_v2: (version == 2 && tree.is_some()).then(|| sha256(&raw)),
        name,
        layout: Arc::new(layout),
        hashes: pieces.into(),
        private: info.get(b"private").and_then(Node::int).is_some_and(|private| private != 0),
        trackers: Vec::new(),
        web_seeds: Vec::new(),
        http_seeds: Vec::new(),
        comment: None,
        created_by: None,
        creation_date: None,
        source: text(info.get(b"source")),
        collections: Vec::new(),
        similar: Vec::new(),
        nodes: Vec::new(),
        info: raw,
        piece_layers: None,
        originals,
    };
    relations(info, &mut torrent);
    Ok(torrent)
}

/// The files as the torrent names them.
struct Entries<'a> {
    list: Vec<RawEntry<'a>>,
    /// Whether there is one file and no folder.
    single: bool,
}

struct RawEntry<'a> {
    /// Below the torrent's name; for a single file that name itself.
    path: Vec<&'a [u8]>,
    length: u64,
    pad: bool,
    executable: bool,
}

fn entries<'a>(info: Node<'a>, name: &'a [u8]) -> Result<Entries<'a>, TorrentError> {
    let Some(files) = info.get(b"files").filter(|files| files.is_list()) else {
        if info.get(b"length").is_none() {
            return Err(TorrentError::NoFiles);
        }
        let entry = RawEntry { path: vec![name], ..entry(info, 1)? };
        return Ok(Entries { list: vec![entry], single: true });
    };
    let mut list = Vec::new();
    for (number, file) in (1..).zip(files.list()) {
        if !file.is_dict() {
            return Err(TorrentError::FileEntry(number));
        }
        let mut entry = entry(file, number)?;
        entry.path = [&b"path.utf-8"[..], b"path"]
            .iter()
            .find_map(|key| file.get(key).and_then(components))
            // Padding is never seen, so that some programs give it no path.
            .or_else(|| entry.pad.then(|| vec![&b".pad"[..]]))
            .ok_or(TorrentError::NoPath(number))?;
        list.push(entry);
    }
    if list.is_empty() { Err(TorrentError::NoFiles) } else { Ok(Entries { list, single: false }) }
}

/// Length and attributes of one file (BEP 47). `number` counts from one, for people.
fn entry(file: Node<'_>, number: usize) -> Result<RawEntry<'_>, TorrentError> {
    let attributes = file.get(b"attr").and_then(Node::bytes).unwrap_or_default();
    // A symbolic link has no bytes of its own, whatever length it claims. Where it points is not even read: it becomes an
    // empty file, so that no torrent can place a link on the disk and later write through it.
    let length = if attributes.contains(&b'l') {
        0
    } else {
        file.get(b"length").and_then(Node::int).ok_or(TorrentError::NoLength(number))?
    };
    Ok(RawEntry {
        path: Vec::new(),
        length: u64::try_from(length).map_err(|_| TorrentError::NegativeLength(number))?,
        pad: attributes.contains(&b'p'),
        executable: attributes.contains(&b'x'),
    })
}

/// The parts of a path; nothing where there are none or one is no string.
fn components(path: Node<'_>) -> Option<Vec<&[u8]>> {
    let parts: Option<Vec<_>> = path.list().map(Node::bytes).collect();
    parts.filter(|parts| !parts.is_empty())
}

impl Entries<'_> {
    /// The files under their safe paths, and the original paths of those that had to be renamed.
    #[expect(clippy::type_complexity, reason = "the second half is a field of `Torrent`")]
    fn into_files(
        self,
        raw_name: &[u8],
        name: &str,
    ) -> Result<(Vec<File>, Vec<(usize, Vec<Vec<u8>>)>), TorrentError> {
        let mut files = Vec::with_capacity(self.list.len());
        let mut raw_paths = Vec::with_capacity(self.list.len());
        for (number, entry) in (1..).zip(self.list) {
            if entry.path.len() > limits::PATH_DEPTH {
                return Err(TorrentError::TooDeep(number));
            }
            let below = if self.single { &[] } else { &entry.path[..] };
            let path: Vec<_> =
                std::iter::once(name.to_owned()).chain(below.iter().map(|part| safe_name(part))).collect();
            if path.iter().map(|part| part.len() + 1).sum::<usize>() > limits::PATH_BYTES {
                return Err(TorrentError::PathLength(number));
            }
            files.push(File { path, length: entry.length, pad: entry.pad, executable: entry.executable });
            raw_paths.push(entry.path);
        }
        paths::keep_apart(&mut files);

        let renamed = |(number, below): (usize, Vec<&[u8]>)| {
            let below = if self.single { &[] } else { &below[..] };
            let raw: Vec<_> = std::iter::once(raw_name).chain(below.iter().copied()).collect();
            let file = &files[number];
            let same = file.path.iter().map(String::as_bytes).eq(raw.iter().copied());
            (!same && !file.pad && raw.iter().all(|part| is_unix_name(part)))
                .then(|| (number, raw.iter().map(|part| part.to_vec()).collect()))
        };
        let originals = raw_paths.into_iter().enumerate().filter_map(renamed).collect();
        Ok((files, originals))
    }
}

/// Whether Unix can have a file of this name in a folder.
fn is_unix_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && name.len() <= 255 && !name.contains(&b'/') && !name.contains(&0)
}

fn layout(files: Vec<File>, piece_length: u32, pieces: &[u8]) -> Result<Layout, TorrentError> {
    let total = files.iter().try_fold(0u64, |sum, file| sum.checked_add(file.length));
    let total = total.filter(|total| *total <= i64::MAX as u64).ok_or(TorrentError::TotalLength)?;
    if total.div_ceil(u64::from(piece_length)) > u64::from(limits::PIECES) {
        return Err(TorrentError::TooManyPieces);
    }
    let layout = Layout::new(files, piece_length).ok_or(TorrentError::TotalLength)?;
    if !pieces.len().is_multiple_of(20) {
        return Err(TorrentError::HashLength(pieces.len()));
    }
    if pieces.len() / 20 != layout.piece_count() as usize {
        return Err(TorrentError::HashCount { hashes: pieces.len() / 20, pieces: layout.piece_count() });
    }
    Ok(layout)
}

/// Collections and similar torrents (BEP 38), which may stand inside `info` and outside.
fn relations(node: Node<'_>, torrent: &mut Torrent) {
    let names = node.get(b"collections").into_iter().flat_map(Node::list);
    for name in names.take(limits::TRACKERS).filter_map(|name| text(Some(name))) {
        if !torrent.collections.contains(&name) {
            torrent.collections.push(name);
        }
    }
    let hashes = node.get(b"similar").into_iter().flat_map(Node::list).filter_map(Node::bytes);
    for hash in hashes.take(limits::TRACKERS).filter_map(|hash| hash.try_into().ok().map(InfoHash)) {
        if !torrent.similar.contains(&hash) {
            torrent.similar.push(hash);
        }
    }
}

/// Hosts and ports of DHT nodes (BEP 5); those that are no host and port are left out.
fn nodes(root: Node<'_>) -> Vec<(String, u16)> {
    let list = root.get(b"nodes").into_iter().flat_map(Node::list).take(limits::TRACKERS);
    list.filter_map(|node| {
        let mut parts = node.list();
        let host = parts.next()?.text().filter(|host| (1..=253).contains(&host.len()))?;
        let port = u16::try_from(parts.next()?.int()?).ok().filter(|port| *port > 0)?;
        Some((host.to_owned(), port))
    })
    .collect()
}

/// A free text, whatever its encoding; nothing for an empty one.
fn text(node: Option<Node<'_>>) -> Option<String> {
    let mut text = String::from_utf8_lossy(node?.bytes()?).into_owned();
    text.truncate(text.floor_char_boundary(limits::TEXT_BYTES));
    (!text.is_empty()).then_some(text)
}
