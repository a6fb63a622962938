//! A folder that a session watches.

use std::fs;
use std::path::Path;
use std::time::Duration;

use fyris::api::{Command, Event, Settings, State, Watch};

use super::rig::Peer;

const SOON: Duration = Duration::from_secs(60);

fn torrent(number: u32) -> Vec<u8> {
    let (name, hash) = (format!("file{number:04}"), "h".repeat(20));
    format!("d4:infod6:lengthi5e4:name8:{name}12:piece lengthi16384e6:pieces20:{hash}ee").into_bytes()
}

fn count(folder: &Path, ending: &str) -> usize {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(ending)).count()
}

fn watch(peer: &mut Peer, watch: Watch) {
    peer.see(SOON, |view| view.generation > 0);
    let settings = Settings { watch: vec![watch], ..Settings::clone(&peer.handle.view().settings) };
    peer.ask(Command::Settings(Box::new(settings)));
}

#[test]
fn fifty_good_and_bad_files_at_once_are_added_or_set_aside_and_nothing_is_lost() {
    let mut peer = Peer::new();
    let folder = peer.folder.join("watched");
    fs::create_dir(&folder).expect("made");
    watch(
        &mut peer,
        Watch { folder: folder.clone(), label: "seen".into(), paused: true, ..Watch::default() },
    );
    for number in 0..50 {
        let bytes = match number % 5 {
            0..=2 => torrent(number),
            3 => torrent(number)[..60].to_vec(),
            _ => vec![0xff; 100_000],
        };
        fs::write(folder.join(format!("{number}.torrent")), bytes).expect("written");
    }
    fs::write(folder.join("link.magnet"), format!("magnet:?xt=urn:btih:{:040x}", 77)).expect("written");
    peer.see(SOON, |view| view.torrents.len() == 31);
    peer.see(SOON, |_| count(&folder, ".added") == 31 && count(&folder, ".bad.txt") == 20);
    assert_eq!((count(&folder, ".bad"), count(&folder, ".torrent")), (20, 0));
    let why = fs::read_to_string(folder.join("4.torrent.bad.txt")).expect("a reason");
    assert!(why.contains("4.torrent cannot be used: "), "{why}");
    let view = peer.handle.view();
    assert!(view.torrents.iter().all(|row| row.label == "seen" && row.state == State::Paused));
    let mut asked = false;
    while let Some(event) = peer.handle.try_event() {
        asked |= matches!(event, Event::Added { .. } | Event::Refused { .. });
    }
    assert!(!asked, "answers are for those who asked");
    // What was marked is on the list of the next run.
    let mut peer = peer.again();
    peer.see(SOON, |view| view.torrents.len() == 31 && view.torrents.iter().all(|row| row.label == "seen"));
    peer.end();
}

#[test]
fn a_torrent_goes_when_its_file_does_and_its_data_stays() {
    let mut peer = Peer::new();
    let folder = peer.folder.join("watched");
    fs::create_dir(&folder).expect("made");
    fs::write(peer.folder.join("file0001"), b"hhhhh").expect("written");
    watch(&mut peer, Watch { folder: folder.clone(), removal_stops: true, ..Watch::default() });
    fs::write(folder.join("a.torrent"), torrent(1)).expect("written");
    peer.see(SOON, |view| view.torrents.len() == 1);
    // Its removal counts from when its torrent was safely on the list, and is seen whenever that was.
    peer.until(SOON, |event| match event {
        Event::Log(line) if line.text.contains("file0001 was added from") => Some(()),
        _ => None,
    });
    let again = folder.join("b.torrent");
    fs::write(&again, torrent(2)).expect("written");
    peer.see(SOON, |view| view.torrents.len() == 2);
    fs::remove_file(folder.join("a.torrent")).expect("removed");
    peer.see(SOON, |view| view.torrents.len() == 1 && view.torrents[0].name == "file0002");
    assert!(again.exists() && peer.folder.join("file0001").exists());
    peer.end();
}
