//! A tracker's answers, written straight into the caller's buffer: nothing is allocated but that buffer.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::base::{InfoHash, PeerId};
use crate::wire::tracker::{Counts, RetryIn};

/// What an answer holds beside the peers.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnswerHead<'a> {
    /// Seconds until the next announce.
    pub interval_secs: u32,
    /// Seconds before which no further announce is welcome.
    pub min_interval_secs: Option<u32>,
    /// Seeds.
    pub complete: u32,
    /// Downloaders.
    pub incomplete: u32,
    /// Downloads that were ever finished.
    pub downloaded: Option<u32>,
    /// The client's address (BEP 24).
    pub external_ip: Option<IpAddr>,
    /// A remark for the user.
    pub warning: Option<&'a str>,
    /// What the client is to tell again.
    pub tracker_id: Option<&'a [u8]>,
}

/// The peers of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Peers<'a> {
    /// Six bytes each for IPv4 and eighteen for IPv6 (BEP 7, 23).
    Compact {
        /// For `peers`.
        v4: &'a [u8],
        /// For `peers6`, which is left out where it is empty.
        v6: &'a [u8],
    },
    /// Dictionaries (BEP 3).
    Dicts(&'a [DictPeer]),
}

/// A peer written as a dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DictPeer {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its id, left out where the client did without.
    pub id: Option<PeerId>,
}

/// Appends the answer to an announce.
pub fn write_answer(head: &AnswerHead<'_>, peers: Peers<'_>, out: &mut Vec<u8>) {
    out.push(b'd');
    put_int("complete", head.complete, out);
    if let Some(downloaded) = head.downloaded {
        put_int("downloaded", downloaded, out);
    }
    match head.external_ip {
        Some(IpAddr::V4(ip)) => put_entry("external ip", &ip.octets(), out),
        Some(IpAddr::V6(ip)) => put_entry("external ip", &ip.octets(), out),
        None => {}
    }
    put_int("incomplete", head.incomplete, out);
    put_int("interval", head.interval_secs, out);
    if let Some(secs) = head.min_interval_secs {
        put_int("min interval", secs, out);
    }
    match peers {
        Peers::Compact { v4, v6 } => {
            put_entry("peers", v4, out);
            if !v6.is_empty() {
                put_entry("peers6", v6, out);
            }
        }
        Peers::Dicts(peers) => {
            put_string(b"peers", out);
            out.push(b'l');
            peers.iter().for_each(|peer| put_dict_peer(peer, out));
            out.push(b'e');
        }
    }
    if let Some(id) = head.tracker_id {
        put_entry("tracker id", id, out);
    }
    if let Some(warning) = head.warning {
        put_entry("warning message", warning.as_bytes(), out);
    }
    out.push(b'e');
}

/// Appends a refusal, with when to come back where that is known (BEP 31).
pub fn write_failure(reason: &str, retry_in: Option<RetryIn>, out: &mut Vec<u8>) {
    out.push(b'd');
    put_entry("failure reason", reason.as_bytes(), out);
    match retry_in {
        Some(RetryIn::Minutes(minutes)) => put_int("retry in", minutes, out),
        Some(RetryIn::Never) => put_entry("retry in", b"never", out),
        None => {}
    }
    out.push(b'e');
}

/// Appends the front of a scrape's answer; torrents follow in rising order of their hashes.
pub fn write_scrape_start(out: &mut Vec<u8>) {
    out.extend_from_slice(b"d5:filesd");
}

/// Appends one torrent of a scrape.
pub fn write_scrape_file(hash: &InfoHash, counts: Counts, name: Option<&str>, out: &mut Vec<u8>) {
    put_string(&hash.0, out);
    out.push(b'd');
    put_int("complete", counts.complete, out);
    put_int("downloaded", counts.downloaded, out);
    if let Some(downloaders) = counts.downloaders {
        put_int("downloaders", downloaders, out);
    }
    put_int("incomplete", counts.incomplete, out);
    if let Some(name) = name {
        put_entry("name", name.as_bytes(), out);
    }
    out.push(b'e');
}

/// Appends the end of a scrape, with the seconds before which no further one is welcome.
pub fn write_scrape_end(min_request_interval_secs: Option<u32>, out: &mut Vec<u8>) {
    out.push(b'e');
    if let Some(secs) = min_request_interval_secs {
        put_string(b"flags", out);
        out.push(b'd');
        put_int("min_request_interval", secs, out);
        out.push(b'e');
    }
    out.push(b'e');
}

fn put_dict_peer(peer: &DictPeer, out: &mut Vec<u8>) {
    // Long enough for any address in text.
    let mut text = [0; 48];
    let mut rest = &mut text[..];
    _ = write!(rest, "{}", peer.addr.ip());
    let used = 48 - rest.len();
    out.push(b'd');
    put_entry("ip", &text[..used], out);
    if let Some(id) = peer.id {
        put_entry("peer id", &id.0, out);
    }
    put_int("port", u32::from(peer.addr.port()), out);
    out.push(b'e');
}

fn put_entry(key: &str, value: &[u8], out: &mut Vec<u8>) {
    put_string(key.as_bytes(), out);
    put_string(value, out);
}

fn put_int(key: &str, number: u32, out: &mut Vec<u8>) {
    put_string(key.as_bytes(), out);
    out.push(b'i');
    put_decimal(number as usize, out);
    out.push(b'e');
}

fn put_string(bytes: &[u8], out: &mut Vec<u8>) {
    put_decimal(bytes.len(), out);
    out.push(b':');
    out.extend_from_slice(bytes);
}

fn put_decimal(mut number: usize, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
