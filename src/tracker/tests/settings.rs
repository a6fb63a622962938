//! Each setting does what it says. Those of sockets are tried where the sockets are.

use super::{Bench, HASH, announce, announce_bytes, body};
use crate::base::{InfoHash, Span};
use crate::tracker::Config;
use crate::wire::tracker::{AnswerError, Event, RetryIn};
use crate::wire::tracker_http::{parse_answer, parse_scrape};
use crate::wire::tracker_udp::Response;

fn bench(text: &str) -> Bench {
    Bench::new(Config::from_toml(text).expect("a good configuration"))
}

fn other(number: u8) -> String {
    format!("%{number:02x}").repeat(20)
}

/// Announces to another torrent; gives the body of the answer.
fn peer_of(bench: &mut Bench, torrent: u8, port: u16) -> String {
    let target = format!(
        "/announce?info_hash={}&peer_id=-XX0000-000000000001&port={port}&left=1&no_peer_id=1",
        other(torrent)
    );
    body(&bench.get(&target)).to_owned()
}

#[test]
fn answers_are_as_they_were_chosen_to_be() {
    let mut bench = bench("answer_max_peers = 3\nanswer_interval = 600\nscrape_request_interval = 77");
    for number in 1..=9 {
        bench.peer(number, "left=1");
    }
    for wanted in ["", "&numwant=50", "&numwant=-1", "&numwant=3"] {
        let answer = parse_answer(body(&bench.peer(1, &format!("left=1{wanted}"))).as_bytes()).expect("good");
        assert_eq!(answer.peers.len(), 3, "{wanted}");
        assert_eq!((answer.interval_secs, answer.min_interval_secs), (Some(600), Some(300)));
    }
    let few = parse_answer(body(&bench.peer(1, "left=1&numwant=2")).as_bytes()).expect("good");
    assert_eq!(few.peers.len(), 2);
    let id = bench.connect();
    let answer = bench.datagram(&announce_bytes(id, announce(1, Event::None, 5)));
    let Some(Response::Announce { interval_secs: 600, peers, .. }) = Response::parse(&answer) else {
        panic!("{answer:?}")
    };
    assert_eq!(peers.len(), 3 * 6);
    assert!(
        bench.get(&format!("/scrape?info_hash={HASH}")).ends_with("5:flagsd20:min_request_intervali77eee")
    );
    assert!(bench.get("/scrape").ends_with("5:flagsd20:min_request_intervali77eee"));
}

#[test]
fn compact_answers_may_be_forced() {
    for (forced, asked, compact) in
        [("", "", false), ("", "&compact=1", true), ("answer_compact = true", "&compact=0", true)]
    {
        let mut bench = bench(forced);
        bench.peer(1, "left=1");
        let answer = bench.peer(2, &format!("left=1{asked}"));
        assert_eq!(answer.contains("5:peers6:"), compact, "{answer}");
        assert_eq!(answer.contains("7:peer id20:"), !compact, "{answer}");
    }
}

#[test]
fn as_many_torrents_and_peers_are_kept_as_were_chosen() {
    let mut small = bench("db_cache_size = 3");
    for torrent in 0..9 {
        assert!(peer_of(&mut small, torrent, 5_000).contains("8:interval"));
    }
    assert_eq!(small.figure("torrents"), 3, "the torrents of one peer each give way");
    // Several shards, of which one has almost everything: the limits are those of all together.
    for (text, torrents, peers) in
        [("max_peers = 20000", 1, 20_000), ("max_peers_per_torrent = 10000", 1, 10_000)]
    {
        let mut bench = bench(&format!("rate_limit = 0\n{text}"));
        assert!(bench.tracker.turns() > 1);
        for port in 1..=22_000 {
            assert!(
                peer_of(&mut bench, 1, port).contains("8:interval"),
                "answered, also where it is not kept"
            );
        }
        assert_eq!((bench.figure("torrents"), bench.figure("peers")), (torrents, peers), "{text}");
        assert_eq!(bench.figure("rejected"), 22_000 - peers);
        // Whoever is known stays known, and whoever goes makes room.
        peer_of(&mut bench, 1, 5);
        let stop = format!(
            "/announce?info_hash={}&peer_id=-XX0000-000000000001&port=5&left=1&event=stopped",
            other(1)
        );
        bench.get(&stop);
        peer_of(&mut bench, 1, 22_000);
        assert_eq!((bench.figure("peers"), bench.figure("rejected")), (peers, 22_000 - peers));
    }
}

