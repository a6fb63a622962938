//! How the parts of a record look in a row of the database. Pure: values in, values out.

use std::path::{Path, PathBuf};

use rusqlite::types::{Value, ValueRef};

use crate::api::FilePriority;
use crate::base::{Bitfield, InfoHash, limits};
use crate::disk::FileStamp;

/// Bytes of one stamp: whether it exists, length, time.
const STAMP: usize = 17;

/// A path as text where it is text, as the system's own bytes where it is not.
pub(super) fn path(path: &Path) -> Value {
    match path.to_str() {
        Some(text) => Value::Text(text.to_owned()),
        None => Value::Blob(system_bytes(path)),
    }
}

/// The path of a cell; nothing where it is none of this system's.
pub(super) fn to_path(cell: ValueRef<'_>) -> Option<PathBuf> {
    match cell {
        ValueRef::Text(text) => Some(std::str::from_utf8(text).ok()?.into()),
        ValueRef::Blob(bytes) => system_path(bytes),
        _ => None,
    }
}

#[cfg(unix)]
pub(super) fn system_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(unix)]
pub(super) fn system_path(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(std::ffi::OsStr::from_bytes(bytes).into())
}

#[cfg(windows)]
pub(super) fn system_bytes(path: &Path) -> Vec<u8> {
    use std::os::windows::ffi::OsStrExt as _;
    path.as_os_str().encode_wide().flat_map(u16::to_le_bytes).collect()
}

#[cfg(windows)]
pub(super) fn system_path(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::windows::ffi::OsStringExt as _;
    let wide: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Some(std::ffi::OsString::from_wide(&wide).into())
}

/// One byte a file.
pub(super) fn priorities(list: &[FilePriority]) -> Vec<u8> {
    list.iter().map(|priority| *priority as u8).collect()
}

/// The priorities of a cell; nothing where there is a byte that means none.
pub(super) fn to_priorities(bytes: &[u8]) -> Option<Vec<FilePriority>> {
    const ALL: [FilePriority; 4] =
        [FilePriority::Skip, FilePriority::Low, FilePriority::Normal, FilePriority::High];
    bytes.iter().map(|byte| ALL.get(usize::from(*byte)).copied()).collect()
}

/// Seventeen bytes a file.
pub(super) fn stamps(list: &[FileStamp]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(list.len() * STAMP);
    for stamp in list {
        bytes.push(u8::from(stamp.exists));
        bytes.extend(stamp.length.to_le_bytes());
        bytes.extend(stamp.modified_nanos.to_le_bytes());
    }
    bytes
}

/// The stamps of a cell; nothing where it does not divide into them.
pub(super) fn to_stamps(bytes: &[u8]) -> Option<Vec<FileStamp>> {
    if !bytes.len().is_multiple_of(STAMP) {
        return None;
    }
    let stamp = |bytes: &[u8]| {
        Some(FileStamp {
            exists: bytes[0] != 0,
            length: u64::from_le_bytes(bytes[1..9].try_into().ok()?),
            modified_nanos: i64::from_le_bytes(bytes[9..].try_into().ok()?),
        })
    };
    bytes.chunks_exact(STAMP).map(stamp).collect()
}

/// The pieces that are had, of a cell and of how many there are.
pub(super) fn to_have(bytes: &[u8], pieces: i64) -> Option<Bitfield> {
    let pieces = usize::try_from(pieces).ok().filter(|pieces| *pieces <= limits::PIECES as usize)?;
    Bitfield::from_wire(bytes, pieces)
}

/// The identity of a cell.
pub(super) fn to_info_hash(bytes: &[u8]) -> Option<InfoHash> {
    bytes.try_into().ok().map(InfoHash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::PieceIndex;

    #[test]
    fn cells_come_back_as_they_went() {
        for folder in ["", "/home/me/Nedladdat", "C:\\Räksmörgås"] {
            let folder = Path::new(folder);
            assert_eq!(to_path(ValueRef::from(&path(folder))).as_deref(), Some(folder));
        }
        use FilePriority::{High, Low, Normal, Skip};
        let list = [High, Skip, Normal, Low];
        assert_eq!(to_priorities(&priorities(&list)).as_deref(), Some(&list[..]));
        let list = [
            FileStamp::default(),
            FileStamp { exists: true, length: u64::MAX, modified_nanos: i64::MIN },
            FileStamp { exists: true, length: 1, modified_nanos: -1 },
        ];
        assert_eq!(to_stamps(&stamps(&list)).as_deref(), Some(&list[..]));
        let mut have = Bitfield::new(11);
        have.insert(PieceIndex(10));
        assert_eq!(to_have(have.as_bytes(), 11), Some(have));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_whose_name_is_no_text_comes_back_too() {
        let folder = system_path(b"/data/\xff\xfe").expect("any bytes");
        assert_eq!(folder.to_str(), None);
        assert_eq!(to_path(ValueRef::from(&path(&folder))), Some(folder));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(to_priorities(&[1, 4]), None);
        assert_eq!(to_stamps(&[0; STAMP + 1]), None);
        assert_eq!(to_have(&[0], 9), None);
        assert_eq!(to_have(&[], -1), None);
        assert_eq!(to_have(&[0; 9], i64::MAX), None);
        assert_eq!(to_info_hash(&[0; 19]), None);
        assert_eq!(to_path(ValueRef::Integer(5)), None);
    }
}
