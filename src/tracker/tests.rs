//! Announces, scrapes and statistics through the whole room, without a socket.

mod counting;
mod flood;
mod settings;

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};

use crate::base::{InfoHash, Moment, PeerId, Rng, Span};
use crate::tracker::{Asker, Config, ConnectionIds, Method, Request, Shard, Tracker, new_shards};
use crate::wire::tracker::{AnswerError, Event, RetryIn, take_compact_v4};
use crate::wire::tracker_http::{parse_answer, parse_scrape};
use crate::wire::tracker_udp::{self as udp, Options, Response};

/// A tracker with all that it is asked with.
struct Bench {
    tracker: Tracker<Vec<RefCell<Shard>>>,
    config: Config,
    rng: Rng,
    now: Moment,
    forwarded: Option<Vec<u8>>,
    token: Option<String>,
}

const HASH: &str = "%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61%61";

impl Bench {
    fn new(config: Config) -> Self {
        let mut rng = Rng::new(5);
        let now = Moment::ZERO + Span::from_secs(1_000_000);
        let shards: Vec<_> = new_shards(&config, now, &mut rng).into_iter().map(RefCell::new).collect();
        let tracker = Tracker::new(shards, ConnectionIds::new([3; 16]), &mut rng);
        Self { tracker, config, rng, now, forwarded: None, token: None }
    }

    fn get(&mut self, target: &str) -> String {
        self.ask(target, "81.2.3.4", false)
    }

    fn ask(&mut self, target: &str, ip: &str, wants_json: bool) -> String {
        let ip: IpAddr = ip.parse().expect("an address");
        let request = Request {
            method: Method::Get,
            target: target.as_bytes(),
            wants_json,
            keep_alive: true,
            forwarded: self.forwarded.as_deref(),
            token: self.token.as_deref().map(str::as_bytes),
        };
        let asker = Asker { ip, local: None, now: self.now, config: &self.config };
        let mut out = Vec::new();
        if let Some(long) = self.tracker.respond(&asker, &request, &mut self.rng, &mut out) {
            out.extend_from_slice(&long);
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    fn peer(&mut self, number: u32, rest: &str) -> String {
        self.get(&format!(
            "/announce?info_hash={HASH}&peer_id=-XX0000-{number:012}&port={}&{rest}",
            6_000 + number
        ))
    }

    fn datagram(&mut self, bytes: &[u8]) -> Vec<u8> {
        let ip = [81, 2, 3, 4].into();
        let asker = Asker { ip, local: None, now: self.now, config: &self.config };
        let mut out = Vec::new();
        self.tracker.datagram(&asker, 5_000, bytes, &mut self.rng, &mut out);
        out
    }

    fn connect(&mut self) -> u64 {
        let mut bytes = Vec::new();
        udp::Request::Connect { transaction_id: 9 }.write(&mut bytes);
        match Response::parse(&self.datagram(&bytes)) {
            Some(Response::Connect { transaction_id: 9, connection_id }) => connection_id,
            other => panic!("{other:?}"),
        }
    }

    fn figure(&self, name: &str) -> u64 {
        self.tracker.figures().iter().find(|figure| figure.0 == name).expect("a known figure").1
    }
}

fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").expect("a head and a body").1
}

fn announce(number: u16, event: Event, left: u64) -> udp::Announce<'static> {
    udp::Announce {
        info_hash: InfoHash([0x61; 20]),
        peer_id: PeerId([number as u8; 20]),
        downloaded: 0,
        left,
        uploaded: 0,
        event,
        ip: None,
        key: 1,
        numwant: None,
        port: 6_000 + number,
        options: Options(&[]),
    }
}

fn announce_bytes(connection_id: u64, announce: udp::Announce<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    udp::Request::Announce { connection_id, transaction_id: 7, announce }.write(&mut bytes);
    bytes
}

