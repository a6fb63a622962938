//! Magnet links: the info-hash of a torrent and hints where it can be had (BEP 9, 53).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::base::{InfoHash, limits};
use crate::metainfo::names::is_invisible;
use crate::metainfo::urls;

/// A magnet link, every list of it bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Magnet {
    /// The torrent it stands for.
    pub info_hash: InfoHash,
    /// The v2 hash of the same torrent where it is a hybrid (BEP 52).
    pub info_hash_v2: Option<[u8; 32]>,
    /// What to call it until its metadata is there; only to be shown.
    pub name: Option<String>,
    /// Trackers, in the order of the link.
    pub trackers: Vec<String>,
    /// Peers as `host:port`.
    pub peers: Vec<String>,
    /// Web seeds (BEP 19).
    pub web_seeds: Vec<String>,
    /// Numbers of the files that are wanted, rising and apart from each other (BEP 53); empty means all.
    pub select: Vec<RangeInclusive<u32>>,
}

/// Why a text is refused as a magnet link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MagnetError {
    /// It does not begin like one.
    #[error("this is no magnet link: it does not begin with “magnet:?”")]
    Scheme,
    /// It is longer than any real one.
    #[error("this magnet link is longer than {} bytes", limits::MAGNET_BYTES)]
    TooLong,
    /// It names no torrent.
    #[error("this magnet link names no torrent: it has no “xt=urn:btih:…”")]
    NoHash,
    /// Its hash is no hash.
    #[error("this magnet link's torrent hash is damaged: a hash has 40 hexadecimal or 32 base32 digits")]
    Hash,
    /// It names two torrents.
    #[error("this magnet link names two different torrents")]
    TwoHashes,
    /// It names a torrent by its v2 hash only (BEP 52).
    #[error(
        "this magnet link is for BitTorrent v2 only, which is not supported yet; one with “urn:btih:” would work"
    )]
    V2Only,
}

impl Magnet {
    /// Whether the link asks for the file of that number (BEP 53).
    pub fn selects(&self, file: u32) -> bool {
        self.select.is_empty() || self.select.iter().any(|range| range.contains(&file))
    }

    /// Reads the hash of an `xt`; kinds of hash that are not BitTorrent's are passed over.
    fn read_hash(&mut self, text: &str, seen: &mut bool) -> Result<(), MagnetError> {
        if let Some(digits) = strip_prefix(text, "urn:btih:") {
            let hash = digits.parse().map_err(|_| MagnetError::Hash)?;
            if *seen && self.info_hash != hash {
                return Err(MagnetError::TwoHashes);
            }
            (self.info_hash, *seen) = (hash, true);
        } else if let Some(digits) = strip_prefix(text, "urn:btmh:1220") {
            let hash =
                HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().and_then(|hash| hash.try_into().ok());
            let hash = hash.ok_or(MagnetError::Hash)?;
            if self.info_hash_v2.is_some_and(|other| other != hash) {
                return Err(MagnetError::TwoHashes);
            }
            self.info_hash_v2 = Some(hash);
        }
        Ok(())
    }
}

impl FromStr for Magnet {
    type Err = MagnetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > limits::MAGNET_BYTES {
            return Err(MagnetError::TooLong);
        }
        let query = strip_prefix(text, "magnet:?").ok_or(MagnetError::Scheme)?;
        let (mut magnet, mut seen) = (Self::default(), false);
        for part in query.split('&') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            // Links copied out of a page's source have `&amp;` between their parts.
            let key = key.strip_prefix("amp;").unwrap_or(key).to_ascii_lowercase();
            // A space in a name may be written as in a form; in a URL a `+` is itself.
            let value = if key == "dn" { value.replace('+', " ") } else { value.to_owned() };
            let value = percent_decode_str(&value).decode_utf8_lossy();
            // Parameters that come more than once may be numbered: `tr.1`, `tr.2`.
            let key = match key.split_once('.') {
                Some((plain, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => plain,
                _ => &*key,
            };
            match key {
                "xt" => magnet.read_hash(&value, &mut seen)?,
                "dn" => magnet.name = magnet.name.or_else(|| name(&value)),
                "tr" => magnet.trackers.extend(urls::url(value.as_bytes())),
                "ws" => magnet.web_seeds.extend(urls::url(value.as_bytes())),
                "x.pe" if is_peer(&value) => magnet.peers.push(value.into_owned()),
                "so" => magnet.select.extend(value.split(',').filter_map(range)),
                _ => {}
            }
        }
        if !seen {
            return Err(if magnet.info_hash_v2.is_some() {
                MagnetError::V2Only
            } else {
                MagnetError::NoHash
            });
        }
        magnet.trackers = urls::unique(magnet.trackers.into_iter());
        magnet.web_seeds = urls::unique(magnet.web_seeds.into_iter());
        magnet.peers = urls::unique(magnet.peers.into_iter());
        magnet.select = joined(magnet.select);
        Ok(magnet)
    }
}

