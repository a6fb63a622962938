//! What a user typed, pasted or dropped, understood.

use std::str::FromStr as _;

use crate::api::Source;
use crate::base::InfoHash;
use crate::gui::widgets::field;

/// A magnet link, a bare info-hash, or a path.
///
/// # Errors
/// Says what to do with what is none of them.
pub(crate) fn read(text: &str) -> Result<Source, &'static str> {
    let text = text.trim();
    let starts =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    if starts("magnet:") {
        return Ok(Source::Magnet(text.to_owned()));
    }
    if InfoHash::from_str(text).is_ok() {
        return Ok(Source::Magnet(format!("magnet:?xt=urn:btih:{text}")));
    }
    if starts("http://") || starts("https://") {
        return Err("Save that .torrent file with a browser first, then open the file here.");
    }
    let path = field::path(text);
    if text.is_empty() || path.as_os_str().is_empty() {
        return Err("Type a magnet link or the path of a .torrent file.");
    }
    if text.contains('\n') {
        return Err("That is more than one line. Paste one link at a time.");
    }
    if path.is_relative() {
        return Err(
            "That is neither a magnet link nor a full path. A path begins at the top, as in /home/me/a.torrent.",
        );
    }
    Ok(Source::File(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_hashes_and_paths_are_told_apart() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        let magnet = format!("magnet:?xt=urn:btih:{hash}");
        assert_eq!(read(&format!(" {magnet}\n")), Ok(Source::Magnet(magnet.clone())));
        assert_eq!(read(hash), Ok(Source::Magnet(magnet)));
        let path = std::env::temp_dir().join("a b.torrent");
        assert_eq!(read(&format!("\"{}\"", path.display())), Ok(Source::File(path)));
        for bad in ["", "  ", "x.torrent", "https://example.org/a.torrent", "/a\n/b"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
