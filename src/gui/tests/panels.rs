//! The details, the other panels, and panels in windows of their own.

use eframe::egui::{self, Key, Modifiers};

use super::rig::Rig;
use crate::api::{Command, Event, FilePriority, Level, LogLine, Theme};
use crate::gui::demo;
use crate::gui::panels::Panel;
use crate::gui::theme;

/// The settings that were sent, when they alone were.
#[track_caller]
fn settings(rig: &mut Rig) -> crate::api::Settings {
    let mut commands = rig.commands();
    match (commands.len(), commands.pop()) {
        (1, Some(Command::Settings(settings))) => *settings,
        other => panic!("{other:?}"),
    }
}

#[test]
fn details_tell_all_about_the_chosen_torrent() {
    let mut rig = Rig::new(4);
    rig.expect("Choose a torrent to see what it does.");
    rig.row("Lecture recordings");
    rig.expect("pieces in all");
    rig.expect(&demo::row(1).info_hash.to_hex());
    rig.click_in("Details", "Files");
    assert!(rig.rows("Files").len() > 3);
    rig.click("Get Part 1/02 Lecture recordings, autumn term.mkv");
    let torrent = demo::row(1).info_hash;
    let skipped = vec![(1, FilePriority::Skip)];
    assert_eq!(rig.commands(), [Command::Prioritise { torrent, files: skipped }]);
    rig.click_in("Details", "Peers");
    rig.expect("qBittorrent 5.2 at 192.168.1.21:6881");
    rig.expect("We are downloading from this peer.");
    rig.write("Address of a peer", "10.0.0.7:6881");
    rig.click("Connect");
    let peers = vec![([10, 0, 0, 7], 6_881).into()];
    assert_eq!(rig.commands(), [Command::AddPeers { torrent, peers }]);
}

#[test]
fn trackers_and_rates_of_a_torrent() {
    let mut rig = Rig::with(4, theme::FIRST_SIZE, |parts| parts.state.tab = 3);
    rig.row("Lecture recordings");
    rig.expect("The connection was refused. It may be down; it is asked again later.");
    rig.click("Ask now");
    assert_eq!(rig.commands(), [Command::Announce(demo::row(1).info_hash)]);
    rig.click_in("Details", "Rates");
    rig.play();
    rig.expect("Graph of rates, now ");
}

#[test]
fn details_of_a_magnet_link_say_what_is_waited_for() {
    let mut rig = Rig::with(12, theme::FIRST_SIZE, |parts| parts.state.tab = 1);
    rig.press(Modifiers::NONE, Key::End);
    rig.expect("The file list is being fetched from other people.");
}

#[test]
fn settings_take_effect_at_once_and_wild_ones_are_refused() {
    let mut rig = Rig::with(0, egui::vec2(1000.0, 1200.0), |parts| parts.state.panel = Panel::Settings);
    rig.click("Dark");
    assert_eq!(settings(&mut rig).theme, Theme::Dark);
    rig.click("Limit up on");
    assert_eq!(settings(&mut rig).limits.up, Some(1 << 20));
    rig.click("Ask before closing while others download from here");
    assert!(!settings(&mut rig).confirm_quit);
    rig.write("Save into", "/srv/films");
    rig.press(Modifiers::NONE, Key::Enter);
    assert_eq!(settings(&mut rig).download_folder, std::path::Path::new("/srv/films"));
    rig.dialogs.choose("/srv/music");
    rig.click("Folder…");
    assert_eq!(settings(&mut rig).download_folder, std::path::Path::new("/srv/music"));
    rig.click("In another folder");
    let temporal = |path: &str| Some(std::path::PathBuf::from(path));
    assert_eq!(settings(&mut rig).incomplete_folder, temporal("/srv/music/Temporal"));
    rig.write("Folder until complete", "/srv/half");
    rig.press(Modifiers::NONE, Key::Enter);
    assert_eq!(settings(&mut rig).incomplete_folder, temporal("/srv/half"));
    rig.write("Address to listen on", "kitchen");
    rig.press(Modifiers::NONE, Key::Enter);
    rig.expect("kitchen is not an address of this computer.");
    assert!(rig.commands().is_empty());
    rig.demo.set(|settings| settings.zoom = 1.5);
    rig.turn();
    assert!((rig.harness.ctx.zoom_factor() - 1.5).abs() < 1e-3);
}

#[test]
fn the_log_is_filtered_searched_copied_and_cleared() {
    let mut rig = Rig::with(0, theme::FIRST_SIZE, |parts| parts.state.panel = Panel::Log);
    rig.expect("session: Listening on port 6881.");
    let line = |level, text: &str| {
        let (room, text) = ("disk".to_owned(), text.to_owned());
        Event::Log(LogLine { unix_millis: 3_661_000, level, room, text })
    };
    rig.demo.tell(line(Level::Debug, "One byte moved."));
    rig.demo.tell(line(Level::Warning, "The disk is slow."));
    rig.turn();
    assert_eq!(rig.rows("Log").len(), 3, "details are not shown at first");
    rig.click("Everything");
    rig.expect("01:01:01 Detail disk: One byte moved.");
    rig.click("Warnings");
    assert_eq!(rig.rows("Log"), ["01:01:01 Warning disk: The disk is slow."]);
    rig.click("Notes");
    rig.write("Search in the log", "TRACKER");
    assert_eq!(rig.rows("Log").len(), 1);
    rig.click("Copy all");
    rig.expect("Log copied.");
    rig.click("Clear");
    rig.expect("Nothing has happened yet.");
}

#[test]
fn every_panel_is_reached_and_says_something_when_there_is_nothing() {
    let mut rig = Rig::new(0);
    for (panel, says) in [
        (Panel::Peer, "Share a file, or get one"),
        (Panel::Coordinator, "The coordinator runs on this computer; 1 user is connected."),
        (Panel::Trackers, "No swarm yet."),
        (Panel::Index, "The index is empty."),
        (Panel::Statistics, "nPeers, downloading"),
        (Panel::Settings, "Appearance"),
        (Panel::Log, "Listening on port 6881."),
    ] {
        rig.go(panel);
        rig.expect(says);
    }
}

#[test]
fn without_a_network_the_index_shows_what_is_shared_from_here() {
    let mut rig = Rig::with(20, theme::FIRST_SIZE, |parts| parts.state.panel = Panel::Index);
    rig.demo.network(false);
    rig.turn();
    assert_eq!(rig.rows("Shared from here").len(), 2);
    rig.write("Search in the index", "photos");
    rig.row("Holiday photos 2026");
    rig.click("Copy magnet link");
    rig.expect("Magnet link copied.");
}

#[test]
fn a_panel_in_a_window_of_its_own_and_back() {
    let mut rig = Rig::with(3, theme::FIRST_SIZE, |parts| parts.state.panel = Panel::Statistics);
    rig.click("In a window of its own");
    rig.expect("Statistics has a window of its own.");
    assert!(rig.has("Back into the main window"));
    rig.click("Back into the main window");
    assert!(rig.has("In a window of its own"));
    rig.expect_not("Statistics has a window of its own.");
}
