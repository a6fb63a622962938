//! Trackers over UDP (BEP 15) with the URL in the announce (BEP 41): requests and responses, read and written by client and
//! tracker alike.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use crate::base::{InfoHash, PeerId};
use crate::wire::tracker::{Counts, Event};

/// What every connect request begins with.
pub const PROTOCOL_ID: u64 = 0x0417_2710_1980;
/// Torrents in one scrape (BEP 15).
pub const SCRAPE_HASHES: usize = 74;
/// Bytes of the longest URL that is put together from an announce's options.
pub const URL_DATA_BYTES: usize = 2_048;

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// It wants a connection id.
    Connect {
        /// Chosen by the client, repeated in the response.
        transaction_id: u32,
    },
    /// It announces.
    Announce {
        /// As the tracker gave it.
        connection_id: u64,
        /// Chosen by the client, repeated in the response.
        transaction_id: u32,
        /// What it tells.
        announce: Announce<'a>,
    },
    /// It asks for counts.
    Scrape {
        /// As the tracker gave it.
        connection_id: u64,
        /// Chosen by the client, repeated in the response.
        transaction_id: u32,
        /// The torrents, at most [`SCRAPE_HASHES`].
        hashes: &'a [[u8; 20]],
    },
}

/// The body of an announce request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce<'a> {
    /// The torrent.
    pub info_hash: InfoHash,
    /// The client, for this session.
    pub peer_id: PeerId,
    /// Bytes downloaded since `started`.
    pub downloaded: u64,
    /// Bytes still missing.
    pub left: u64,
    /// Bytes uploaded since `started`.
    pub uploaded: u64,
    /// Why now; an unknown number counts as no event.
    pub event: Event,
    /// The address the client asks to be known by, where it asks.
    pub ip: Option<Ipv4Addr>,
    /// The client's secret.
    pub key: u32,
    /// Peers wanted; nothing where the tracker is to choose.
    pub numwant: Option<u32>,
    /// The TCP port the client listens on.
    pub port: u16,
    /// What stands after the fixed part.
    pub options: Options<'a>,
}

/// The options of an announce (BEP 41), as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a>(pub &'a [u8]);

/// A request that does not read, with as much of it as a tracker needs to decide whether to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRequest {
    /// The connection id it came with.
    pub connection_id: u64,
    /// The transaction it belongs to.
    pub transaction_id: u32,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// What a tracker sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// A connection id.
    Connect {
        /// The request's.
        transaction_id: u32,
        /// To be shown in later requests, for a minute.
        connection_id: u64,
    },
    /// Peers.
    Announce {
        /// The request's.
        transaction_id: u32,
        /// Seconds until the next announce.
        interval_secs: u32,
        /// Downloaders.
        leechers: u32,
        /// Seeds.
        seeders: u32,
        /// Compact peers of the address family that the tracker was asked over.
        peers: &'a [u8],
    },
    /// Counts in the order of the request.
    Scrape {
        /// The request's.
        transaction_id: u32,
        /// Twelve bytes a torrent.
        counts: &'a [[u8; 12]],
    },
    /// A refusal.
    Error {
        /// The request's.
        transaction_id: u32,
        /// The tracker's words.
        message: &'a [u8],
    },
}

impl<'a> Request<'a> {
    /// Reads a datagram; `Err(None)` where it is too short or foreign to be answered at all.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Option<BadRequest>> {
        let mut reader = Reader(datagram);
        let (Some(connection_id), Some(action), Some(transaction_id)) =
            (reader.u64(), reader.u32(), reader.u32())
        else {
            return Err(None);
        };
        let bad = |reason| Some(BadRequest { connection_id, transaction_id, reason });
        match action {
            CONNECT if connection_id == PROTOCOL_ID => Ok(Self::Connect { transaction_id }),
            CONNECT => Err(None),
            ANNOUNCE => {
                let announce = Announce::read(&mut reader).ok_or_else(|| bad("announce too short"))?;
                Ok(Self::Announce { connection_id, transaction_id, announce })
            }
            SCRAPE => {
                let (hashes, _) = reader.0.as_chunks();
                let hashes = &hashes[..hashes.len().min(SCRAPE_HASHES)];
                if hashes.is_empty() {
                    return Err(bad("scrape without info_hash"));
                }
                Ok(Self::Scrape { connection_id, transaction_id, hashes })
            }
            _ => Err(bad("invalid action")),
        }
    }

    /// Appends the datagram.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Connect { transaction_id } => put_request(out, PROTOCOL_ID, CONNECT, *transaction_id),
            Self::Announce { connection_id, transaction_id, announce } => {
                put_request(out, *connection_id, ANNOUNCE, *transaction_id);
                announce.write(out);
            }
            Self::Scrape { connection_id, transaction_id, hashes } => {
                put_request(out, *connection_id, SCRAPE, *transaction_id);
                hashes.iter().take(SCRAPE_HASHES).for_each(|hash| out.extend_from_slice(hash));
            }
        }
    }
}

