//! From a .torrent file or a magnet link to an entry on the list.

use std::path::{Path, PathBuf};

use eframe::egui::{self, Key, Modifiers};

use super::rig::Rig;
use crate::api::{Command, FilePriority, Source};
use crate::gui::pick::Wanted;

const MAGNET: &str = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=A+film";

/// An absolute path on this system.
fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(name)
}

#[test]
fn the_picker_leads_to_a_download_in_two_clicks() {
    let mut rig = Rig::new(0);
    rig.dialogs.choose(path("Audio book.torrent"));
    rig.click("Download");
    assert_eq!(rig.dialogs.take(), [Wanted::Torrent]);
    rig.expect("Audio book");
    rig.expect("833 MiB, 14 files");
    rig.expect("833 MiB needed, 214 GiB free");
    rig.click("Start");
    let commands = rig.commands();
    let [Command::Add { source, options, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(source, &Source::File(path("Audio book.torrent")));
    assert_eq!(options.folder.as_deref(), Some(Path::new("/home/anna/Downloads")));
    assert!(!options.paused && !options.sequential && options.priorities.is_empty());
    assert!(rig.rows("Torrents")[0].starts_with("Audio book, 833 MiB, 0.0 %. Downloading"));
}

#[test]
fn enter_starts_it_unless_a_control_has_the_keyboard() {
    let mut rig = Rig::new(0);
    rig.dialogs.choose(path("Audio book.torrent"));
    rig.click("Download");
    rig.expect("833 MiB, 14 files");
    rig.control("Cancel").focus();
    rig.turn();
    rig.press(Modifiers::NONE, Key::Enter);
    assert!(rig.commands().is_empty(), "Enter presses the button that has the keyboard");
    rig.expect_not("833 MiB, 14 files");

    rig.dialogs.choose(path("Audio book.torrent"));
    rig.click("Download");
    rig.expect("833 MiB, 14 files");
    rig.press(Modifiers::NONE, Key::Enter);
    let commands = rig.commands();
    assert!(matches!(&commands[..], [Command::Add { .. }]), "{commands:?}");
}

#[test]
fn files_folder_and_start_can_be_chosen() {
    let mut rig = Rig::new(0);
    rig.dialogs.choose(path("Audio book.torrent"));
    rig.click("Download");
    rig.click("None");
    assert!(!rig.enabled("Start"), "nothing is wanted");
    rig.click("Get Audio book/02 Chapter 2.ogg");
    rig.expect("43.0 MiB needed");
    rig.click("Begin at once");
    rig.click("Download in order");
    rig.dialogs.choose(path("Books"));
    rig.click("Folder…");
    rig.until("the folder is looked at", |rig| {
        rig.control("Save into").value() == path("Books").to_str().map(str::to_owned)
    });
    rig.click("Start");
    let commands = rig.commands();
    let [Command::Add { options, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(options.folder, Some(path("Books")));
    assert!(options.paused && options.sequential);
    let wanted: Vec<_> = options.priorities.iter().map(|priority| *priority != FilePriority::Skip).collect();
    assert_eq!((wanted.len(), wanted.iter().filter(|wanted| **wanted).count(), wanted[1]), (14, 1, true));
    rig.expect("43.0 MiB");
}

#[test]
fn a_magnet_link_is_typed_or_pasted() {
    let mut rig = Rig::new(1);
    rig.click("Download");
    assert!(rig.control("Magnet link or path").is_focused());
    assert!(!rig.enabled("Continue"));
    rig.write("Magnet link or path", MAGNET);
    rig.click("Continue");
    rig.expect("Size and files are told by other people, once it is started");
    rig.click("Start");
    let commands = rig.commands();
    assert!(
        matches!(&commands[..], [Command::Add { source: Source::Magnet(link), .. }] if link == MAGNET),
        "{commands:?}"
    );
    rig.expect("Fetching the file list");

    let mut rig = Rig::new(1);
    rig.harness.event(egui::Event::Paste(MAGNET.to_owned()));
    rig.turn();
    rig.expect("A film");
    rig.press(Modifiers::NONE, Key::Escape);
    assert!(!rig.has("Start") && rig.commands().is_empty());
    rig.harness.event(egui::Event::Paste("shopping list".to_owned()));
    rig.turn();
    rig.expect("What was pasted is neither a magnet link nor the path of a file.");
}

#[test]
fn what_is_typed_wrong_is_answered_with_what_to_do() {
    let mut rig = Rig::new(0);
    rig.click("Download");
    for (typed, told) in [
        ("film.torrent", "A path begins at the top"),
        ("https://example.org/a.torrent", "Save that .torrent file with a browser first"),
    ] {
        rig.write("Magnet link or path", typed);
        rig.press(Modifiers::NONE, Key::Enter);
        rig.expect(told);
    }
    rig.click("Cancel");
    assert!(!rig.has("Continue"));
}

#[test]
fn a_refused_torrent_says_why_and_can_be_corrected() {
    let mut rig = Rig::new(0);
    rig.dialogs.choose(path("broken.torrent"));
    rig.click("Download");
    rig.expect("is not a .torrent file: it ends too soon.");
    assert_eq!(rig.control("Magnet link or path").value().as_deref(), path("broken.torrent").to_str());
    rig.write("Magnet link or path", &path("single.torrent").to_string_lossy());
    rig.click("Continue");
    rig.expect("40.0 MiB, 1 file");
    rig.click("Start");
    assert!(matches!(rig.commands()[..], [Command::Add { .. }]));
}

#[test]
fn a_torrent_that_is_there_already_is_shown_instead() {
    let mut rig = Rig::new(3);
    rig.dialogs.choose(path("Lecture recordings, autumn term.torrent"));
    rig.click("Download");
    rig.expect("This torrent is on your list already.");
    assert!(!rig.has("Start"));
    rig.click("Cancel");
    assert!(rig.commands().is_empty());
}

#[test]
fn several_at_once_wait_for_their_turn() {
    let mut rig = Rig::with(0, egui::vec2(1100.0, 800.0), |parts| {
        parts.open =
            ["one", "broken", "three"].map(|name| Source::File(path(&format!("{name}.torrent")))).to_vec();
    });
    rig.expect("one");
    rig.click("Start");
    rig.expect("it ends too soon");
    rig.click("Cancel");
    rig.expect("three");
    rig.click("Start");
    assert_eq!(rig.commands().len(), 2);
    assert_eq!(rig.rows("Torrents").len(), 2);

    let mut rig = Rig::with(0, egui::vec2(1100.0, 800.0), |parts| {
        parts.open =
            ["one", "two", "three"].map(|name| Source::File(path(&format!("{name}.torrent")))).to_vec();
    });
    rig.click("Start all 3");
    assert_eq!(rig.commands().len(), 3);
}

#[test]
fn a_full_disk_is_told_before_the_start() {
    let mut rig = Rig::new(0);
    rig.demo.free_space(Some(100 << 20));
    rig.dialogs.choose(path("Audio book.torrent"));
    rig.click("Download");
    rig.expect("100 MiB free: 733 MiB too little. Choose another folder or fewer files.");
    rig.write("Save into", "somewhere");
    rig.expect("Type the full path of a folder.");
    assert!(!rig.enabled("Start"));
}

#[test]
fn what_another_start_hands_over_is_opened_here() {
    let (opener, inbox) = crate::gui::inbox();
    let mut rig = Rig::with(2, egui::vec2(1100.0, 800.0), |parts| parts.inbox = inbox);
    assert!(opener.open(Some(Source::Magnet(MAGNET.to_owned()))) && opener.open(None));
    rig.turn();
    rig.expect("A film");
}
