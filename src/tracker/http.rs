//! A request's target in, a whole response out: `/announce`, `/scrape`, `/stats`, and the page for people at `/`.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::{InfoHash, Moment, Rng, Span};
use crate::tracker::access::is_key;
use crate::tracker::addresses::forwarded;
use crate::tracker::service::{Announce, Asker, Refusal, Tracker};
use crate::tracker::store::{For, SwarmCounts};
use crate::tracker::{Config, Counter, Shards, pages};
use crate::wire::tracker::Counts;
use crate::wire::tracker_http::{
    AnnounceQuery, AnswerHead, DictPeer, Peers, QueryError, scrape_hashes, write_answer, write_failure,
    write_scrape_end, write_scrape_file, write_scrape_start,
};

/// How a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// With its body.
    Get,
    /// Without.
    Head,
    /// As with `Get`; what is posted is not looked at.
    Post,
}

/// What an answer depends on.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// How it is asked for.
    pub method: Method,
    /// Path and query.
    pub target: &'a [u8],
    /// Whether statistics are wanted as JSON.
    pub wants_json: bool,
    /// Whether the connection stays open.
    pub keep_alive: bool,
    /// The last `X-Forwarded-For`.
    pub forwarded: Option<&'a [u8]>,
    /// What stands behind `Authorization: Bearer`.
    pub token: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// A plain GET of a path and query over a connection that stays open.
    pub fn get(target: &'a [u8]) -> Self {
        Self {
            method: Method::Get,
            target,
            wants_json: false,
            keep_alive: true,
            forwarded: None,
            token: None,
        }
    }
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Announce,
    Scrape,
    Statistics,
    Metrics,
    Front,
}

/// A body with what stands above it.
struct Reply {
    status: &'static str,
    kind: &'static str,
}

impl<S: Shards> Tracker<S> {
    /// Appends the response to a request. Where that does not end with what is appended, gives its long rest, which belongs to
    /// others, too.
    pub fn respond(
        &self,
        asker: &Asker<'_>,
        request: &Request<'_>,
        rng: &mut Rng,
        out: &mut Vec<u8>,
    ) -> Option<Arc<[u8]>> {
        let mut long = None;
        let mut body = Vec::with_capacity(512);
        let mut asker = *asker;
        if let Some(list) = request.forwarded
            && asker.config.trusted_proxies.iter().any(|network| network.holds(asker.ip))
        {
            // What a proxy hands on was not asked at the address where the proxy asks us.
            (asker.ip, asker.local) =
                (forwarded(list, &asker.config.trusted_proxies).unwrap_or(asker.ip), None);
        }
        let (path, query) = split(request.target);
        let page = route(path);
        let reply = match page {
            Some((Page::Announce | Page::Scrape, _)) if !self.within_limit(&asker) => {
                self.refuse_http(Refusal::TooMany, &mut body)
            }
            Some((Page::Announce | Page::Scrape, key)) if !asker.config.access.admits(key) => {
                self.refuse_http(Refusal::Key, &mut body)
            }
            Some((Page::Announce, _)) => self.announce_http(&asker, query, rng, &mut body),
            Some((Page::Scrape, _)) => self.scrape_http(&asker, query, &mut body, &mut long),
            Some((Page::Statistics, _)) => self.statistics(query, request.wants_json, &mut body),
            Some((Page::Front, _)) => {
                pages::front(&self.figures(), self.history(), &mut body);
                Reply::HTML
            }
            Some((Page::Metrics, _)) if self.may_manage(&asker, request) => {
                pages::metrics(&self.figures(), &mut body);
                Reply { kind: "text/plain; version=0.0.4; charset=utf-8", ..Reply::TEXT }
            }
            Some((Page::Metrics, _)) => {
                self.stats.count(Counter::Rejected);
                body.extend_from_slice(b"Metrics are for this machine, and for those who know the token.\n");
                Reply { status: "403 Forbidden", ..Reply::TEXT }
            }
            None => {
                self.stats.count(Counter::UnknownQueries);
                pages::not_found(&mut body);
                Reply { status: "404 Not Found", ..Reply::HTML }
            }
        };
        let length = body.len() + long.as_ref().map_or(0, |long| long.len());
        write_head(&reply, length, request.keep_alive, out);
        if request.method == Method::Head {
            return None;
        }
        out.extend_from_slice(&body);
        long
    }

    /// Whether whoever asks may see what is not for everybody: he knows the token, or there is none and he asks from this
    /// machine.
    pub fn may_manage(&self, asker: &Asker<'_>, request: &Request<'_>) -> bool {
        match (&asker.config.admin_token, request.token) {
            (Some(token), Some(shown)) => self.is_same(token.as_bytes(), shown),
            (Some(_), None) => false,
            (None, _) => asker.ip.is_loopback() && request.forwarded.is_none(),
        }
    }