impl<'a> Announce<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        Some(Self {
            info_hash: InfoHash(*reader.bytes()?),
            peer_id: PeerId(*reader.bytes()?),
            downloaded: reader.u64()?,
            left: reader.u64()?,
            uploaded: reader.u64()?,
            event: match reader.u32()? {
                1 => Event::Completed,
                2 => Event::Started,
                3 => Event::Stopped,
                4 => Event::Paused,
                _ => Event::None,
            },
            ip: Some(Ipv4Addr::from_bits(reader.u32()?)).filter(|ip| !ip.is_unspecified()),
            key: reader.u32()?,
            // -1 asks for the tracker's own choice.
            numwant: Some(reader.u32()?).filter(|wanted| i32::try_from(*wanted).is_ok()),
            port: u16::from_be_bytes(*reader.bytes()?),
            options: Options(reader.0),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.info_hash.0);
        out.extend_from_slice(&self.peer_id.0);
        for number in [self.downloaded, self.left, self.uploaded] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        let event: u32 = match self.event {
            Event::None => 0,
            Event::Completed => 1,
            Event::Started => 2,
            Event::Stopped => 3,
            Event::Paused => 4,
        };
        for number in
            [event, self.ip.map_or(0, Ipv4Addr::to_bits), self.key, self.numwant.unwrap_or(u32::MAX)]
        {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.port.to_be_bytes());
        out.extend_from_slice(self.options.0);
    }
}

impl<'a> Options<'a> {
    /// The path and query of the announce URL, put together from its parts; nothing where there is none. Options of unknown
    /// kinds are skipped, and whatever stands behind a broken one is ignored.
    pub fn url_data(&self) -> Option<Cow<'a, [u8]>> {
        let mut url: Option<Cow<'a, [u8]>> = None;
        let mut rest = self.0;
        while let [kind, tail @ ..] = rest {
            rest = match *kind {
                END_OF_OPTIONS => break,
                NOP => tail,
                kind => {
                    let Some((data, tail)) =
                        tail.split_first().and_then(|(len, tail)| tail.split_at_checked(usize::from(*len)))
                    else {
                        break;
                    };
                    if kind == URL_DATA {
                        match &mut url {
                            None => url = Some(data.into()),
                            Some(url) if url.len() + data.len() <= URL_DATA_BYTES => {
                                url.to_mut().extend_from_slice(data)
                            }
                            Some(_) => break,
                        }
                    }
                    tail
                }
            };
        }
        url
    }

    /// Appends the options that carry `url_data`, the path and query of the announce URL; none for an empty one.
    pub fn write_url_data(url_data: &[u8], out: &mut Vec<u8>) {
        let url_data = &url_data[..url_data.len().min(URL_DATA_BYTES)];
        for part in url_data.chunks(255) {
            out.extend([URL_DATA, part.len() as u8]);
            out.extend_from_slice(part);
        }
        if !url_data.is_empty() {
            out.push(END_OF_OPTIONS);
        }
    }
}

