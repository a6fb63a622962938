//! Trackers and web seeds: trimmed, bounded, and each only once.

use std::collections::HashSet;

use crate::base::limits;
use crate::bencode::Node;

/// The URL that these bytes are meant to be; nothing where they cannot be one.
pub(super) fn url(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?.trim();
    let (scheme, rest) = text.split_once("://")?;
    let plausible = !scheme.is_empty()
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && !rest.is_empty()
        && text.len() <= limits::URL_BYTES
        && !text.contains(char::is_control);
    plausible.then(|| text.replace(' ', "%20"))
}

/// The tiers of trackers (BEP 12); a lone `announce` counts where there is no list.
pub(super) fn tiers(root: Node<'_>) -> Vec<Vec<String>> {
    let list = root.get(b"announce-list").into_iter().flat_map(Node::list);
    // A list of plain strings is a common mistake; each is a tier of its own then.
    let tiers =
        bounded_tiers(list.map(|tier| if tier.is_list() { tier.list().collect() } else { vec![tier] }));
    if tiers.is_empty() {
        bounded_tiers(root.get(b"announce").map(|node| vec![node]).into_iter())
    } else {
        tiers
    }
}

/// Web seeds: a string, or a list of them (BEP 17, 19).
pub(super) fn seeds(node: Option<Node<'_>>) -> Vec<String> {
    let nodes = node.into_iter().flat_map(|node| node.list().chain((!node.is_list()).then_some(node)));
    unique(nodes.filter_map(Node::bytes).filter_map(url))
}

/// The tiers without repetition, empty ones left out.
pub(super) fn tidy(tiers: Vec<Vec<String>>) -> Vec<Vec<String>> {
    bounded(tiers.into_iter().map(|tier| tier.into_iter().filter_map(|text| url(text.as_bytes())).collect()))
}

/// The first of each, as many as are kept of a torrent.
pub(super) fn unique(urls: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    urls.filter(|url| seen.insert(url.clone())).take(limits::TRACKERS).collect()
}

fn bounded_tiers<'a>(tiers: impl Iterator<Item = Vec<Node<'a>>>) -> Vec<Vec<String>> {
    bounded(tiers.map(|tier| tier.into_iter().filter_map(Node::bytes).filter_map(url).collect()))
}

fn bounded(tiers: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for mut tier in tiers {
        tier.retain(|url| seen.len() < limits::TRACKERS && seen.insert(url.clone()));
        if !tier.is_empty() {
            kept.push(tier);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bencode::{Value, decode};

    #[test]
    fn only_what_can_be_a_url_is_kept() {
        assert_eq!(url(b" udp://a.example:1/announce \n"), Some("udp://a.example:1/announce".into()));
        assert_eq!(url(b"http://a/b c/"), Some("http://a/b%20c/".into()));
        for bad in [&b""[..], b"a.example", b"://a", b"http://", b"ht tp://a", b"http://a\nb", b"http://\xff"]
        {
            assert_eq!(url(bad), None, "{}", bad.escape_ascii());
        }
        assert_eq!(url(format!("http://{}", "a".repeat(limits::URL_BYTES)).as_bytes()), None);
    }

    #[test]
    fn tiers_are_read_bounded_and_without_repetition() {
        let read = |bytes: &[u8]| tiers(decode(bytes).expect("a dictionary").root());
        assert_eq!(read(b"d8:announce8:http://ae"), [["http://a"]]);
        assert_eq!(
            read(b"d8:announce8:http://x13:announce-listll8:http://a8:http://b8:http://aeli1eel8:http://b8:http://ceee"),
            [vec!["http://a", "http://b"], vec!["http://c"]]
        );
        assert_eq!(read(b"d8:announce8:http://a13:announce-listlee"), [["http://a"]]);
        assert_eq!(read(b"d13:announce-listl8:http://a8:http://bee"), [["http://a"], ["http://b"]]);
        assert_eq!(read(b"d8:announcei5ee"), Vec::<Vec<String>>::new());
        let many =
            (0..2_000).map(|n| Value::from(vec![Value::from(&*format!("http://{n}"))])).collect::<Vec<_>>();
        let many = Value::dict([("announce-list", Value::from(many))]).encode();
        assert_eq!(read(&many).len(), limits::TRACKERS);
    }

    #[test]
    fn web_seeds_are_a_string_or_a_list() {
        let read = |bytes: &[u8]| seeds(decode(bytes).expect("a dictionary").root().get(b"url-list"));
        assert_eq!(read(b"d8:url-list8:http://ae"), ["http://a"]);
        assert_eq!(read(b"d8:url-listl8:http://a8:http://ai1e8:http://bee"), ["http://a", "http://b"]);
        assert_eq!(read(b"d8:url-list0:e"), Vec::<String>::new());
        assert_eq!(read(b"de"), Vec::<String>::new());
    }
}