#[test]
fn peers_meet_and_are_counted() {
    let mut bench = Bench::new(Config::default());
    bench.peer(1, "left=0&compact=1&event=started");
    let answer = parse_answer(body(&bench.peer(2, "left=5&compact=1&event=started")).as_bytes());
    // The port's bytes are no text, so that only the head of the answer survives as one.
    assert!(answer.is_ok());
    let listed = bench.peer(3, "left=5");
    let answer = parse_answer(body(&listed).as_bytes()).expect("a bencoded answer");
    let expected: Vec<SocketAddr> =
        ["81.2.3.4:6001", "81.2.3.4:6002"].map(|text| text.parse().expect("good")).into();
    let mut given = answer.peers.clone();
    given.sort();
    assert_eq!(given, expected);
    assert!(listed.contains("7:peer id20:-XX0000-000000000001"), "{listed}");
    assert!(!bench.peer(3, "left=5&no_peer_id=1").contains("peer id"));
    assert_eq!((answer.complete, answer.incomplete), (Some(1), Some(2)));
    assert_eq!((answer.interval_secs, answer.min_interval_secs), (Some(1_800), Some(900)));
    assert_eq!(answer.external_ip, Some([81, 2, 3, 4].into()), "as the tracker sees it (BEP 24)");
    for (name, value) in
        [("torrents", 1), ("seeders", 1), ("leechers", 2), ("peers", 3), ("announces", 4), ("scrapes", 0)]
    {
        assert_eq!(bench.figure(name), value, "{name}");
    }
    bench.peer(2, "left=0&event=completed");
    bench.peer(1, "left=0&event=stopped");
    let scrape = parse_scrape(body(&bench.get(&format!("/scrape?info_hash={HASH}"))).as_bytes(), 9);
    assert_eq!(
        scrape
            .map(|torrents| torrents.iter().map(|(_, c)| (c.complete, c.downloaded, c.incomplete)).collect()),
        Ok(vec![(1, 1, 1)])
    );
}

#[test]
fn refusals_say_why() {
    let mut bench = Bench::new(Config { db_cache_size: 1, full_scrape: false, ..Config::default() });
    assert!(
        bench
            .get("/announce?info_hash=short&peer_id=x&port=1")
            .contains("14:failure reason23:info_hash invalid value")
    );
    assert!(bench.get("/announce").contains("info_hash required"));
    assert!(bench.peer(1, "left=x").starts_with("HTTP/1.1 400"));
    assert!(bench.get("/scrape").contains("failure reason"));
    assert!(bench.get("/x").starts_with("HTTP/1.1 404"));
    bench.peer(1, "left=1");
    bench.peer(2, "left=1");
    let other = HASH.replace("61", "62");
    let full = bench.get(&format!("/announce?info_hash={other}&peer_id=-XX0000-000000000009&port=9"));
    assert_eq!(
        parse_answer(body(&full).as_bytes()),
        Err(AnswerError::Refused {
            reason: "the tracker is full".to_owned(),
            retry_in: Some(RetryIn::Minutes(15))
        })
    );
    assert_eq!((bench.figure("rejected"), bench.figure("announces")), (2, 2));
}

#[test]
fn statistics_come_as_json_and_html() {
    let mut bench = Bench::new(Config::default());
    bench.peer(1, "left=1");
    let mut json = |target: &str| -> serde_json::Value {
        let response = bench.ask(target, "81.2.3.4", true);
        assert!(response.contains("Content-Type: application/json"));
        serde_json::from_str(body(&response)).expect("JSON")
    };
    assert_eq!(json("/stats")["value"]["leechers"], 1);
    assert_eq!(
        json("/stats?id=peers&id=torrents"),
        serde_json::json!({ "value": { "peers": 1, "torrents": 1 } })
    );
    assert_eq!(json("/stats?id=%22x"), serde_json::json!({ "error": { "invalid_key": "\"x" } }));
    let html = bench.get("/stats?id=seeders");
    assert!(
        html.contains("text/html") && html.contains("<th scope=\"row\">seeders</th><td>0</td>"),
        "{html}"
    );
    let html = bench.get("/stats?id=<script>");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"));
    let request = Request { method: Method::Head, keep_alive: false, ..Request::get(b"/stats") };
    let asker = Asker { ip: [1, 2, 3, 4].into(), local: None, now: bench.now, config: &bench.config };
    let mut out = Vec::new();
    bench.tracker.respond(&asker, &request, &mut bench.rng, &mut out);
    assert!(out.ends_with(b"Connection: close\r\n\r\n"));
}

