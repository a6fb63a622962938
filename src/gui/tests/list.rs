//! Sorting, filters, choosing, many rows, and what is done with the chosen.

use eframe::egui::{self, Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::rig::Rig;
use crate::api::{Command, State};
use crate::gui::demo;
use crate::gui::theme;

fn names(rig: &Rig) -> Vec<String> {
    rig.rows("Torrents")
        .into_iter()
        .map(|row| row.split(", ").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_click_on_a_title_sorts_and_another_turns_it_round() {
    let mut rig = Rig::new(6);
    assert_eq!(names(&rig)[0], demo::row(0).name);
    rig.sort("Name");
    let sorted = names(&rig);
    assert_eq!(sorted[0], "Big Buck Bunny (2008) 4K");
    rig.sort("Name, sorted, least first");
    assert!(names(&rig).iter().eq(sorted.iter().rev()));
    rig.sort("Size");
    assert!(names(&rig)[0].starts_with("Lecture recordings"), "of numbers, the greatest first");
}

#[test]
fn filters_and_search_narrow_the_list() {
    let mut rig = Rig::new(20);
    rig.click("Downloading 5");
    assert_eq!(rig.rows("Torrents").len(), 5);
    rig.click("Failed 1");
    rig.expect("The disk is full. Free 4.1 GiB on it, then resume.");
    rig.click("All 20");
    rig.write("Search in names", "ISO fedora");
    assert_eq!(names(&rig), ["fedora-workstation-44.iso"]);
    rig.write("Search in names", "no such thing");
    rig.expect("Nothing fits");
    rig.click("Show all");
    assert!(names(&rig).len() > 5);
}

#[test]
fn ten_thousand_rows_cost_as_much_as_those_in_sight() {
    let mut rig = Rig::new(10_000);
    let most = (theme::FIRST_SIZE.y / theme::ROW) as usize + 2;
    rig.expect("Torrents, 10\u{a0}000 entries");
    let shown = rig.harness.state_mut().laid_out();
    assert!((5..most).contains(&shown), "{shown} rows laid out");
    rig.press(Modifiers::NONE, Key::ArrowDown);
    rig.press(Modifiers::NONE, Key::End);
    let last = demo::row(9_999).name;
    assert!(names(&rig).contains(&last), "{:?}", names(&rig));
    rig.sort("Name");
    rig.write("Search in names", "debian (49");
    assert!(rig.harness.state_mut().laid_out() < most);
    rig.play();
    assert!(names(&rig).iter().all(|name| name.contains("debian")));
}

#[test]
fn the_chosen_are_paused_and_resumed() {
    let mut rig = Rig::new(5);
    assert!(!rig.enabled("Pause") && !rig.enabled("Resume"));
    rig.row("debian");
    rig.row_with("ubuntu", Modifiers::COMMAND);
    assert!(rig.enabled("Pause") && !rig.enabled("Resume"));
    rig.click("Pause");
    let hashes = [demo::row(0).info_hash, demo::row(2).info_hash];
    assert_eq!(rig.commands(), hashes.map(Command::Pause));
    assert_eq!(rig.rows("Torrents").iter().filter(|row| row.contains(". Paused")).count(), 2);
    rig.click("Resume");
    assert_eq!(rig.commands(), hashes.map(Command::Resume));
    rig.press(Modifiers::NONE, Key::Space);
    assert_eq!(rig.commands(), hashes.map(Command::Pause));
}

#[test]
fn removing_asks_first_and_never_guesses_about_the_data() {
    let mut rig = Rig::new(5);
    rig.row("debian");
    rig.press(Modifiers::NONE, Key::Delete);
    rig.expect("/home/anna/Downloads/debian-13.2.0-amd64-netinst.iso");
    rig.expect("and cannot be undone");
    rig.click("Cancel");
    assert!(rig.commands().is_empty());
    rig.click("Remove…");
    rig.click("Remove, keep files");
    let torrent = demo::row(0).info_hash;
    assert_eq!(rig.commands(), [Command::Remove { torrent, delete_data: false }]);
    assert_eq!(names(&rig).len(), 4);
    rig.row("ubuntu");
    rig.click("Remove…");
    rig.click("Remove and delete files");
    let torrent = demo::row(2).info_hash;
    assert_eq!(rig.commands(), [Command::Remove { torrent, delete_data: true }]);
    assert!(!rig.enabled("Remove…"), "nothing is chosen any more");
}

#[test]
fn what_was_shared_from_here_is_never_deleted() {
    let mut rig = Rig::new(5);
    rig.row("Holiday photos");
    rig.click("Remove…");
    rig.expect("The files stay where they are; only the entry on the list goes.");
    assert!(!rig.has("Remove and delete files"));
    rig.press(Modifiers::NONE, Key::Escape);
    rig.press(Modifiers::COMMAND, Key::A);
    rig.click("Remove…");
    rig.expect("What you shared from this computer is not deleted in any case.");
    rig.click("Remove and delete files");
    let kept = |command: &Command| matches!(command, Command::Remove { delete_data: false, .. });
    let commands = rig.commands();
    assert_eq!((commands.len(), commands.iter().filter(|command| kept(command)).count()), (5, 1));
    rig.expect("Share a file, or get one");
}

#[test]
fn the_menu_of_a_row_does_what_its_buttons_say() {
    let mut rig = Rig::new(3);
    let torrent = demo::row(0).info_hash;
    for (item, wanted) in [
        ("Recheck files", Command::Recheck(torrent)),
        ("Ask trackers now", Command::Announce(torrent)),
        ("Download in order", Command::Sequential { torrent, on: true }),
    ] {
        let rows = rig.harness.get_all_by_role(Role::Row);
        rows.into_iter().next().expect("a row").click_secondary();
        rig.turn();
        rig.click(item);
        assert_eq!(rig.commands(), [wanted], "{item}");
    }
}

#[test]
fn a_range_is_chosen_with_shift_and_by_keys() {
    let mut rig = Rig::new(8);
    rig.row("debian");
    rig.row_with("Big Buck", Modifiers::SHIFT);
    rig.press(Modifiers::NONE, Key::Space);
    assert_eq!(rig.commands().len(), 4);
    rig.press(Modifiers::NONE, Key::Home);
    rig.press(Modifiers::SHIFT, Key::ArrowDown);
    rig.press(Modifiers::COMMAND, Key::R);
    assert_eq!(rig.commands().len(), 2);
    rig.press(Modifiers::NONE, Key::End);
    rig.press(Modifiers::NONE, Key::F5);
    assert_eq!(rig.commands(), [Command::Announce(demo::row(7).info_hash)]);
}

#[test]
fn columns_are_chosen_and_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_path_buf();
    let mut rig = Rig::with(3, theme::FIRST_SIZE, |parts| parts.folder = Some(path));
    rig.click("Columns");
    rig.click("Received");
    rig.click("Ratio");
    rig.press(Modifiers::NONE, Key::Escape);
    let header = |rig: &Rig, title: &str| {
        rig.harness
            .query_all_by_role(Role::ColumnHeader)
            .any(|node| node.accesskit_node().label().as_deref() == Some(title))
    };
    assert!(header(&rig, "Received") && !header(&rig, "Ratio"));
    eframe::App::on_exit(rig.harness.state_mut(), None);
    let state = crate::gui::state::WindowState::read(Some(folder.path()));
    let again = Rig::with(3, theme::FIRST_SIZE, |parts| parts.state = state);
    assert!(header(&again, "Received") && !header(&again, "Ratio"));
}

#[test]
fn every_state_is_told_in_a_sentence() {
    let mut rig = Rig::with(20, egui::vec2(1500.0, 1100.0), |_| {});
    rig.press(Modifiers::COMMAND, Key::D);
    let rows = rig.rows("Torrents");
    assert_eq!(rows.len(), 20);
    for part in [
        "Downloading from 1",
        "Seeding to 6 peers",
        "Seeding; nobody is downloading it now",
        "Paused",
        "Checking the files on the disk",
        "Fetching the file list from 3 peers",
        "The disk is full.",
    ] {
        assert!(rows.iter().any(|row| row.contains(part)), "{part}: {rows:#?}");
    }
    rig.demo.change(0, |row| {
        row.state = State::Downloading;
        row.reason = "Nobody has this file online right now".to_owned();
    });
    rig.turn();
    rig.expect("Nobody has this file online right now");
}
