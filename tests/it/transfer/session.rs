//! What a session tells of its torrents, stopping them in order, and the example of a session used as a library.

use fyris::api::{AddOptions, Command, Event, Field, Limits, Source, State, Stats, Value};
use fyris::base::InfoHash;

use super::rig::{Peer, bytes};
use super::{LONG, completed, share};

#[expect(dead_code, reason = "the example's own beginning is not called")]
#[path = "../../../examples/session.rs"]
mod example;

const LENGTH: u64 = 3_000_001;

/// All that is told of a torrent, and when it was.
fn stats(peer: &Peer, torrent: InfoHash) -> (Stats, u64) {
    let view = peer.handle.view();
    (view.stats(torrent, &Field::ALL).expect("on the list"), view.unix_millis / 1_000)
}

fn number(stats: &Stats, field: Field) -> u64 {
    match stats.get(field) {
        Some(Value::Number(number)) => *number,
        other => panic!("{field:?} is {other:?}"),
    }
}

fn fraction(stats: &Stats, field: Field) -> f64 {
    match stats.get(field) {
        Some(Value::Fraction(number)) => *number,
        other => panic!("{field:?} is {other:?}"),
    }
}

fn text(stats: &Stats, field: Field) -> &str {
    match stats.get(field) {
        Some(Value::Text(text)) => text,
        other => panic!("{field:?} is {other:?}"),
    }
}

#[test]
fn every_field_of_the_stats_says_what_happened() {
    let (mut giver, mut taker) = (Peer::new(), Peer::new());
    std::fs::write(giver.folder.join("gift"), bytes(5, LENGTH as usize)).expect("a file");
    let (torrent, magnet) = share(&mut giver, "gift");
    taker.see(LONG, |view| view.generation > 0);
    let before = taker.handle.view().unix_millis / 1_000;
    let request = taker.handle.next_request();
    let options = AddOptions { label: "gifts".into(), ..AddOptions::default() };
    taker.ask(Command::Add { request, source: Source::Magnet(magnet), options });
    taker.until(LONG, |event| matches!(event, Event::Added { .. }).then_some(()));
    // Slow enough to be looked at on the way.
    let limits = Limits { down: Some(500_000), up: None };
    taker.ask(Command::Limit { torrent, limits });
    taker.see(LONG, |view| {
        view.torrents.iter().any(|row| row.down_rate > 0 && row.done > 1_000_000 && row.eta_secs.is_some())
    });
    let (way, _) = stats(&taker, torrent);
    assert_eq!(
        (text(&way, Field::State), text(&way, Field::Reason)),
        ("downloading", "Downloading from 1 peer.")
    );
    let (done, left) = (number(&way, Field::Done), number(&way, Field::Left));
    assert!(done + left == LENGTH && left > 0 && number(&way, Field::Downloaded) >= done, "{way:?}");
    assert!((fraction(&way, Field::Progress) - done as f64 / LENGTH as f64).abs() < 0.001, "{way:?}");
    let rate = number(&way, Field::DownRate);
    assert!((300_000..800_000).contains(&rate), "at 500 kB/s, and not {rate}");
    assert!(number(&way, Field::Eta).abs_diff(left / rate) <= 1, "{way:?}");
    assert_eq!(
        (number(&way, Field::Peers), number(&way, Field::Seeds), number(&way, Field::UpRate)),
        (1, 1, 0)
    );
    assert_eq!(fraction(&way, Field::Availability), 1.0);
    assert_eq!((way.get(Field::Completed), number(&way, Field::Seeded)), (Some(&Value::Absent), 0));
    // Its view is made at other moments than the taker's.
    giver.see(LONG, |view| view.torrents[0].up_rate > 300_000 && view.torrents[0].uploaded >= done);
    let (giving, _) = stats(&giver, torrent);
    assert_eq!((text(&giving, Field::Reason), number(&giving, Field::Peers)), ("Sharing with 1 peer.", 1));
    assert!(
        number(&giving, Field::UpRate) < 800_000 && number(&giving, Field::Uploaded) >= done,
        "{giving:?}"
    );

    completed(&mut taker, torrent);
    let is_over = |row: &fyris::api::TorrentRow| {
        row.state == State::Seeding && row.down_rate == 0 && row.peers == 0 && row.swarm == Some((0, 2))
    };
    // The tracker hears of it by and by; asked once more it says so.
    taker.ask(Command::Announce(torrent));
    taker.see(LONG, |view| view.torrents.iter().any(|row| is_over(row)));
    let (end, now) = stats(&taker, torrent);
    for field in Field::ALL {
        match field {
            Field::InfoHash => assert_eq!(text(&end, field), torrent.to_hex()),
            Field::Name => assert_eq!(text(&end, field), "gift"),
            Field::State => assert_eq!(text(&end, field), "seeding"),
            Field::Reason => assert_eq!(text(&end, field), "Sharing; nobody is downloading now."),
            Field::Size | Field::Wanted | Field::Done | Field::Downloaded => {
                assert_eq!(number(&end, field), LENGTH, "{field:?}");
            }
            Field::Left | Field::Uploaded | Field::DownRate | Field::UpRate | Field::Peers | Field::Seeds => {
                assert_eq!(number(&end, field), 0, "{field:?}");
            }
            Field::Progress => assert_eq!(fraction(&end, field), 1.0),
            Field::Ratio | Field::Availability => assert_eq!(fraction(&end, field), 0.0, "{field:?}"),
            Field::Eta => assert_eq!(end.get(field), Some(&Value::Absent)),
            Field::SwarmPeers => assert_eq!(number(&end, field), 0),
            Field::SwarmSeeds => assert_eq!(number(&end, field), 2),
            Field::Queue => assert_eq!(number(&end, field), 1),
            Field::Label => assert_eq!(text(&end, field), "gifts"),
            Field::Folder => assert_eq!(text(&end, field), taker.folder.display().to_string()),
            Field::Added => assert!((before..=now).contains(&number(&end, field))),
            Field::Completed => {
                assert!((number(&end, Field::Added)..=now).contains(&number(&end, field)), "{end:?}");
            }
            Field::Seeded => {
                let since = now - number(&end, Field::Completed);
                assert!(number(&end, field).abs_diff(since) <= 1, "{end:?}");
            }
            Field::Magnet => assert!(text(&end, field).contains(&torrent.to_hex())),
        }
    }
    giver.see(LONG, |view| view.torrents[0].uploaded == LENGTH && view.torrents[0].up_rate == 0);
    let (given, _) = stats(&giver, torrent);
    assert_eq!((number(&given, Field::Uploaded), number(&given, Field::Downloaded)), (LENGTH, 0));
    assert_eq!((fraction(&given, Field::Ratio), text(&given, Field::Label)), (1.0, ""));
    giver.end();
    taker.end();
}