    /// Appends the response of a shell that answers a request by itself.
    pub fn respond_json(
        &self,
        status: &'static str,
        json: &serde_json::Value,
        keep_alive: bool,
        out: &mut Vec<u8>,
    ) {
        let body = format!("{json}\n");
        write_head(&Reply { status, ..Reply::JSON }, body.len(), keep_alive, out);
        out.extend_from_slice(body.as_bytes());
    }

    /// Appends the response to what is no request, after which the connection closes.
    pub fn respond_bad(&self, status: &'static str, out: &mut Vec<u8>) {
        self.stats.count(Counter::FailedQueries);
        let body = b"Invalid request\n";
        write_head(&Reply { status, ..Reply::TEXT }, body.len(), false, out);
        out.extend_from_slice(body);
    }

    fn announce_http(&self, asker: &Asker<'_>, query: &[u8], rng: &mut Rng, body: &mut Vec<u8>) -> Reply {
        let config = asker.config;
        let query = match AnnounceQuery::parse(query) {
            Ok(query) => query,
            Err(error) => return self.bad_query(error, body),
        };
        let announce = Announce {
            info_hash: query.info_hash,
            peer_id: query.peer_id,
            port: query.port,
            left: query.left,
            event: query.event,
            ip: query.ip.as_deref().and_then(|ip| std::str::from_utf8(ip).ok()?.parse().ok()),
            numwant: query.numwant,
            shows_id: true,
            both_families: true,
        };
        // Dictionaries are for those that ask for them, or say nothing (BEP 23).
        let compact = config.answer_compact || query.compact.unwrap_or(false);
        let result = self.announce(asker, &announce, rng, |found| {
            let to = For { ip: asker.ip, port: query.port, id: query.peer_id, local: asker.local };
            let head = AnswerHead {
                interval_secs: config.answer_interval,
                min_interval_secs: Some(config.min_interval()),
                complete: found.counts.complete,
                incomplete: found.counts.incomplete,
                downloaded: Some(found.counts.downloaded),
                external_ip: Some(asker.ip),
                ..AnswerHead::default()
            };
            if compact {
                let (mut v4, mut v6) = (Vec::with_capacity(found.four.len() * 6), Vec::new());
                found.four.write(&to, &mut v4);
                found.six.write(&to, &mut v6);
                write_answer(&head, Peers::Compact { v4: &v4, v6: &v6 }, body);
            } else {
                let mut peers = Vec::with_capacity(found.four.len() + found.six.len());
                let mut add = |addr: SocketAddr, id| {
                    peers.push(DictPeer { addr, id: Some(id).filter(|_| !query.no_peer_id).flatten() });
                };
                found.four.list(&to, &mut add);
                found.six.list(&to, &mut add);
                write_answer(&head, Peers::Dicts(&peers), body);
            }
        });
        if let Err(refusal) = result {
            return self.refuse_http(refusal, body);
        }
        Reply::TEXT
    }

    fn refuse_http(&self, refusal: Refusal, body: &mut Vec<u8>) -> Reply {
        self.stats.count(refusal.counter());
        write_failure(&refusal.to_string(), refusal.retry_in(), body);
        Reply::TEXT
    }

    fn scrape_http(
        &self,
        asker: &Asker<'_>,
        query: &[u8],
        body: &mut Vec<u8>,
        long: &mut Option<Arc<[u8]>>,
    ) -> Reply {
        let config = asker.config;
        let hashes = match scrape_hashes(query, config.max_scrape_torrents as usize) {
            Ok(hashes) => hashes,
            Err(error) => return self.bad_query(error, body),
        };
        if hashes.is_empty() && !config.full_scrape {
            self.stats.count(Counter::Rejected);
            write_failure("a scrape of all torrents is not allowed here", None, body);
            return Reply::TEXT;
        }
        self.stats.count(Counter::Scrapes);
        if hashes.is_empty() {
            self.stats.count(Counter::FullScrapes);
            *long = Some(self.full_scrape(config, asker.now));
            return Reply::TEXT;
        }
        let torrents = hashes.iter().filter_map(|hash| Some((*hash, self.scrape(config, hash)?))).collect();
        write_scrape(torrents, config, body);
        Reply::TEXT
    }

    /// All torrents: as they are now where they are few, or as they were when somebody asked some minutes ago.
    fn full_scrape(&self, config: &Config, now: Moment) -> Arc<[u8]> {
        let fresh = Span::from_secs(config.db_cache_full_scrape_ttl.into());
        if let Some((made, body)) = self.kept_scrape()
            && now.since(made) < fresh
        {
            return body;
        }
        let mut torrents = self.torrents(FULL_SCRAPE);
        let many = torrents.len() > FEW;
        torrents.retain(|(hash, _)| config.access.serves(hash));
        let mut body = Vec::new();
        write_scrape(torrents, config, &mut body);
        let body: Arc<[u8]> = body.into();
        self.keep_scrape(many.then(|| (now, Arc::clone(&body))));
        body
    }