#[test]
fn scrapes_are_as_large_as_was_chosen() {
    let mut bench = bench("max_scrape_torrents = 4");
    for torrent in 0..9 {
        peer_of(&mut bench, torrent, 5_000);
    }
    let query: Vec<String> = (0..9).map(|torrent| format!("info_hash={}", other(torrent))).collect();
    let found = |bench: &mut Bench, target: &str| body(&bench.get(target)).matches("8:complete").count();
    assert_eq!(found(&mut bench, &format!("/scrape?{}", query.join("&"))), 4);
    assert_eq!(found(&mut bench, "/scrape"), 9);
    bench.config.full_scrape = false;
    assert_eq!(found(&mut bench, "/scrape"), 0);
    assert!(parse_scrape(body(&bench.get("/scrape?info_hash=%00")).as_bytes(), 9).is_err());
}

#[test]
fn silence_is_as_long_as_was_chosen() {
    for (text, secs) in [("answer_interval = 100", 150), ("clean_interval = 70", 70)] {
        let mut bench = bench(text);
        bench.peer(1, "left=1");
        for (after, peers) in [(secs - 1, 1), (2, 0)] {
            bench.now += Span::from_secs(after);
            (0..bench.tracker.turns()).for_each(|turn| bench.tracker.clean(&bench.config, turn, bench.now));
            assert_eq!(bench.figure("peers"), peers, "{text}");
        }
    }
}

#[test]
fn who_announces_too_early_is_told_when_to_come_back() {
    let early = |answer: &str| match parse_answer(body(answer).as_bytes()) {
        Err(AnswerError::Refused { reason, retry_in: Some(RetryIn::Minutes(minutes)) }) => {
            assert!(reason.starts_with("announced too early"), "{reason}");
            Some(minutes)
        }
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    };
    let mut free = bench("answer_interval = 600");
    assert!((0..9).all(|_| early(&free.peer(1, "left=1&no_peer_id=1")).is_none()), "not unless it is wanted");
    let mut bench = bench("answer_interval = 600\nenforce_min_interval = true");
    assert_eq!(early(&bench.peer(1, "left=1")), None, "the first");
    assert_eq!(early(&bench.peer(1, "left=1")), Some(5));
    assert_eq!(early(&bench.peer(2, "left=1&no_peer_id=1")), None, "another one");
    bench.now += Span::from_secs(200);
    assert_eq!(early(&bench.peer(1, "left=1")), Some(2));
    for event in ["completed", "paused", "started", "stopped"] {
        assert_eq!(early(&bench.peer(1, &format!("left=0&no_peer_id=1&event={event}"))), None, "{event}");
    }
    bench.peer(1, "left=1");
    bench.now += Span::from_secs(299);
    assert_eq!(early(&bench.peer(1, "left=1&no_peer_id=1")), None);
    assert_eq!(bench.figure("rejected"), 2);
    let id = bench.connect();
    for answered in [true, false] {
        let answer = bench.datagram(&announce_bytes(id, announce(9, Event::None, 5)));
        assert_eq!(matches!(Response::parse(&answer), Some(Response::Announce { .. })), answered);
    }
    assert!(bench.tracker.counts(&InfoHash([0x61; 20])).is_some_and(|counts| counts.incomplete >= 2));
}
