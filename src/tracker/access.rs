//! Who may announce what: lists of info-hashes, and users' keys.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::InfoHash;

/// Who may announce what. Copies share their lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The only torrents served, where there is such a list.
    pub allow: Option<Arc<HashSet<InfoHash>>>,
    /// Torrents that are not served.
    pub deny: Arc<HashSet<InfoHash>>,
    /// The users' keys, where one is needed; it stands in the path of the announce URL.
    pub keys: Option<Arc<HashSet<String>>>,
}

/// A line of a list that does not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no {what}: {text}")]
pub struct ListError {
    line: usize,
    what: &'static str,
    text: String,
}

impl Access {
    /// Whether a torrent is served.
    pub fn serves(&self, hash: &InfoHash) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.contains(hash)) && !self.deny.contains(hash)
    }

    /// Whether whoever shows this key, or none, may ask.
    pub fn admits(&self, key: Option<&[u8]>) -> bool {
        let Some(keys) = &self.keys else { return true };
        key.and_then(|key| std::str::from_utf8(key).ok()).is_some_and(|key| keys.contains(key))
    }
}

/// The info-hashes of a list: one a line, in hexadecimal or base32; what follows a `#` is a remark.
///
/// # Errors
/// Names the first line that does not read.
pub fn parse_hashes(text: &str) -> Result<HashSet<InfoHash>, ListError> {
    lines(text)
        .map(|(line, text)| {
            text.parse().map_err(|_| ListError { line, what: "info-hash", text: shorten(text) })
        })
        .collect()
}

/// The keys of a list: one a line, 8 to 64 letters, digits, `-` or `_`; what follows a `#` is a remark.
///
/// # Errors
/// Names the first line that does not read.
pub fn parse_keys(text: &str) -> Result<HashSet<String>, ListError> {
    lines(text)
        .map(|(line, text)| match is_key(text.as_bytes()) {
            true => Ok(text.to_owned()),
            // A key is a secret, also where it is misspelt.
            false => {
                Err(ListError { line, what: "key", text: format!("{} characters", text.chars().count()) })
            }
        })
        .collect()
}

/// Whether this can be a key.
pub(crate) fn is_key(text: &[u8]) -> bool {
    (8..=64).contains(&text.len())
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.split('#').next().unwrap_or_default().trim()))
        .filter(|(_, line)| !line.is_empty())
}

fn shorten(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn lists_read_and_say_where_they_do_not() {
        let hashes = parse_hashes(&format!("# ours\n\n{HASH} # a film\r\n{}\n", HASH.to_uppercase()));
        assert_eq!(hashes.map(|hashes| hashes.len()), Ok(1));
        let error = parse_hashes(&format!("{HASH}\nnonsense")).expect_err("a bad line");
        assert_eq!(error.to_string(), "line 2 is no info-hash: nonsense");
        assert_eq!(parse_keys("abcdefgh\nABC-def_12").map(|keys| keys.len()), Ok(2));
        assert_eq!(parse_keys("short").expect_err("too short").to_string(), "line 1 is no key: 5 characters");
        assert!(parse_keys("has/slash/in/it").is_err());
    }

    #[test]
    fn deny_wins_over_allow() {
        let hash: InfoHash = HASH.parse().expect("a hash");
        let list = |hashes: &[InfoHash]| Arc::new(hashes.iter().copied().collect::<HashSet<_>>());
        let mut access = Access::default();
        assert!(access.serves(&hash) && access.admits(None));
        access.allow = Some(list(&[]));
        assert!(!access.serves(&hash));
        access.allow = Some(list(&[hash]));
        assert!(access.serves(&hash));
        access.deny = list(&[hash]);
        assert!(!access.serves(&hash));
        access.keys = Some(Arc::new(["abcdefgh".to_owned()].into()));
        assert!(access.admits(Some(b"abcdefgh")));
        assert!(
            ![None, Some(&b"abcdefgi"[..]), Some(b"\xff"), Some(b"")]
                .into_iter()
                .any(|key| access.admits(key))
        );
    }
}
