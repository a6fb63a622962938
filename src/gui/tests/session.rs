//! What a user chooses of the session and of one torrent: names, labels, limits, goals, turns, watched folders.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use eframe::egui::{self, Key, Modifiers};

use super::rig::Rig;
use crate::api::{Command, Day, Event, Goals, Label, Limits, Queue, Settings, TorrentRow, Turn, Watch};
use crate::gui::demo;
use crate::gui::panels::Panel;

/// The settings that were sent last, when nothing but settings was.
#[track_caller]
fn settings(rig: &mut Rig) -> Settings {
    let commands = rig.commands();
    let all = commands.into_iter().map(|command| match command {
        Command::Settings(settings) => *settings,
        other => panic!("{other:?}"),
    });
    all.reduce(|_, later| later).expect("settings")
}

#[test]
fn a_torrent_is_renamed_labelled_limited_and_moved_in_the_queue() {
    let mut rig = Rig::with(4, egui::vec2(1200.0, 1100.0), |parts| parts.state.tab = 5);
    rig.row("Lecture recordings");
    let TorrentRow { info_hash: torrent, .. } = demo::row(1);
    rig.write("Called", "Lectures");
    assert!(rig.commands().is_empty(), "nothing is sent while it is typed");
    rig.press(Modifiers::NONE, Key::Enter);
    assert_eq!(rig.commands(), [Command::Rename { torrent, name: "Lectures".into() }]);
    rig.play();
    rig.write("Label", "talks");
    rig.press(Modifiers::NONE, Key::Enter);
    assert_eq!(rig.commands(), [Command::Label { torrent, label: "talks".into() }]);
    rig.play();
    rig.click("Up on");
    let limits = Limits { down: None, up: Some(1 << 20) };
    assert_eq!(rig.commands(), [Command::Limit { torrent, limits }]);
    rig.play();
    rig.click("Pause at a ratio of on");
    let goals = Goals { ratio: Some(2.0), ..Goals::default() };
    assert_eq!(rig.commands(), [Command::Goals { torrent, goals }]);
    rig.play();
    for (label, turn) in [("First", Turn::First), ("Later", Turn::Later)] {
        rig.click(label);
        assert_eq!(rig.commands(), [Command::Queue { torrent, turn }]);
    }
}

#[test]
fn the_list_is_searched_by_label_too() {
    let mut rig = Rig::new(6);
    rig.demo.change(1, |row| row.label = "talks".into());
    rig.turn();
    rig.write("Search in names", "talks");
    assert_eq!(rig.rows("Torrents").len(), 1);
}

#[test]
fn turns_goals_and_other_limits_are_set_for_all() {
    let mut rig = Rig::with(0, egui::vec2(1000.0, 2600.0), |parts| parts.state.panel = Panel::Settings);
    rig.click("Downloads at once on");
    assert_eq!(settings(&mut rig).queue, Queue { downloads: Some(5), seeds: None });
    rig.click("Pause after seeding for on");
    assert_eq!(settings(&mut rig).goals.seed_secs, Some(7 * 86_400));
    rig.click("Other limit up on");
    rig.click("Keep to them between two hours");
    let other = settings(&mut rig).alternative;
    assert_eq!((other.up, other.from, other.until, other.on), (Some(1 << 20), Some(480), Some(1_320), false));
    rig.click("Sun");
    rig.click("Tue");
    use Day::{Friday, Monday, Saturday, Thursday, Wednesday};
    assert_eq!(settings(&mut rig).alternative.days, [Monday, Wednesday, Thursday, Friday, Saturday]);
    rig.click("Keep to these limits now, in place of those above");
    assert!(settings(&mut rig).alternative.on);
    rig.click("Keep to them between two hours");
    assert_eq!(settings(&mut rig).alternative.from, None);
}

#[test]
fn labels_are_added_limited_and_removed() {
    let mut rig = Rig::with(0, egui::vec2(1000.0, 2600.0), |parts| parts.state.panel = Panel::Settings);
    rig.click("Add a label");
    assert!(rig.commands().is_empty(), "one without a name is none yet");
    rig.write("Name of the new label", "music");
    rig.press(Modifiers::NONE, Key::Enter);
    assert_eq!(settings(&mut rig).labels, [Label { name: "music".into(), ..Label::default() }]);
    rig.play();
    rig.click("music: down on");
    assert_eq!(settings(&mut rig).labels[0].down, Some(1 << 20));
    rig.write("music: move to", "/srv/music");
    rig.press(Modifiers::NONE, Key::Enter);
    assert_eq!(settings(&mut rig).labels[0].done_folder.as_deref(), Some(Path::new("/srv/music")));
    rig.click("Remove music");
    assert!(settings(&mut rig).labels.is_empty());
}

#[test]
fn folders_are_watched_and_no_more() {
    let mut rig = Rig::with(0, egui::vec2(1000.0, 2600.0), |parts| parts.state.panel = Panel::Settings);
    rig.dialogs.choose("/srv/new");
    rig.click("Watch a folder…");
    let watch = Watch { folder: "/srv/new".into(), ..Watch::default() };
    assert_eq!(settings(&mut rig).watch, [watch]);
    rig.play();
    rig.write("Then move it to", "/srv/old");
    rig.press(Modifiers::NONE, Key::Enter);
    assert_eq!(settings(&mut rig).watch[0].move_to.as_deref(), Some(Path::new("/srv/old")));
    rig.click("Removing the file takes the torrent off the list");
    let watch = settings(&mut rig).watch.remove(0);
    assert!(watch.removal_stops && watch.move_to.is_none());
    rig.write("Watched folder 1", "new");
    rig.press(Modifiers::NONE, Key::Enter);
    rig.expect("watch must have whole paths, such as /home/me/new");
    assert!(rig.commands().is_empty());
    rig.click("Watch folder 1 no more");
    assert!(settings(&mut rig).watch.is_empty());
}

#[test]
fn what_happens_when_a_download_is_complete_is_chosen_and_told() {
    let said: Rc<RefCell<Vec<String>>> = Rc::default();
    let told = Rc::clone(&said);
    let mut rig = Rig::with(3, egui::vec2(1000.0, 2600.0), |parts| {
        parts.state.panel = Panel::Settings;
        parts.notifier =
            Some(Box::new(move |title, text| told.borrow_mut().push(format!("{title}: {text}"))));
    });
    rig.write("Move files to", "/srv/done");
    rig.press(Modifiers::NONE, Key::Enter);
    assert_eq!(settings(&mut rig).done_folder.as_deref(), Some(Path::new("/srv/done")));
    rig.play();
    rig.write("Run a program", "/usr/bin/tell\n--of\n{path}\n");
    assert!(rig.commands().is_empty(), "nothing is sent while it is typed");
    rig.click("Add a label");
    assert_eq!(settings(&mut rig).run_when_done, ["/usr/bin/tell", "--of", "{path}"]);
    let completed = || {
        let row = demo::row(0);
        Event::Completed { torrent: row.info_hash, name: row.name.clone(), secs: 61.0 }
    };
    rig.demo.tell(completed());
    rig.turn();
    assert_eq!(said.borrow().len(), 1);
    assert!(said.borrow()[0].starts_with("Download complete: "), "{said:?}");
    rig.click("Say so on the desktop");
    assert!(!settings(&mut rig).notify);
    rig.play();
    rig.demo.tell(completed());
    rig.turn();
    assert_eq!(said.borrow().len(), 1, "not where it is not wished");
}