    fn statistics(&self, query: &[u8], json: bool, body: &mut Vec<u8>) -> Reply {
        let figures = self.figures();
        let chosen = pages::choose(&figures, query);
        if json {
            pages::json(&chosen, body);
            Reply::JSON
        } else {
            pages::html(&chosen, body);
            Reply::HTML
        }
    }

    /// A query that does not read is none (400); one that reads and says something wrong is told so, as clients show it.
    fn bad_query(&self, error: QueryError, body: &mut Vec<u8>) -> Reply {
        match error {
            QueryError::NotANumber(_) => {
                self.stats.count(Counter::FailedQueries);
                body.extend_from_slice(b"Invalid request\n");
                Reply { status: "400 Bad Request", ..Reply::TEXT }
            }
            error => {
                self.stats.count(Counter::InvalidQueries);
                write_failure(&error.to_string(), None, body);
                Reply::TEXT
            }
        }
    }
}

impl Reply {
    const TEXT: Self = Self { status: "200 OK", kind: "text/plain" };
    const HTML: Self = Self { status: "200 OK", kind: "text/html; charset=utf-8" };
    const JSON: Self = Self { status: "200 OK", kind: "application/json" };
}

impl From<SwarmCounts> for Counts {
    fn from(counts: SwarmCounts) -> Self {
        let SwarmCounts { complete, incomplete, downloaders, downloaded } = counts;
        Self { complete, downloaded, downloaders: Some(downloaders), incomplete }
    }
}

fn write_scrape(mut torrents: Vec<(InfoHash, SwarmCounts)>, config: &Config, body: &mut Vec<u8>) {
    // Keys of a dictionary are sorted and stand once (BEP 3).
    torrents.sort_unstable_by_key(|(hash, _)| *hash);
    torrents.dedup_by_key(|(hash, _)| *hash);
    write_scrape_start(body);
    for (hash, counts) in torrents {
        write_scrape_file(&hash, counts.into(), None, body);
    }
    write_scrape_end(Some(config.scrape_request_interval), body);
}

/// Torrents in a scrape of all of them.
const FULL_SCRAPE: usize = 100_000;
/// So many torrents are written anew every time.
const FEW: usize = 1_000;

/// Path and query of a target, which may also be a whole URL. A fragment is not sent by anybody who knows what it is.
pub(crate) fn split(target: &[u8]) -> (&[u8], &[u8]) {
    let target = match target.strip_prefix(b"http://").or_else(|| target.strip_prefix(b"https://")) {
        Some(rest) => &rest[rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len())..],
        None => target,
    };
    match target.iter().position(|byte| *byte == b'?') {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &[]),
    }
}

/// What a path leads to, and the key in it: `/announce`, `/KEY/announce` or `/announce/KEY`.
pub(crate) fn route(path: &[u8]) -> Option<(Page, Option<&[u8]>)> {
    let page = |name: &[u8]| match name {
        b"announce" => Some(Page::Announce),
        b"scrape" => Some(Page::Scrape),
        _ => None,
    };
    match path {
        b"/announce" => return Some((Page::Announce, None)),
        b"/scrape" => return Some((Page::Scrape, None)),
        b"/stats" => return Some((Page::Statistics, None)),
        b"/metrics" => return Some((Page::Metrics, None)),
        b"/" => return Some((Page::Front, None)),
        _ => {}
    }
    let path = path.strip_prefix(b"/")?;
    let (first, second) = path.split_at_checked(path.iter().position(|byte| *byte == b'/')?)?;
    let second = &second[1..];
    match (page(first), page(second)) {
        (Some(page), None) if is_key(second) => Some((page, Some(second))),
        (None, Some(page)) if is_key(first) => Some((page, Some(first))),
        _ => None,
    }
}

fn write_head(reply: &Reply, length: usize, keep_alive: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(reply.status.as_bytes());
    out.extend_from_slice(b"\r\nContent-Type: ");
    out.extend_from_slice(reply.kind.as_bytes());
    out.extend_from_slice(b"\r\nContent-Length: ");
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = length;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
    if reply.kind.starts_with("text/html") {
        out.extend_from_slice(PAGE_HEAD);
    }
    out.extend_from_slice(if keep_alive { b"\r\n\r\n" } else { b"\r\nConnection: close\r\n\r\n" });
}

/// What a browser is told of a page: it loads nothing and stands in no other page.
const PAGE_HEAD: &[u8] = b"\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
