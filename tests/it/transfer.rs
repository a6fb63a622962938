//! Whole transfers between sessions in this process, over loopback, with the tracker in one of them.

mod network;
mod rig;
mod session;
mod watched;

use std::time::Duration;

use fyris::api::{AddOptions, Command, Event, Reachable, Share, Source, State};
use fyris::base::InfoHash;

use rig::{Peer, bytes};

const LONG: Duration = Duration::from_secs(60);

/// Shares what lies at `name` in the peer's folder and gives its identity and link.
fn share(peer: &mut Peer, name: &str) -> (InfoHash, String) {
    let request = peer.handle.next_request();
    let share = Share {
        reach: Reachable::ThisComputer,
        piece_length: Some(32 * 1024),
        ..Share::of(peer.folder.join(name))
    };
    peer.ask(Command::Share { request, share: Box::new(share) });
    peer.until(LONG, |event| match event {
        Event::Shared { request: of, torrent, magnet } if *of == request => Some((*torrent, magnet.clone())),
        Event::Refused { reason, .. } => panic!("{reason}"),
        _ => None,
    })
}

fn add(peer: &mut Peer, source: Source) {
    let request = peer.handle.next_request();
    peer.ask(Command::Add { request, source, options: AddOptions::default() });
}

fn completed(peer: &mut Peer, torrent: InfoHash) {
    peer.until(LONG, |event| match event {
        Event::Completed { torrent: which, .. } if *which == torrent => Some(()),
        Event::Failed { reason, .. } | Event::Refused { reason, .. } => panic!("{reason}"),
        _ => None,
    });
}

#[test]
fn a_share_is_found_fetched_and_still_there_after_a_restart() {
    let content = bytes(5, 3_000_001);
    let (mut giver, mut taker) = (Peer::new(), Peer::new());
    std::fs::write(giver.folder.join("gift"), &content).expect("a file");
    let (torrent, link) = share(&mut giver, "gift");
    assert!(link.contains("tr=") && link.contains("127.0.0.1"), "{link}");

    let request = giver.handle.next_request();
    let path = giver.folder.join("gift.torrent");
    giver.ask(Command::SaveTorrent { request, torrent, path: path.clone() });
    giver.until(LONG, |event| matches!(event, Event::TorrentSaved { .. }).then_some(()));

    let request = taker.handle.next_request();
    taker.ask(Command::Inspect { request, source: Source::File(path.clone()) });
    let preview = taker.until(LONG, |event| match event {
        Event::Inspected { preview, .. } => Some(preview.clone()),
        _ => None,
    });
    assert_eq!((preview.total_length, preview.known, &*preview.name), (3_000_001, false, "gift"));
    assert!(preview.free_bytes.is_some_and(|bytes| bytes > 0));

    add(&mut taker, Source::File(path));
    completed(&mut taker, torrent);
    assert!(std::fs::read(taker.folder.join("gift")).expect("a file") == content);

    let mut taker = taker.again();
    taker.see(LONG, |view| {
        view.torrents.iter().any(|row| row.state == State::Seeding && row.done == 3_000_001)
    });
    giver.end();
    taker.end();
}

#[test]
fn a_folder_that_is_not_there_yet_is_made() {
    let (mut giver, mut taker) = (Peer::new(), Peer::new());
    std::fs::write(giver.folder.join("gift"), bytes(2, 100_000)).expect("a file");
    let (torrent, link) = share(&mut giver, "gift");
    let folder = taker.folder.join("films/of may");
    let request = taker.handle.next_request();
    let options = AddOptions { folder: Some(folder.clone()), ..AddOptions::default() };
    taker.ask(Command::Add { request, source: Source::Magnet(link), options });
    completed(&mut taker, torrent);
    assert!(std::fs::read(folder.join("gift")).expect("a file") == bytes(2, 100_000));
    giver.end();
    taker.end();
}

#[test]
fn a_link_is_enough_and_two_takers_share_what_they_have() {
    let mut giver = Peer::new();
    std::fs::create_dir_all(giver.folder.join("box/deep")).expect("a folder");
    for (name, length) in [("box/a", 700_000), ("box/deep/b", 1), ("box/c", 0), ("box/d", 65_536)] {
        std::fs::write(giver.folder.join(name), bytes(length as u64, length)).expect("a file");
    }
    let (torrent, link) = share(&mut giver, "box");
    let mut takers = [Peer::new(), Peer::new()];
    for taker in &mut takers {
        add(taker, Source::Magnet(link.clone()));
    }
    for taker in &mut takers {
        completed(taker, torrent);
        for (name, length) in [("box/a", 700_000), ("box/deep/b", 1), ("box/c", 0), ("box/d", 65_536)] {
            let got = std::fs::read(taker.folder.join(name)).expect("a file");
            assert!(got == bytes(length as u64, length), "{name}");
        }
    }
    giver.see(LONG, |view| view.tracker.swarms.iter().any(|swarm| swarm.info_hash == torrent));
    takers.into_iter().for_each(Peer::end);
    giver.end();
}

#[test]
fn what_cannot_be_done_is_said_in_a_sentence() {
    let mut peer = Peer::new();
    let bad = [
        Command::Add {
            request: peer.handle.next_request(),
            source: Source::File(peer.folder.join("nothing")),
            options: AddOptions::default(),
        },
        Command::Inspect {
            request: peer.handle.next_request(),
            source: Source::Magnet("magnet:?dn=x".into()),
        },
        Command::SaveTorrent {
            request: peer.handle.next_request(),
            torrent: InfoHash([3; 20]),
            path: peer.folder.join("x"),
        },
    ];
    for command in bad {
        peer.ask(command);
        let reason = peer.until(LONG, |event| match event {
            Event::Refused { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        assert!(reason.ends_with('.'), "{reason}");
    }
    let mut settings = (*peer.handle.view().settings).clone();
    settings.tracker = false;
    settings.limits.up = Some(1_000_000);
    peer.ask(Command::Settings(Box::new(settings)));
    peer.see(LONG, |view| view.settings.limits.up == Some(1_000_000) && !view.tracker.running);
    peer.end();
}
