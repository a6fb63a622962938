//! From a file to a link that can be sent.

use eframe::egui::{Key, Modifiers};

use super::rig::Rig;
use crate::api::{Command, Event, Level, LogLine, Reachable};
use crate::gui::pick::{Picked, Wanted};

fn file(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let path = folder.path().join("holiday.zip");
    std::fs::write(&path, vec![7; 3 << 20]).expect("a file");
    path
}

/// A window whose Upload card stands open with a measured file.
fn filled(folder: &tempfile::TempDir) -> Rig {
    let mut rig = Rig::new(0);
    rig.dialogs.choose(file(folder));
    rig.click("Upload");
    assert_eq!(rig.dialogs.take(), [Wanted::ShareFile]);
    rig.until("the file is measured", |rig| rig.says("3.00 MiB"));
    rig
}

#[test]
fn two_clicks_lead_from_a_file_to_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rig = filled(&folder);
    rig.click("Share");
    let commands = rig.commands();
    let [Command::Share { share, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((share.reach, share.private), (Reachable::LocalNetwork, false));
    assert_eq!((share.piece_length, share.trackers.len()), (None, 0));
    rig.expect("Preparing holiday.zip");
    rig.play();
    rig.expect("Ready");
    rig.expect("Keep Fyris open until somebody else has all of it");
    rig.expect("Nobody yet.");
    rig.expect("QR code of the magnet link");
    rig.click("Copy magnet link");
    rig.expect("Magnet link copied.");
    rig.dialogs.choose(folder.path().join("holiday"));
    rig.click("Save .torrent…");
    let commands = rig.commands();
    let [Command::SaveTorrent { path, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(path, &folder.path().join("holiday.torrent"));
    rig.expect("Saved ");
    rig.click("Done");
    assert!(rig.rows("Torrents")[0].starts_with("holiday.zip, 3.00 MiB, 100 %."));
}

#[test]
fn without_dialogs_the_torrent_file_is_saved_by_a_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rig = filled(&folder);
    rig.click("Share");
    rig.play();
    rig.commands();
    let torrent = rig.harness.state().shown_link().expect("the card");
    let wanted = Wanted::SaveTorrent(torrent, "holiday.zip".to_owned());
    rig.harness.state_mut().picked(Picked::NoDialogs(wanted));
    rig.turn();
    rig.expect("Path of the .torrent file");
    rig.click("Save");
    let commands = rig.commands();
    let [Command::SaveTorrent { path, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert!(path.ends_with("holiday.zip.torrent"), "{path:?}");
}

#[test]
fn ready_says_when_fyris_may_be_closed_and_who_is_downloading() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rig = filled(&folder);
    rig.click("Share");
    rig.play();
    rig.play();
    rig.expect("Someone else has all of it, so you may close Fyris.");
    rig.expect("192.168.1.");
    rig.demo.change(0, |row| (row.seeds, row.availability) = (0, 0.4));
    rig.turn();
    rig.expect("Keep Fyris open: nobody else has all of it yet.");
    rig.demo.change(0, |row| row.seeds = 2);
    rig.turn();
    rig.expect("2 others have all of it, so you may close Fyris.");
    rig.demo.change(0, |row| (row.seeds, row.peers, row.uploaded) = (0, 0, 3 << 20));
    rig.until("they are gone", |rig| rig.says("Nobody now."));
}

#[test]
fn nothing_can_be_shared_before_its_path_is_known_to_hold_something() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rig = Rig::new(0);
    rig.click("Upload");
    assert!(!rig.enabled("Share"));
    let none = folder.path().join("none");
    rig.write("Path to share", &none.to_string_lossy());
    rig.until("the path is looked at", |rig| rig.says("There is no file or folder"));
    assert!(!rig.enabled("Share"));
    rig.write("Path to share", &file(&folder).to_string_lossy());
    rig.until("the file is measured", |rig| rig.says("3.00 MiB"));
    rig.press(Modifiers::NONE, Key::Enter);
    assert!(matches!(rig.commands()[..], [Command::Share { .. }]), "Enter shares, too");
}

#[test]
fn what_is_set_under_advanced_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rig = filled(&folder);
    rig.click("Programs on this computer only");
    rig.click("Advanced");
    rig.click("Peers come from the trackers only");
    rig.write("Comment", "From the sea");
    rig.write("More trackers", "http://one.example/a\n\nhttp://two.example/b\nudp://three.example:1");
    rig.write("Web seeds", "https://four.example/");
    rig.click("Share");
    let commands = rig.commands();
    let [Command::Share { share, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((share.reach, share.private), (Reachable::ThisComputer, true));
    assert_eq!(share.comment.as_deref(), Some("From the sea"));
    assert_eq!(
        share.trackers,
        [vec!["http://one.example/a"], vec!["http://two.example/b", "udp://three.example:1"]]
    );
    assert_eq!(share.web_seeds, ["https://four.example/"]);
}

#[test]
fn hashing_can_be_hidden_and_cancelled() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rig = filled(&folder);
    rig.demo.hash_rate(1 << 20);
    rig.click("Share");
    rig.play();
    rig.expect("1.00 MiB of 3.00 MiB, 2.00 MiB/s, 1 s left");
    rig.click("Hide");
    rig.expect("Preparing holiday.zip: 1.00 MiB of 3.00 MiB");
    rig.commands();
    rig.click("Cancel");
    assert!(matches!(rig.commands()[..], [Command::Cancel(_)]));
    rig.expect_not("Preparing");

    let mut rig = filled(&folder);
    rig.demo.hash_rate(1 << 20);
    rig.click("Share");
    rig.press(Modifiers::NONE, Key::Escape);
    for _ in 0..3 {
        rig.play();
    }
    rig.expect("Your upload is ready.");
}

#[test]
fn a_refused_share_says_why_and_keeps_what_was_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unreadable.bin");
    std::fs::write(&path, [1]).expect("a file");
    let mut rig = Rig::new(0);
    rig.dialogs.choose(&path);
    rig.click("Upload");
    rig.until("the file is measured", |rig| rig.enabled("Share"));
    rig.click("Share");
    rig.expect("Allow reading it and try again.");
    assert_eq!(rig.control("Path to share").value().as_deref(), path.to_str());
    rig.click("Cancel");
    assert!(!rig.has("Share"));
}

#[test]
fn a_missing_file_dialog_is_no_dead_end() {
    let mut rig = Rig::new(0);
    rig.click("Upload");
    rig.expect("Choose a file or folder, or type its path. It stays where it is.");
    assert!(rig.enabled("File…") && rig.control("Path to share").is_focused());
    rig.click("Folder…");
    assert_eq!(rig.dialogs.take(), [Wanted::ShareFile, Wanted::ShareFolder]);
}

#[test]
fn a_tracker_that_is_off_is_warned_of_before_sharing() {
    let mut rig = Rig::new(0);
    rig.demo.set(|settings| settings.tracker_on_network = false);
    rig.click("Upload");
    rig.expect("The tracker answers this computer only.");
    rig.demo.set(|settings| settings.tracker = false);
    rig.turn();
    rig.expect("The tracker in this program is switched off");
}

#[test]
fn what_the_session_logs_does_not_disturb_the_card() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rig = filled(&folder);
    for _ in 0..1_000 {
        let (room, text) = ("net".to_owned(), "Somebody knocked.".to_owned());
        rig.demo.tell(Event::Log(LogLine { unix_millis: 0, level: Level::Error, room, text }));
    }
    rig.turn();
    rig.expect("3.00 MiB");
    rig.expect_not("Somebody knocked.");
}
