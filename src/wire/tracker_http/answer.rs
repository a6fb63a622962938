//! What a client makes of a tracker's answer: every field bounded, junk left out (BEP 3, 7, 23, 24, 31, 48).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::base::InfoHash;
use crate::bencode::{self, Node};
use crate::wire::text::printable;
use crate::wire::tracker::{
    Answer, AnswerError, Counts, RetryIn, WORDS, add_peer, take_compact_v4, take_compact_v6,
};

/// Reads the answer to an announce.
pub fn parse_answer(body: &[u8]) -> Result<Answer, AnswerError> {
    let document = bencode::decode(body).map_err(|_| AnswerError::Malformed("not bencoded"))?;
    let root = document.root();
    refuse(root)?;
    let mut answer = Answer {
        interval_secs: root.get(b"interval").and_then(count),
        min_interval_secs: root.get(b"min interval").and_then(count),
        complete: root.get(b"complete").and_then(count),
        incomplete: root.get(b"incomplete").and_then(count),
        downloaded: root.get(b"downloaded").and_then(count),
        external_ip: root.get(b"external ip").and_then(Node::bytes).and_then(address),
        warning: root.get(b"warning message").and_then(Node::bytes).and_then(|text| printable(text, WORDS)),
        tracker_id: root
            .get(b"tracker id")
            .and_then(Node::bytes)
            .filter(|id| id.len() <= TRACKER_ID_BYTES)
            .map(<[u8]>::to_vec),
        peers: Vec::new(),
    };
    if let Some(peers) = root.get(b"peers") {
        take_compact_v4(peers.bytes().unwrap_or_default(), &mut answer.peers);
        for entry in peers.list() {
            if let Some(peer) = dict_peer(entry) {
                add_peer(&mut answer.peers, peer);
            }
        }
    }
    take_compact_v6(root.get(b"peers6").and_then(Node::bytes).unwrap_or_default(), &mut answer.peers);
    Ok(answer)
}

/// Reads the answer to a scrape, at most `max` torrents of it.
pub fn parse_scrape(body: &[u8], max: usize) -> Result<Vec<(InfoHash, Counts)>, AnswerError> {
    let document = bencode::decode(body).map_err(|_| AnswerError::Malformed("not bencoded"))?;
    let root = document.root();
    refuse(root)?;
    let files = root.get(b"files").ok_or(AnswerError::Malformed("no files in a scrape"))?;
    let number = |file: Node<'_>, key: &[u8]| file.get(key).and_then(count).unwrap_or(0);
    Ok(files
        .dict()
        .filter_map(|(hash, file)| {
            let counts = Counts {
                complete: number(file, b"complete"),
                downloaded: number(file, b"downloaded"),
                downloaders: file.get(b"downloaders").and_then(count),
                incomplete: number(file, b"incomplete"),
            };
            Some((InfoHash(hash.try_into().ok()?), counts))
        })
        .take(max)
        .collect())
}

fn refuse(root: Node<'_>) -> Result<(), AnswerError> {
    if !root.is_dict() {
        return Err(AnswerError::Malformed("not a dictionary"));
    }
    let Some(reason) = root.get(b"failure reason") else { return Ok(()) };
    let reason = reason
        .bytes()
        .and_then(|text| printable(text, WORDS))
        .unwrap_or_else(|| "no reason given".to_owned());
    Err(AnswerError::Refused { reason, retry_in: root.get(b"retry in").and_then(retry_in) })
}

/// Minutes, as a number or in digits, or the word `never` (BEP 31).
fn retry_in(node: Node<'_>) -> Option<RetryIn> {
    if let Some(minutes) = count(node) {
        return Some(RetryIn::Minutes(minutes));
    }
    match node.text()? {
        "never" => Some(RetryIn::Never),
        text => text.parse().ok().map(RetryIn::Minutes),
    }
}

/// A number that counts something: negative ones are none, large ones saturate.
fn count(node: Node<'_>) -> Option<u32> {
    node.int().filter(|number| *number >= 0).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).to_canonical())
}

/// A peer of the older form: a dictionary with `ip` as text and `port` (BEP 3). Host names are not looked up.
fn dict_peer(entry: Node<'_>) -> Option<SocketAddr> {
    let ip: IpAddr = entry.get(b"ip")?.text()?.parse().ok()?;
    let port = u16::try_from(entry.get(b"port")?.int()?).ok()?;
    Some(SocketAddr::new(ip.to_canonical(), port))
}

/// Bytes of a tracker's id that are told again; longer ones are dropped.
const TRACKER_ID_BYTES: usize = 256;