impl<'a> Response<'a> {
    /// Reads a datagram; nothing where it is no response.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(datagram);
        let (action, transaction_id) = (reader.u32()?, reader.u32()?);
        Some(match action {
            CONNECT => Self::Connect { transaction_id, connection_id: reader.u64()? },
            ANNOUNCE => Self::Announce {
                transaction_id,
                interval_secs: reader.u32()?,
                leechers: reader.u32()?,
                seeders: reader.u32()?,
                peers: reader.0,
            },
            SCRAPE => Self::Scrape { transaction_id, counts: reader.0.as_chunks().0 },
            ERROR => Self::Error { transaction_id, message: reader.0 },
            _ => return None,
        })
    }

    /// The transaction it answers.
    pub fn transaction_id(&self) -> u32 {
        match self {
            Self::Connect { transaction_id, .. }
            | Self::Announce { transaction_id, .. }
            | Self::Scrape { transaction_id, .. }
            | Self::Error { transaction_id, .. } => *transaction_id,
        }
    }

    /// Appends the datagram.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Connect { transaction_id, connection_id } => {
                put_u32s(out, [CONNECT, *transaction_id]);
                out.extend_from_slice(&connection_id.to_be_bytes());
            }
            Self::Announce { transaction_id, interval_secs, leechers, seeders, peers } => {
                // Peers follow without a count, so that a tracker may also append more of them afterwards.
                put_u32s(out, [ANNOUNCE, *transaction_id, *interval_secs, *leechers, *seeders]);
                out.extend_from_slice(peers);
            }
            Self::Scrape { transaction_id, counts } => {
                put_u32s(out, [SCRAPE, *transaction_id]);
                out.extend_from_slice(counts.as_flattened());
            }
            Self::Error { transaction_id, message } => {
                put_u32s(out, [ERROR, *transaction_id]);
                out.extend_from_slice(message);
            }
        }
    }
}

impl Counts {
    /// The twelve bytes of one torrent in a scrape response over UDP.
    pub fn to_udp(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.complete.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.downloaded.to_be_bytes());
        bytes[8..].copy_from_slice(&self.incomplete.to_be_bytes());
        bytes
    }

    /// Reads those twelve bytes.
    pub fn from_udp(bytes: &[u8; 12]) -> Self {
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self { complete: number(0), downloaded: number(4), downloaders: None, incomplete: number(8) }
    }
}

/// What is left of a datagram.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes().map(|bytes| u32::from_be_bytes(*bytes))
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes().map(|bytes| u64::from_be_bytes(*bytes))
    }
}

fn put_request(out: &mut Vec<u8>, connection_id: u64, action: u32, transaction_id: u32) {
    out.extend_from_slice(&connection_id.to_be_bytes());
    put_u32s(out, [action, transaction_id]);
}