#[test]
fn udp_and_http_share_their_swarms() {
    let mut bench = Bench::new(Config::default());
    bench.peer(1, "left=0");
    let id = bench.connect();
    let answer = bench.datagram(&announce_bytes(id, announce(2, Event::Started, 5)));
    let Some(Response::Announce { transaction_id: 7, interval_secs: 1_800, leechers: 1, seeders: 1, peers }) =
        Response::parse(&answer)
    else {
        panic!("{answer:?}")
    };
    let mut given = Vec::new();
    take_compact_v4(peers, &mut given);
    assert_eq!(given, ["81.2.3.4:6001".parse().expect("an address")]);
    let mut scrape = Vec::new();
    let hashes = [[0x61; 20], [0x62; 20]];
    udp::Request::Scrape { connection_id: id, transaction_id: 8, hashes: &hashes }.write(&mut scrape);
    let answer = bench.datagram(&scrape);
    assert_eq!(
        answer[8..],
        [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            [..24]
    );
    bench.datagram(&announce_bytes(id, announce(2, Event::Stopped, 5)));
    assert_eq!((bench.figure("leechers"), bench.figure("announces"), bench.figure("scrapes")), (0, 3, 1));
}

#[test]
fn nobody_is_sent_more_than_he_sent_before_he_has_shown_his_address() {
    let mut bench = Bench::new(Config { rate_limit: 0, ..Config::default() });
    let id = bench.connect();
    bench.datagram(&announce_bytes(id, announce(1, Event::Started, 5)));
    let mut rng = Rng::new(2);
    let good = announce_bytes(id, announce(2, Event::Started, 5));
    for turn in 0..20_000_usize {
        let mut bytes = match turn % 4 {
            0 => vec![0; rng.below(200)],
            _ => good[..rng.below(good.len() + 1)].to_vec(),
        };
        if turn % 4 == 0 {
            rng.fill(&mut bytes);
        }
        if let Some(stamp) = bytes.get_mut(4..8) {
            rng.fill(stamp);
        }
        let answer = bench.datagram(&bytes);
        assert!(answer.is_empty(), "{bytes:?}");
    }
    let mut connect = Vec::new();
    udp::Request::Connect { transaction_id: 1 }.write(&mut connect);
    assert!(bench.datagram(&connect).len() <= connect.len());
    connect.push(0);
    assert!(bench.datagram(&connect).len() <= connect.len());
    assert_eq!(bench.figure("peers"), 1, "nothing of it was stored");
    assert_eq!(bench.figure("invalid_queries") + bench.figure("failed_queries"), 20_000);
    // Another address, a replay after its time, and a stamp from the future are met with silence, too.
    let ip = [81, 2, 3, 5].into();
    let asker = Asker { ip, local: None, now: bench.now, config: &bench.config };
    let mut out = Vec::new();
    bench.tracker.datagram(&asker, 5_000, &good, &mut bench.rng, &mut out);
    assert!(out.is_empty());
    let now = bench.now;
    for (at, answered) in
        [(now + Span::from_secs(151), false), (now - Span::from_secs(60), false), (now, true)]
    {
        bench.now = at;
        assert_eq!(!bench.datagram(&good).is_empty(), answered);
    }
}

#[test]
fn nobody_removes_anothers_peer() {
    let mut bench = Bench::new(Config::default());
    bench.peer(1, "left=0");
    let stop = format!(
        "/announce?info_hash={HASH}&peer_id=-XX0000-000000000001&port=6001&left=0&event=stopped&ip=81.2.3.4&ipv4=81.2.3.4"
    );
    bench.ask(&stop, "6.6.6.6", false);
    assert_eq!(bench.figure("seeders"), 1);
    let start = stop.replace("event=stopped", "event=started");
    bench.ask(&start, "6.6.6.6", false);
    let response = bench.peer(2, "left=1&no_peer_id=1");
    let mut given = parse_answer(body(&response).as_bytes()).expect("an answer").peers;
    given.sort();
    let expected: Vec<SocketAddr> =
        ["6.6.6.6:6001", "81.2.3.4:6001"].map(|text| text.parse().expect("good")).into();
    assert_eq!(given, expected, "the address that asks counts, whatever it claims");
}

#[test]
fn silent_peers_go_and_are_counted() {
    let mut bench = Bench::new(Config { answer_interval: 60, clean_interval: 90, ..Config::default() });
    bench.peer(1, "left=0");
    bench.now += Span::from_secs(60);
    bench.peer(2, "left=0");
    bench.now += Span::from_secs(31);
    for turn in 0..bench.tracker.turns() {
        bench.tracker.clean(&bench.config, turn, bench.now);
    }
    assert_eq!((bench.figure("peers"), bench.figure("deleted_peers")), (1, 1));
}

#[test]
fn no_query_panics() {
    let mut bench = Bench::new(Config::default());
    let mut rng = Rng::new(8);
    let words = [
        "/announce",
        "/scrape",
        "/stats",
        "?",
        "&",
        "info_hash=",
        "peer_id=",
        "port=",
        "=",
        "%",
        "%a",
        HASH,
        "left=",
        "-1",
        "id=",
        "9".repeat(30).leak(),
        "event=stopped",
        "\u{fe}",
        "numwant=4294967296",
        "http://h/announce",
    ];
    for _ in 0..20_000 {
        let target: String = (0..rng.below(12)).map(|_| words[rng.below(words.len())]).collect();
        assert!(bench.get(&target).starts_with("HTTP/1.1 "), "{target}");
    }
}

#[test]
fn keys_and_lists_say_who_is_served() {
    let text = "private = true";
    let mut bench = Bench::new(Config::from_toml(text).expect("a good configuration"));
    let query = format!("info_hash={HASH}&peer_id=-XX0000-000000000009&port=9&left=1&event=started");
    assert!(bench.get(&format!("/announce?{query}")).contains("no key that it knows8:retry in5:nevere"));
    assert!(
        bench.get(&format!("/abcdefgh/announce?{query}")).contains("failure reason"),
        "no keys are read yet"
    );
    bench.config.access.keys = Some(std::sync::Arc::new(["abcdefgh".to_owned()].into()));
    assert!(bench.get(&format!("/abcdefgh/announce?{query}")).contains("8:interval"));
    assert!(bench.get(&format!("/announce/abcdefgh?{query}")).contains("8:interval"));
    assert!(bench.get(&format!("/abcdefgi/announce?{query}")).contains("failure reason"));
    assert!(bench.get(&format!("/abcdefgh/scrape?info_hash={HASH}")).contains("8:complete"));
    assert!(bench.get("/scrape").contains("failure reason"));
    let id = bench.connect();
    let refused = bench.datagram(&announce_bytes(id, announce(1, Event::Started, 5)));
    assert!(matches!(Response::parse(&refused), Some(Response::Error { transaction_id: 7, .. })));
    let mut options = Vec::new();
    Options::write_url_data(b"/abcdefgh/announce?x=1", &mut options);
    let with_key = udp::Announce { options: Options(&options), ..announce(1, Event::Started, 5) };
    let answer = bench.datagram(&announce_bytes(id, with_key));
    assert!(matches!(Response::parse(&answer), Some(Response::Announce { leechers: 2, .. })));
    bench.config.access = crate::tracker::Access {
        deny: std::sync::Arc::new([InfoHash([0x61; 20])].into()),
        ..Default::default()
    };
    assert!(bench.get(&format!("/announce?{query}")).contains("does not serve the torrent"));
    assert!(!bench.get(&format!("/scrape?info_hash={HASH}")).contains("8:complete"));
    assert!(!bench.get("/scrape").contains("8:complete"));
    assert_eq!(bench.figure("rejected"), 6);
}

#[test]
fn an_address_is_believed_only_from_whom_it_may_be() {
    let text = "accept_ip = true\ntrusted_proxies = [\"10.0.0.0/8\"]";
    let mut bench = Bench::new(Config::from_toml(text).expect("a good configuration"));
    let mut number = 0;
    let mut stored = |bench: &mut Bench, from: &str, ip: &str, forwarded: Option<&str>| {
        number += 1;
        bench.forwarded = forwarded.map(|text| text.as_bytes().to_vec());
        let hash = format!("%{number:02x}").repeat(20);
        let query = format!("/announce?info_hash={hash}&left=1&peer_id=-XX0000-");
        bench.ask(&format!("{query}000000000001&port=5000&ip={ip}"), from, false);
        bench.forwarded = None;
        let answer = bench.ask(&format!("{query}000000000002&port=5001"), "81.9.9.9", false);
        parse_answer(body(&answer).as_bytes()).expect("an answer").peers[0].ip().to_string()
    };
    assert_eq!(stored(&mut bench, "81.2.3.4", "6.6.6.6", Some("7.7.7.7")), "81.2.3.4");
    assert_eq!(stored(&mut bench, "192.168.1.5", "81.1.1.1", None), "81.1.1.1");
    assert_eq!(stored(&mut bench, "192.168.1.5", "nonsense", Some("7.7.7.7")), "192.168.1.5");
    assert_eq!(stored(&mut bench, "10.0.0.1", "6.6.6.6", Some("9.9.9.9, 81.2.3.4")), "81.2.3.4");
    bench.config.accept_ip = false;
    assert_eq!(stored(&mut bench, "192.168.1.5", "81.1.1.1", None), "192.168.1.5");
}

#[test]
fn who_asks_too_often_waits() {
    let mut bench = Bench::new(Config { rate_limit: 10, ..Config::default() });
    for number in 1..=30 {
        let answer = bench.peer(number, "left=1&compact=1");
        assert_eq!(answer.contains("too many queries"), number > 10, "{number}");
    }
    let mut connect = Vec::new();
    udp::Request::Connect { transaction_id: 1 }.write(&mut connect);
    assert!(bench.datagram(&connect).is_empty());
    let other = format!("/announce?info_hash={HASH}&peer_id=-XX0000-000000000009&port=9&left=1");
    assert!(bench.ask(&other, "81.2.3.5", false).contains("8:interval"));
    assert!((0..50).all(|_| bench.ask(&other, "127.0.0.1", false).contains("8:interval")));
    assert_eq!(bench.figure("rejected"), 21);
    bench.now += Span::from_secs(60);
    assert!(bench.peer(1, "left=1").contains("8:interval"));
}

#[test]
fn the_front_page_plots_the_last_hour() {
    let mut bench = Bench::new(Config::default());
    for number in 1..30 {
        bench.peer(number, "left=1");
        bench.tracker.sample();
    }
    let page = bench.get("/");
    assert!(page.contains("peers, last hour: 29, at most 29"), "{page}");
    assert_eq!(page.matches("<polyline").count(), 4);
    assert!(page.contains("Content-Security-Policy"));
}

#[test]
fn metrics_are_for_those_who_may_see_them() {
    let mut bench = Bench::new(Config::default());
    bench.peer(1, "left=1");
    let here = bench.ask("/metrics", "127.0.0.1", false);
    assert!(
        here.contains("\nfyris_tracker_peers 1\n") && here.contains("\nfyris_tracker_announces_total 1\n"),
        "{here}"
    );
    assert!(bench.get("/metrics").starts_with("HTTP/1.1 403"));
    bench.config.admin_token = Some("a token of some length".to_owned());
    assert!(bench.ask("/metrics", "127.0.0.1", false).starts_with("HTTP/1.1 403"));
    for (shown, fine) in [("a token of some length", true), ("a token of some lengti", false), ("", false)] {
        bench.token = Some(shown.to_owned());
        assert_eq!(bench.get("/metrics").starts_with("HTTP/1.1 200"), fine, "{shown}");
    }
}

#[test]
fn a_partial_seed_is_no_downloader() {
    let mut bench = Bench::new(Config::default());
    bench.peer(1, "left=0");
    bench.peer(2, "left=5&event=started");
    bench.peer(3, "left=5&event=paused");
    let scrape = bench.get(&format!("/scrape?info_hash={HASH}"));
    assert!(scrape.contains("8:completei1e10:downloadedi0e11:downloadersi1e10:incompletei2e"), "{scrape}");
    // It lacks something, but wants none of it: it is shown to those that do, and is shown them first.
    let id = bench.connect();
    let paused = udp::Announce { numwant: Some(1), ..announce(3, Event::Paused, 5) };
    let answer = bench.datagram(&announce_bytes(id, paused));
    let Some(Response::Announce { peers, .. }) = Response::parse(&answer) else { panic!("{answer:?}") };
    let mut given = Vec::new();
    take_compact_v4(peers, &mut given);
    assert_eq!(given, ["81.2.3.4:6002".parse().expect("an address")]);
    bench.peer(3, "left=5&event=started");
    assert!(bench.get(&format!("/scrape?info_hash={HASH}")).contains("11:downloadersi2e"), "it goes on");
    bench.peer(3, "left=5&event=paused");
    bench.peer(3, "left=5&event=stopped");
    let scrape = bench.get(&format!("/scrape?info_hash={HASH}"));
    assert!(scrape.contains("11:downloadersi1e10:incompletei1e"), "{scrape}");
}

#[test]
fn a_scrape_of_many_torrents_is_made_once_in_a_while() {
    let mut bench = Bench::new(Config { rate_limit: 0, ..Config::default() });
    let add = |bench: &mut Bench, number: u32| {
        let hash = format!("%{:02x}%{:02x}{}", number >> 8 & 255, number & 255, "%61".repeat(18));
        bench.get(&format!("/announce?info_hash={hash}&peer_id=-XX0000-000000000001&port=6001&left=1"));
    };
    let all = |bench: &mut Bench| {
        let request = Request::get(b"/scrape");
        let ip = [81, 2, 3, 4].into();
        let asker = Asker { ip, local: None, now: bench.now, config: &bench.config };
        let mut out = Vec::new();
        let long = bench.tracker.respond(&asker, &request, &mut bench.rng, &mut out).expect("a long one");
        let head = String::from_utf8_lossy(&out).into_owned();
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", long.len())), "{head}");
        parse_scrape(&long, 100_000).expect("a scrape").len()
    };
    for number in 0..1_000 {
        add(&mut bench, number);
    }
    assert_eq!(all(&mut bench), 1_000);
    add(&mut bench, 1_000);
    assert_eq!(all(&mut bench), 1_001, "few are counted anew");
    add(&mut bench, 1_001);
    assert_eq!(all(&mut bench), 1_001);
    bench.now += Span::from_secs(600);
    assert_eq!(all(&mut bench), 1_002);
    bench.config.access.deny = std::sync::Arc::new([InfoHash([0x61; 20])].into());
    bench.tracker.reload(&bench.config);
    add(&mut bench, 1_002);
    assert_eq!(all(&mut bench), 1_003, "other rules take effect at once");
}
