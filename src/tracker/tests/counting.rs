//! Every counter of the statistics is moved by the queries that it counts, and by no other.

use super::{Bench, HASH, announce, announce_bytes};
use crate::base::{InfoHash, Span};
use crate::tracker::{Access, Config, Counter};
use crate::wire::tracker::Event;
use crate::wire::tracker_udp::{self as udp, Options, Request};

impl Bench {
    /// Checks that `what` moves the counters that stand in `moved`, by one or by what stands behind a `+`, and no others.
    fn moves(&mut self, moved: &str, said: &str, what: impl FnOnce(&mut Self)) {
        let counters =
            |bench: &Self| Counter::ALL.map(|(counter, name)| (name, bench.tracker.stats.value(counter)));
        let before = counters(self);
        what(self);
        let change: Vec<String> = counters(self)
            .into_iter()
            .zip(before)
            .filter(|((_, now), (_, before))| now != before)
            .map(|((name, now), (_, before))| match now - before {
                1 => name.to_owned(),
                more => format!("{name}+{more}"),
            })
            .collect();
        assert_eq!(change.join(" "), moved, "{said}");
    }

    fn asks(&mut self, moved: &str, target: &str) {
        self.moves(moved, target, |bench| _ = bench.get(target));
    }

    fn sends(&mut self, moved: &str, said: &str, bytes: &[u8]) {
        self.moves(moved, said, |bench| _ = bench.datagram(bytes));
    }
}

#[test]
fn requests_move_their_counters_alone() {
    let mut bench = Bench::new(Config::default());
    let good = format!("/announce?info_hash={HASH}&peer_id=-XX0000-000000000009");
    for (target, moved) in [
        (format!("{good}&port=9&left=1"), "announces"),
        (format!("{good}&port=9&left=0&event=completed"), "announces"),
        (format!("{good}&port=9&left=0&event=stopped"), "announces"),
        (format!("/scrape?info_hash={HASH}"), "scrapes"),
        ("/scrape".to_owned(), "scrapes full_scrapes"),
        ("/announce?info_hash=short&peer_id=x&port=1".to_owned(), "invalid_queries"),
        ("/announce".to_owned(), "invalid_queries"),
        (good.clone(), "invalid_queries"),
        (format!("{good}&port=0"), "invalid_queries"),
        (format!("{good}&port=70000"), "invalid_queries"),
        (format!("{good}&port=-1"), "invalid_queries"),
        (format!("{good}&port=zz"), "failed_queries"),
        (format!("{good}&port=9&left=x"), "failed_queries"),
        ("/scrape?info_hash=short".to_owned(), "invalid_queries"),
        ("/nowhere".to_owned(), "unknown_queries"),
        ("*".to_owned(), "unknown_queries"),
        ("/metrics".to_owned(), "rejected"),
        ("/stats".to_owned(), ""),
        ("/stats?id=nonsense".to_owned(), ""),
        ("/".to_owned(), ""),
    ] {
        bench.asks(moved, &target);
    }
}

#[test]
fn datagrams_move_their_counters_alone() {
    let mut bench = Bench::new(Config::default());
    let mut connect = Vec::new();
    Request::Connect { transaction_id: 1 }.write(&mut connect);
    bench.sends("udp_connections", "connect", &connect);
    let id = bench.connect();
    let scrape = |id: u64| {
        let mut bytes = Vec::new();
        Request::Scrape { connection_id: id, transaction_id: 8, hashes: &[[0x61; 20]; 3] }.write(&mut bytes);
        bytes
    };
    for event in [Event::Started, Event::None, Event::Completed, Event::Paused, Event::Stopped] {
        let bytes = announce_bytes(id, announce(1, event, 5));
        bench.sends("announces", &format!("{event:?}"), &bytes);
    }
    bench.sends("scrapes", "a scrape", &scrape(id));
    let stranger = announce_bytes(id ^ 1, announce(1, Event::Started, 5));
    bench.sends("invalid_queries", "an announce with an id that is not ours", &stranger);
    bench.sends("invalid_queries", "a scrape with an id that is not ours", &scrape(id ^ 1));
    let no_port = announce_bytes(id, udp::Announce { port: 0, ..announce(1, Event::Started, 5) });
    bench.sends("invalid_queries", "an announce without a port", &no_port);
    bench.sends("failed_queries", "too short", b"short");
    let mut action = announce_bytes(id, announce(1, Event::Started, 5));
    action[11] = 9;
    bench.sends("invalid_queries", "an action that there is none of", &action);
    let asker = |bench: &mut Bench| {
        let asker =
            super::Asker { ip: [81, 2, 3, 4].into(), local: None, now: bench.now, config: &bench.config };
        bench.tracker.datagram(&asker, 0, &connect, &mut bench.rng, &mut Vec::new());
    };
    bench.moves("failed_queries", "a datagram from port 0", asker);
}

#[test]
fn refusals_are_counted_as_such() {
    let good = format!("/announce?info_hash={HASH}&peer_id=-XX0000-000000000009&port=9&left=1");
    let mut bench = Bench::new(Config { rate_limit: 3, ..Config::default() });
    for moved in ["announces", "announces", "announces", "rejected"] {
        bench.asks(moved, &good);
    }
    bench.asks("rejected", &format!("/scrape?info_hash={HASH}"));
    let mut connect = Vec::new();
    Request::Connect { transaction_id: 1 }.write(&mut connect);
    bench.sends("rejected", "a connect too many", &connect);
    let mut bench = Bench::new(Config { full_scrape: false, ..Config::default() });
    bench.asks("rejected", "/scrape");
    bench.config.access.deny = std::sync::Arc::new([InfoHash([0x61; 20])].into());
    bench.asks("rejected", &good);
    let id = bench.connect();
    let bytes = announce_bytes(id, announce(1, Event::Started, 5));
    bench.sends("rejected", "a torrent that is not served, over UDP", &bytes);
    bench.config.access = Access { keys: Some(std::sync::Arc::default()), ..Access::default() };
    bench.asks("rejected", &good);
    bench.sends("rejected", "no key over UDP", &bytes);
    let mut options = Vec::new();
    Options::write_url_data(b"/abcdefgh/announce", &mut options);
    let unknown = udp::Announce { options: Options(&options), ..announce(1, Event::Started, 5) };
    bench.sends("rejected", "an unknown key over UDP", &announce_bytes(id, unknown));
}

#[test]
fn every_silent_peer_is_counted_when_it_goes() {
    let mut bench = Bench::new(Config { rate_limit: 0, clean_interval: 90, ..Config::default() });
    for number in 1..=20 {
        bench.peer(number, "left=1");
        bench.now += Span::from_secs(5);
    }
    let turns = bench.tracker.turns();
    let clean = |bench: &mut Bench| {
        (0..turns).for_each(|turn| bench.tracker.clean(&bench.config, turn, bench.now));
    };
    // The first was heard 100 seconds ago, the second 95, the third 90.
    bench.moves("deleted_peers+2", "a round of cleaning", clean);
    bench.moves("", "another one", clean);
    assert_eq!(bench.figure("peers"), 18);
    bench.now += Span::from_secs(3_600);
    bench.moves("deleted_peers+18", "an hour later", clean);
    assert_eq!((bench.figure("peers"), bench.figure("torrents")), (0, 0));
}
