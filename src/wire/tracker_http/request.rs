//! Announce and scrape requests: built into a URL by a client, read out of a query string by a tracker.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::base::{InfoHash, PeerId};
use crate::wire::tracker::{Announce, Event};
use crate::wire::tracker_http::query::{Parameters, decode_component, decode_twenty, encode_component};

/// The URL of an announce: the tracker's own, with our parameters behind any that it has already (such as a user's key).
pub fn announce_url(tracker: &str, announce: &Announce) -> String {
    let mut url = String::with_capacity(tracker.len() + 320);
    open_query(tracker, &mut url);
    url.push_str("info_hash=");
    encode_component(&announce.info_hash.0, &mut url);
    url.push_str("&peer_id=");
    encode_component(&announce.peer_id.0, &mut url);
    let Announce { port, uploaded, downloaded, left, numwant, key, .. } = announce;
    // Writing into a string cannot fail.
    _ = write!(
        url,
        "&port={port}&uploaded={uploaded}&downloaded={downloaded}&left={left}&compact=1&no_peer_id=1&numwant={numwant}&key={key:08X}"
    );
    if let Some(event) = event_name(announce.event) {
        _ = write!(url, "&event={event}");
    }
    if let Some(id) = &announce.tracker_id {
        url.push_str("&trackerid=");
        encode_component(id, &mut url);
    }
    url
}

/// The URL of a scrape of these torrents; nothing where the tracker's URL does not lead to one (BEP 48).
pub fn scrape_url(tracker: &str, hashes: &[InfoHash]) -> Option<String> {
    let (front, query) =
        tracker.split_once('?').map_or((tracker, None), |(front, query)| (front, Some(query)));
    let (folder, page) = front.rsplit_once('/')?;
    let rest = page.strip_prefix("announce")?;
    let base = format!(
        "{folder}/scrape{rest}{}{}",
        if query.is_some() { "?" } else { "" },
        query.unwrap_or_default()
    );
    let mut url = String::with_capacity(base.len() + hashes.len() * 72);
    open_query(&base, &mut url);
    for (at, hash) in hashes.iter().enumerate() {
        url.push_str(if at == 0 { "info_hash=" } else { "&info_hash=" });
        encode_component(&hash.0, &mut url);
    }
    Some(url)
}

/// What stands in an announce's query string. Text that a tracker merely compares or rarely uses is kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceQuery<'a> {
    /// The torrent.
    pub info_hash: InfoHash,
    /// The client, for this session.
    pub peer_id: PeerId,
    /// The port it listens on.
    pub port: u16,
    /// Bytes uploaded since `started`.
    pub uploaded: u64,
    /// Bytes downloaded since `started`.
    pub downloaded: u64,
    /// Bytes still missing, where it says so.
    pub left: Option<u64>,
    /// Why now; an unknown word counts as no event.
    pub event: Event,
    /// Peers wanted; nothing where the tracker is to choose.
    pub numwant: Option<u32>,
    /// Whether compact peers are wanted (BEP 23), where it says so.
    pub compact: Option<bool>,
    /// Whether peers may come without their ids.
    pub no_peer_id: bool,
    /// The client's secret, encoded as it came.
    pub key: Option<&'a [u8]>,
    /// What the tracker asked to be told again, encoded as it came.
    pub tracker_id: Option<&'a [u8]>,
    /// The address the client asks to be known by, decoded but not judged.
    pub ip: Option<Cow<'a, [u8]>>,
}