impl fmt::Display for Magnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "magnet:?xt=urn:btih:{}", self.info_hash)?;
        if let Some(hash) = &self.info_hash_v2 {
            write!(f, "&xt=urn:btmh:1220{}", HEXLOWER.encode(hash))?;
        }
        let one = |key, value| (key, value);
        let parts = (self.name.iter().map(|value| one("dn", value)))
            .chain(self.trackers.iter().map(|value| one("tr", value)))
            .chain(self.web_seeds.iter().map(|value| one("ws", value)))
            .chain(self.peers.iter().map(|value| one("x.pe", value)));
        for (key, value) in parts {
            write!(f, "&{key}={}", utf8_percent_encode(value, ESCAPED))?;
        }
        for (number, range) in self.select.iter().enumerate() {
            f.write_str(if number == 0 { "&so=" } else { "," })?;
            match (range.start(), range.end()) {
                (start, end) if start == end => write!(f, "{start}")?,
                (start, end) => write!(f, "{start}-{end}")?,
            }
        }
        Ok(())
    }
}

/// The text after a prefix whose case does not count.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// A name as it can be shown in one line.
fn name(text: &str) -> Option<String> {
    let mut name: String = text.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect();
    name.truncate(name.floor_char_boundary(limits::COMPONENT_BYTES));
    (!name.trim().is_empty()).then_some(name)
}

/// Whether this is `host:port`, with an IPv6 address in brackets.
fn is_peer(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_good = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            (1..=253).contains(&host.len())
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        }
    };
    host_is_good
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// `5` or `2-7`; nothing for anything else.
fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    let range = number(start)?..=number(end)?;
    (!range.is_empty()).then_some(range)
}

/// The ranges in rising order, those that touch or overlap made one.
fn joined(mut ranges: Vec<RangeInclusive<u32>>) -> Vec<RangeInclusive<u32>> {
    ranges.sort_by_key(|range| (*range.start(), *range.end()));
    let mut kept: Vec<RangeInclusive<u32>> = Vec::new();
    for range in ranges {
        match kept.last_mut() {
            Some(last) if *range.start() <= last.end().saturating_add(1) => {
                *last = *last.start()..=*last.end().max(range.end());
            }
            _ => kept.push(range),
        }
    }
    kept.truncate(limits::MAGNET_ITEMS);
    kept
}

