//! One torrent and what must come of it; and a bencoding of its own, so that mistakes are not made twice alike.

use fyris::metainfo::Torrent;

/// A torrent file and what must come of it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) file: Vec<u8>,
    pub(super) expected: Expected,
}

/// What must come of a torrent file.
pub(super) enum Expected {
    /// It is read: the bytes its info-hash is taken of, its paths where they are few, and what else must hold.
    Good { info: Vec<u8>, paths: Option<Vec<String>>, check: fn(&Torrent) },
    /// It is refused with a message in which this stands.
    Refused(&'static str),
}

impl Case {
    /// A file with nothing but an `info`, which must give these paths.
    pub(super) fn paths(name: impl Into<String>, info: Vec<u8>, paths: &[&str]) -> Self {
        Self::good(name, vec![], info, |_| ()).with_paths(paths)
    }

    /// A file with entries around its `info`, of which something must hold.
    pub(super) fn good(
        name: impl Into<String>,
        around: Vec<(&str, Vec<u8>)>,
        info: Vec<u8>,
        check: fn(&Torrent),
    ) -> Self {
        let file = torrent(around, &info);
        Self { name: name.into(), file, expected: Expected::Good { info, paths: None, check } }
    }

    /// A whole file, given as it is, that must be refused.
    pub(super) fn refused(name: impl Into<String>, file: Vec<u8>, reason: &'static str) -> Self {
        Self { name: name.into(), file, expected: Expected::Refused(reason) }
    }

    /// An `info` that must be refused.
    pub(super) fn bad_info(name: impl Into<String>, info: Vec<u8>, reason: &'static str) -> Self {
        Self::refused(name, torrent(vec![], &info), reason)
    }

    fn with_paths(mut self, expected: &[&str]) -> Self {
        if let Expected::Good { paths, .. } = &mut self.expected {
            *paths = Some(expected.iter().map(|path| (*path).to_owned()).collect());
        }
        self
    }
}

/// A bencoded string.
pub(super) fn s(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{}:", bytes.len()).as_bytes(), bytes].concat()
}

/// A bencoded integer, written as the text says.
pub(super) fn i(number: impl std::fmt::Display) -> Vec<u8> {
    format!("i{number}e").into_bytes()
}

/// A bencoded list.
pub(super) fn l(members: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    [b"l".to_vec(), members.into_iter().collect::<Vec<_>>().concat(), b"e".to_vec()].concat()
}

/// A bencoded dictionary with its entries in the order given.
pub(super) fn d<K: AsRef<[u8]>>(entries: impl IntoIterator<Item = (K, Vec<u8>)>) -> Vec<u8> {
    let entries: Vec<_> = entries.into_iter().map(|(key, value)| [s(key), value].concat()).collect();
    [b"d".to_vec(), entries.concat(), b"e".to_vec()].concat()
}

/// A torrent file of an `info` and what stands around it.
pub(super) fn torrent(around: Vec<(&str, Vec<u8>)>, info: &[u8]) -> Vec<u8> {
    let mut entries = around;
    entries.push(("info", info.to_vec()));
    entries.sort_by_key(|(key, _)| key.to_owned());
    d(entries)
}

/// The entries of an `info` with one file of 425 bytes named `temp`; those given replace or join them.
pub(super) fn single(changes: Vec<(&str, Vec<u8>)>) -> Vec<u8> {
    let base =
        vec![("length", i(425)), ("name", s("temp")), ("piece length", i(16_384)), ("pieces", hashes(1))];
    changed(base, changes)
}

/// An `info` with a folder named `temp` of these files in pieces of 16 KiB.
pub(super) fn folder(files: Vec<Vec<u8>>, total: u64) -> Vec<u8> {
    folder_with(files, total, vec![])
}

/// As [`folder`], with other entries replaced or added.
pub(super) fn folder_with(files: Vec<Vec<u8>>, total: u64, changes: Vec<(&str, Vec<u8>)>) -> Vec<u8> {
    let pieces = hashes(total.div_ceil(16_384) as usize);
    let base =
        vec![("files", l(files)), ("name", s("temp")), ("piece length", i(16_384)), ("pieces", pieces)];
    changed(base, changes)
}

/// The entry of one file in a folder.
pub(super) fn file(length: i64, path: &[&[u8]]) -> Vec<u8> {
    file_with(length, path, vec![])
}

/// As [`file`], with other entries replaced or added; an empty value removes one.
pub(super) fn file_with(length: i64, path: &[&[u8]], changes: Vec<(&str, Vec<u8>)>) -> Vec<u8> {
    changed(vec![("length", i(length)), ("path", l(path.iter().map(s)))], changes)
}

/// That many SHA-1 hashes as a bencoded string.
pub(super) fn hashes(count: usize) -> Vec<u8> {
    s((0..count * 20).map(|at| (at * 7 % 251) as u8).collect::<Vec<_>>())
}

fn changed(base: Vec<(&str, Vec<u8>)>, changes: Vec<(&str, Vec<u8>)>) -> Vec<u8> {
    let mut entries: std::collections::BTreeMap<_, _> = base.into_iter().collect();
    entries.extend(changes);
    d(entries.into_iter().filter(|(_, value)| !value.is_empty()))
}