/// A query string that is no announce. The words are those that etracker answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A parameter is missing.
    #[error("{0} required")]
    Required(&'static str),
    /// A parameter has a wrong length or is out of range.
    #[error("{0} invalid value")]
    Invalid(&'static str),
    /// A number is negative.
    #[error("{0} must be positive")]
    Negative(&'static str),
    /// A number does not read.
    #[error("{0} is not a number")]
    NotANumber(&'static str),
}

impl<'a> AnnounceQuery<'a> {
    /// Reads what stands behind the `?`. The first of several equal parameters counts, unknown ones are ignored.
    pub fn parse(query: &'a [u8]) -> Result<Self, QueryError> {
        let (mut info_hash, mut peer_id, mut port) = (None, None, None);
        let (mut uploaded, mut downloaded, mut left) = (None, None, None);
        let (mut event, mut numwant, mut compact, mut no_peer_id) = (None, None, None, None);
        let (mut key, mut tracker_id, mut ip) = (None, None, None);
        for (name, value) in Parameters::new(query) {
            let slot = match name {
                b"info_hash" => &mut info_hash,
                b"peer_id" => &mut peer_id,
                b"port" => &mut port,
                b"uploaded" => &mut uploaded,
                b"downloaded" => &mut downloaded,
                b"left" => &mut left,
                b"event" => &mut event,
                b"numwant" => &mut numwant,
                b"compact" => &mut compact,
                b"no_peer_id" => &mut no_peer_id,
                b"key" => &mut key,
                b"trackerid" => &mut tracker_id,
                b"ip" => &mut ip,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        Ok(Self {
            info_hash: InfoHash(twenty("info_hash", info_hash)?),
            peer_id: PeerId(twenty("peer_id", peer_id)?),
            port: u16::try_from(number("port", port)?.ok_or(QueryError::Required("port"))?)
                .map_err(|_| QueryError::Invalid("port"))?,
            uploaded: number("uploaded", uploaded)?.unwrap_or(0),
            downloaded: number("downloaded", downloaded)?.unwrap_or(0),
            left: number("left", left)?,
            event: event.map_or(Event::None, event_from),
            // Negative numbers ask for the tracker's own choice, as they do over UDP.
            numwant: match number("numwant", numwant) {
                Err(QueryError::Negative(_)) => None,
                wanted => wanted?.map(|wanted| u32::try_from(wanted).unwrap_or(u32::MAX)),
            },
            compact: compact.map(|value| value == b"1"),
            no_peer_id: no_peer_id.is_some_and(|value| value != b"0"),
            key,
            tracker_id,
            ip: ip.map(decode_component),
        })
    }
}

/// The torrents that a scrape's query string names, at most `max`; an empty list asks for all.
pub fn scrape_hashes(query: &[u8], max: usize) -> Result<Vec<InfoHash>, QueryError> {
    Parameters::new(query)
        .filter(|(name, _)| *name == b"info_hash")
        .take(max)
        .map(|(_, value)| decode_twenty(value).map(InfoHash).ok_or(QueryError::Invalid("info_hash")))
        .collect()
}

/// Copies the URL up to the point where a parameter can follow.
fn open_query(tracker: &str, url: &mut String) {
    let tracker = tracker.split('#').next().unwrap_or_default();
    url.push_str(tracker);
    if !tracker.contains('?') {
        url.push('?');
    } else if !tracker.ends_with(['?', '&']) {
        url.push('&');
    }
}

fn event_name(event: Event) -> Option<&'static str> {
    match event {
        Event::None => None,
        Event::Completed => Some("completed"),
        Event::Started => Some("started"),
        Event::Stopped => Some("stopped"),
        Event::Paused => Some("paused"),
    }
}

fn event_from(value: &[u8]) -> Event {
    match value {
        b"completed" => Event::Completed,
        b"started" => Event::Started,
        b"stopped" => Event::Stopped,
        b"paused" => Event::Paused,
        _ => Event::None,
    }
}

fn twenty(name: &'static str, value: Option<&[u8]>) -> Result<[u8; 20], QueryError> {
    decode_twenty(value.ok_or(QueryError::Required(name))?).ok_or(QueryError::Invalid(name))
}

/// A number; an empty value is as good as none.
fn number(name: &'static str, value: Option<&[u8]>) -> Result<Option<u64>, QueryError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    let digits = value.strip_prefix(b"-");
    let all_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if digits.is_some_and(all_digits) {
        return Err(QueryError::Negative(name));
    }
    if !all_digits(value) {
        return Err(QueryError::NotANumber(name));
    }
    let parsed =
        value.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    parsed.map(Some).ok_or(QueryError::Invalid(name))
}