/// What cannot stand in a parameter as it is. `+` is escaped, since some read it as a space.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':');

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef01234567";

    fn magnet(rest: &str) -> Magnet {
        format!("magnet:?xt=urn:btih:{HEX}{rest}").parse().expect("a good link")
    }

    #[test]
    fn a_full_link_is_read() {
        let v2 = "ab".repeat(32);
        let link = magnet(&format!(
            "&xt=urn:btmh:1220{v2}&dn=A+n%C3%A4me%2B&tr=http%3A%2F%2Fa%2Fx%3Fk%3D1&tr.1=udp://b:1&ws=http://w/ f\
             &x.pe=1.2.3.4:5&x.pe=[::1]:6&x.pe=host.example:7&so=0,2,4,6-8&xl=10&kt=junk"
        ));
        assert_eq!(link.info_hash.to_hex(), HEX);
        assert_eq!(link.info_hash_v2, Some([0xab; 32]));
        assert_eq!(link.name.as_deref(), Some("A näme+"));
        assert_eq!(link.trackers, ["http://a/x?k=1", "udp://b:1"]);
        assert_eq!(link.web_seeds, ["http://w/%20f"]);
        assert_eq!(link.peers, ["1.2.3.4:5", "[::1]:6", "host.example:7"]);
        assert_eq!(link.select, [0..=0, 2..=2, 4..=4, 6..=8]);
        assert!(link.selects(7) && !link.selects(1) && magnet("").selects(1));
        assert_eq!(link.to_string().parse(), Ok(link));
    }

    #[test]
    fn the_ways_to_write_a_hash() {
        let base32 = data_encoding::BASE32.encode(&magnet("").info_hash.0);
        for link in [
            format!("magnet:?xt=urn:btih:{base32}"),
            format!("MAGNET:?XT=URN:BTIH:{}", HEX.to_uppercase()),
            format!("  magnet:?dn=x&amp;xt=urn%3Abtih%3A{HEX}\n"),
            format!("magnet:?xt.1=urn:sha1:XYZ&xt.2=urn:btih:{HEX}&xt=urn:btih:{HEX}"),
        ] {
            assert_eq!(link.parse::<Magnet>().map(|link| link.info_hash.to_hex()), Ok(HEX.into()), "{link}");
        }
    }

    #[test]
    fn bad_links_are_refused_with_a_reason() {
        let v2 = format!("magnet:?xt=urn:btmh:1220{}", "0f".repeat(32));
        let other = HEX.replace('0', "1");
        let table = [
            ("", MagnetError::Scheme),
            ("http://x", MagnetError::Scheme),
            ("magnet:", MagnetError::Scheme),
            ("magnét:?xt", MagnetError::Scheme),
            ("magnet:?", MagnetError::NoHash),
            ("magnet:?dn=x", MagnetError::NoHash),
            ("magnet:?xt=urn:sha1:ABC", MagnetError::NoHash),
            ("magnet:?xt=urn:btih:", MagnetError::Hash),
            ("magnet:?xt=urn:btih:0123", MagnetError::Hash),
            ("magnet:?xt=urn:btmh:1220ab", MagnetError::Hash),
            (&v2, MagnetError::V2Only),
            (&format!("magnet:?xt=urn:btih:{HEX}&xt=urn:btih:{other}"), MagnetError::TwoHashes),
            (&format!("magnet:?xt=urn:btih:{}", "€".repeat(14)), MagnetError::Hash),
            (&"magnet:?".repeat(10_000), MagnetError::TooLong),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<Magnet>(), Err(error), "{}", &text[..text.floor_char_boundary(80)]);
        }
    }

    #[test]
    fn what_is_no_peer_file_or_tracker_is_left_out() {
        let link = magnet(
            "&x.pe=1.2.3.4&x.pe=:5&x.pe=a:0&x.pe=a:65536&x.pe=a b:1&x.pe=[x]:1&x.pe=a:+5&tr=junk&tr=&ws=x\
             &so=x,3-1,-1,1-,5,99999999999,+7&dn=%E2%80%AE%0A",
        );
        assert_eq!(link, Magnet { select: vec![5..=5], ..magnet("") });
        assert_eq!(magnet("&so=5-9,1,2,8-4294967295,4294967295").select, [1..=2, 5..=u32::MAX]);
    }

    #[test]
    fn lists_are_bounded() {
        let mut rest = String::new();
        for n in 0..1_200 {
            rest += &format!("&tr=udp://t{n}:1&ws=http://{n}&x.pe=h{n}:1&so={}", n * 2);
        }
        let link = magnet(&rest);
        assert_eq!((link.trackers.len(), link.web_seeds.len()), (limits::TRACKERS, limits::TRACKERS));
        assert_eq!((link.peers.len(), link.select.len()), (limits::MAGNET_ITEMS, limits::MAGNET_ITEMS));
        assert_eq!(magnet(&"&tr=udp://same:1".repeat(1_000)).trackers.len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}", rest in "[&=%+.:a-z0-9\\[\\]-]{0,120}") {
            let _ = text.parse::<Magnet>();
            let _ = format!("magnet:?{text}").parse::<Magnet>();
            if let Ok(link) = format!("magnet:?xt=urn:btih:{HEX}&{rest}&dn={text}").parse::<Magnet>() {
                prop_assert_eq!(link.to_string().parse(), Ok(link));
            }
        }
    }
}