fn put_u32s<const N: usize>(out: &mut Vec<u8>, numbers: [u32; N]) {
    for number in numbers {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

const CONNECT: u32 = 0;
const ANNOUNCE: u32 = 1;
const SCRAPE: u32 = 2;
const ERROR: u32 = 3;

const END_OF_OPTIONS: u8 = 0;
const NOP: u8 = 1;
const URL_DATA: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn announce(options: &[u8]) -> Announce<'_> {
        Announce {
            info_hash: InfoHash([1; 20]),
            peer_id: PeerId([2; 20]),
            downloaded: 3,
            left: u64::MAX,
            uploaded: 5,
            event: Event::Started,
            ip: None,
            key: 0xdead_beef,
            numwant: Some(50),
            port: 6881,
            options: Options(options),
        }
    }

    #[test]
    fn requests_survive_the_wire() {
        let mut options = Vec::new();
        Options::write_url_data(b"/announce?key=1", &mut options);
        let choose =
            Announce { numwant: None, ip: Some([10, 0, 0, 1].into()), event: Event::Paused, ..announce(&[]) };
        for request in [
            Request::Connect { transaction_id: 7 },
            Request::Announce { connection_id: 1, transaction_id: 2, announce: announce(&options) },
            Request::Announce { connection_id: 1, transaction_id: 2, announce: choose },
            Request::Scrape { connection_id: u64::MAX, transaction_id: 0, hashes: &[[9; 20]; 74] },
        ] {
            let mut bytes = Vec::new();
            request.write(&mut bytes);
            assert_eq!(Request::parse(&bytes), Ok(request));
        }
    }

    #[test]
    fn an_announce_is_laid_out_as_bep_15_says() {
        let mut bytes = Vec::new();
        Request::Announce { connection_id: 0x11, transaction_id: 0x22, announce: announce(&[]) }
            .write(&mut bytes);
        assert_eq!(bytes.len(), 98);
        assert_eq!(bytes[..16], [0, 0, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 1, 0, 0, 0, 0x22]);
        assert_eq!(bytes[56..64], [0, 0, 0, 0, 0, 0, 0, 3]);
        assert_eq!(bytes[80..], [0, 0, 0, 2, 0, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 50, 0x1a, 0xe1]);
    }

    #[test]
    fn responses_survive_the_wire() {
        let counts = Counts { complete: 1, downloaded: u32::MAX, downloaders: None, incomplete: 3 };
        assert_eq!(Counts::from_udp(&counts.to_udp()), counts);
        for response in [
            Response::Connect { transaction_id: 1, connection_id: 2 },
            Response::Announce {
                transaction_id: 1,
                interval_secs: 1800,
                leechers: 2,
                seeders: 3,
                peers: &[1; 12],
            },
            Response::Scrape { transaction_id: 1, counts: &[counts.to_udp(); 2] },
            Response::Error { transaction_id: 1, message: b"no" },
        ] {
            let mut bytes = Vec::new();
            response.write(&mut bytes);
            assert_eq!(Response::parse(&bytes), Some(response));
        }
    }

    #[test]
    fn short_and_foreign_requests_are_told_apart() {
        let mut whole = Vec::new();
        Request::Announce { connection_id: 1, transaction_id: 2, announce: announce(&[]) }.write(&mut whole);
        for len in 0..whole.len() {
            match Request::parse(&whole[..len]) {
                Err(None) => assert!(len < 16),
                Err(Some(bad)) => {
                    assert_eq!((len >= 16, bad.connection_id, bad.transaction_id), (true, 1, 2))
                }
                Ok(request) => panic!("{request:?}"),
            }
        }
        let mut foreign = Vec::new();
        put_request(&mut foreign, PROTOCOL_ID + 1, CONNECT, 5);
        assert_eq!(Request::parse(&foreign), Err(None));
        let mut many = Vec::new();
        put_request(&mut many, 1, SCRAPE, 5);
        many.resize(16 + 20 * 100 + 3, 1);
        assert!(
            matches!(Request::parse(&many), Ok(Request::Scrape { hashes, .. }) if hashes.len() == SCRAPE_HASHES)
        );
        assert!(Request::parse(&many[..30]).is_err());
    }

    #[test]
    fn a_url_comes_together_from_its_parts() {
        let url: Vec<u8> = (0..700).map(|at| b'a' + (at % 26) as u8).collect();
        let mut options = vec![NOP, 77, 3, 1, 2, 3];
        Options::write_url_data(&url, &mut options);
        assert_eq!(Options(&options).url_data().as_deref(), Some(&url[..]));
        assert!(matches!(Options(&[2, 2, b'/', b'a', 0, 2, 1, b'x']).url_data(), Some(Cow::Borrowed(b"/a"))));
        for none in [&[][..], &[2], &[2, 5, b'a'], &[0, 2, 1, b'a'], &[1, 1, 1], &[9, 200]] {
            assert_eq!(Options(none).url_data(), None);
        }
        let endless = [2, 255].iter().copied().chain([b'x'; 255]).cycle().take(65_000).collect::<Vec<u8>>();
        assert!(Options(&endless).url_data().is_some_and(|url| url.len() <= URL_DATA_BYTES));
    }

    #[test]
    fn no_input_panics() {
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let mut bytes = vec![0; rng.below(160)];
            rng.fill(&mut bytes);
            if bytes.len() > 16 {
                bytes[8..11].fill(0);
                bytes[11] &= 3;
                bytes[..3].fill(0);
            }
            if let Ok(Request::Announce { announce, .. }) = Request::parse(&bytes) {
                _ = announce.options.url_data();
            }
            _ = Response::parse(&bytes);
        }
    }
}