#[test]
fn what_is_stopped_and_serialized_is_written_and_stays_so() {
    let mut peer = Peer::new();
    std::fs::write(peer.folder.join("gift"), bytes(5, 100_000)).expect("a file");
    let (torrent, _) = share(&mut peer, "gift");
    // Twice: one that stands still already is fine.
    for which in [Some(torrent), None] {
        let request = peer.handle.next_request();
        peer.ask(Command::StopAndSerialize { request, torrent: which });
        let stopped = peer.until(LONG, |event| match event {
            Event::Serialized { request: of, torrents } if *of == request => Some(torrents.clone()),
            _ => None,
        });
        assert_eq!(stopped, [torrent]);
    }
    let request = peer.handle.next_request();
    peer.ask(Command::StopAndSerialize { request, torrent: Some(InfoHash([1; 20])) });
    peer.until(LONG, |event| {
        matches!(event, Event::Refused { request: of, .. } if *of == request).then_some(())
    });
    let mut peer = peer.again();
    peer.see(LONG, |view| view.torrents.iter().any(|row| row.state == State::Paused));
    peer.ask(Command::Resume(torrent));
    peer.see(LONG, |view| view.torrents[0].state == State::Seeding && view.torrents[0].done == 100_000);
    peer.end();
}

#[test]
fn the_example_of_a_library_fetches_what_somebody_shares() {
    let mut giver = Peer::new();
    std::fs::write(giver.folder.join("gift"), bytes(6, 200_000)).expect("a file");
    let (_, magnet) = share(&mut giver, "gift");
    let state = tempfile::tempdir().expect("a folder");
    let words = || [state.path().display().to_string(), magnet.clone()].into_iter();
    let told = example::fetch(words()).expect("an example that works");
    assert_eq!((text(&told, Field::Name), text(&told, Field::Label)), ("gift", "example"));
    assert_eq!((number(&told, Field::Size), number(&told, Field::Downloaded)), (200_000, 200_000));
    let copy = std::fs::read(state.path().join("downloads/gift")).expect("fetched");
    assert_eq!(copy, bytes(6, 200_000));
    // It goes on where it was, with nobody to fetch from.
    giver.end();
    let told = example::fetch(words()).expect("an example that works");
    assert_eq!(number(&told, Field::Downloaded), 200_000);
    assert!(example::fetch(std::iter::empty()).is_err());
    let wrong = [state.path().display().to_string(), "magnet:?nothing".into()];
    assert!(example::fetch(wrong.into_iter()).is_err_and(|error| error.to_string().contains("link")));
}
