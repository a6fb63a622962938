//! The window as a whole: keyboard, looks, drops, sizes, closing, idling.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::{self, Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};

use super::rig::Rig;
use crate::api::{Event, Source, Theme};
use crate::gui::panels::Panel;
use crate::gui::pick::Wanted;
use crate::gui::theme;

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody reads it here".to_owned())
    }
}

fn drop_file(rig: &mut Rig, path: &Path) {
    rig.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.to_path_buf())));
    rig.turn();
}

#[test]
fn shortcuts_do_what_the_help_says() {
    let mut rig = Rig::new(3);
    rig.press(Modifiers::NONE, Key::F1);
    rig.expect("Open a .torrent file or magnet link");
    rig.press(Modifiers::NONE, Key::Escape);
    rig.expect_not("Open a .torrent file or magnet link");
    rig.press(Modifiers::COMMAND, Key::N);
    assert_eq!(rig.dialogs.take(), [Wanted::ShareFile]);
    rig.press(Modifiers::NONE, Key::Escape);
    rig.press(Modifiers::COMMAND, Key::O);
    assert_eq!(rig.dialogs.take(), [Wanted::Torrent]);
    rig.press(Modifiers::NONE, Key::Escape);
    assert!(!rig.has("Continue"));
    let keys = [Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num1];
    let panels = [&Panel::ALL[1..], &Panel::ALL[..1]].concat();
    for (key, panel) in keys.into_iter().zip(panels) {
        rig.press(Modifiers::COMMAND, key);
        let tab = rig.control_in("Panels", panel.title());
        let chosen = egui_kittest::kittest::NodeT::accesskit_node(&tab).toggled();
        assert_eq!(chosen, Some(egui::accesskit::Toggled::True), "{panel:?}");
    }
    rig.press(Modifiers::COMMAND, Key::D);
    rig.expect_not("Choose a torrent to see what it does.");
    rig.press(Modifiers::COMMAND, Key::F);
    assert!(rig.control("Search in names").is_focused());
    rig.press(Modifiers::NONE, Key::F12);
    rig.expect("rows laid out 3");
}

#[test]
fn everything_can_be_reached_with_tab_and_pressed_with_space() {
    let mut rig = Rig::new(0);
    for _ in 0..30 {
        rig.press(Modifiers::NONE, Key::Tab);
        if rig.control("Upload").is_focused() {
            break;
        }
    }
    assert!(rig.control("Upload").is_focused());
    rig.press(Modifiers::NONE, Key::Space);
    assert!(rig.has("Share"));
    for _ in 0..12 {
        rig.press(Modifiers::NONE, Key::Tab);
        assert!(!rig.control("Statistics").is_focused(), "a dialog keeps the keyboard");
    }
}

#[test]
fn keys_for_the_list_do_nothing_behind_a_dialog_or_in_a_field() {
    let mut rig = Rig::new(3);
    rig.row("debian");
    rig.write("Search in names", "a");
    rig.press(Modifiers::NONE, Key::Delete);
    rig.press(Modifiers::NONE, Key::Space);
    assert!(!rig.has("Remove, keep files") && rig.commands().is_empty());
    rig.press(Modifiers::NONE, Key::F1);
    rig.press(Modifiers::NONE, Key::Delete);
    assert!(!rig.has("Remove, keep files"));
}

#[test]
fn light_and_dark_follow_the_settings() {
    let mut rig = Rig::new(1);
    for (wanted, dark) in [(Theme::Light, false), (Theme::Dark, true), (Theme::Light, false)] {
        rig.demo.set(|settings| settings.theme = wanted);
        rig.turn();
        let style = rig.harness.ctx.global_style();
        assert_eq!(style.visuals.dark_mode, dark);
        assert_eq!(style.visuals.panel_fill, theme::of(dark).ground);
    }
}

#[test]
fn every_panel_and_card_fits_every_size_in_both_looks() {
    for size in [egui::vec2(640.0, 480.0), egui::vec2(800.0, 500.0), egui::vec2(3_840.0, 2_160.0)] {
        for look in [Theme::Light, Theme::Dark] {
            for torrents in [0, 40] {
                let mut rig = Rig::with(torrents, size, |_| {});
                rig.demo.set(|settings| settings.theme = look);
                for panel in Panel::ALL {
                    rig.go(panel);
                    assert_eq!(rig.beyond(size.x), [""; 0], "{panel:?} at {size}");
                }
                rig.go(Panel::Peer);
                for (button, main) in [("Upload", "Share"), ("Download", "Continue")] {
                    rig.click(button);
                    let place = rig.control(main).rect();
                    assert!(
                        egui::Rect::from_min_size(egui::Pos2::ZERO, size).contains_rect(place),
                        "{main} at {place}"
                    );
                    rig.press(Modifiers::NONE, Key::Escape);
                }
            }
        }
    }
}

#[test]
fn a_torrent_dropped_is_downloaded_and_anything_else_is_shared() {
    let mut rig = Rig::new(2);
    drop_file(&mut rig, &std::env::temp_dir().join("Audio book.torrent"));
    rig.expect("833 MiB, 14 files");
    assert!(rig.dialogs.take().is_empty(), "no dialog over what was dropped");
    rig.press(Modifiers::NONE, Key::Escape);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("notes.txt"), "hello").expect("a file");
    drop_file(&mut rig, folder.path());
    rig.until("the folder is measured", |rig| rig.says("folder, 1 file, 5 B"));
    assert!(rig.enabled("Share"));
}

#[test]
fn what_hangs_over_the_window_is_told_before_it_is_dropped() {
    let mut rig = Rig::new(0);
    let hovered = egui::HoveredFile { path: Some(PathBuf::from("/x/film.mkv")), ..Default::default() };
    rig.harness.input_mut().hovered_files.push(hovered);
    rig.harness.run_steps(2);
    rig.expect("Drop to share film.mkv");
}

#[test]
fn closing_is_asked_about_while_others_download() {
    let close = |rig: &mut Rig| {
        let viewport = rig.harness.input_mut().viewports.entry(ViewportId::ROOT).or_default();
        viewport.events.push(ViewportEvent::Close);
        rig.harness.step();
        let output = &rig.harness.output().viewport_output[&ViewportId::ROOT];
        let held = output.commands.contains(&ViewportCommand::CancelClose);
        rig.turn();
        held
    };
    let mut rig = Rig::new(20);
    assert!(close(&mut rig));
    rig.expect("still downloading from you");
    rig.click("Stay");
    rig.expect_not("still downloading from you");
    assert!(close(&mut rig));
    rig.control("Close Fyris").click();
    rig.turn();
    assert!(!close(&mut rig), "it was agreed to");

    let mut rig = Rig::new(20);
    rig.demo.set(|settings| settings.confirm_quit = false);
    assert!(!close(&mut rig));
    let mut rig = Rig::new(0);
    assert!(!close(&mut rig));
}

#[test]
fn an_idle_window_draws_nothing() {
    for torrents in [0, 50] {
        let mut rig = Rig::new(torrents);
        if torrents > 0 {
            rig.row("debian");
        }
        rig.harness.run();
        let output = &rig.harness.output().viewport_output[&ViewportId::ROOT];
        assert!(output.repaint_delay > Duration::from_secs(3_600), "{:?}", output.repaint_delay);
    }
}

#[test]
fn stays_are_drawn_again_where_they_are_shown() {
    let mut rig = Rig::new(2);
    let delay = |rig: &Rig| rig.harness.output().viewport_output[&ViewportId::ROOT].repaint_delay;
    rig.go(Panel::Statistics);
    rig.expect("timeSeed, mean stay");
    assert!(delay(&rig) <= Duration::from_secs(1), "{:?}", delay(&rig));
    rig.go(Panel::Peer);
    assert!(delay(&rig) > Duration::from_secs(3_600), "{:?}", delay(&rig));
}

#[test]
fn a_flood_of_news_is_taken_in_over_several_frames() {
    let mut rig = Rig::new(3);
    for number in 0..20_000 {
        let (room, text) = ("net".to_owned(), format!("Line {number}."));
        let level = crate::api::Level::Info;
        rig.demo.tell(Event::Log(crate::api::LogLine { unix_millis: 0, level, room, text }));
    }
    rig.click("Log");
    rig.until("the last line is there", |rig| rig.says("Line 19999."));
}

#[test]
fn messages_of_the_session_are_shown_and_those_of_faults_stay() {
    let mut rig = Rig::new(2);
    let name = "A film".to_owned();
    let torrent = crate::gui::demo::row(0).info_hash;
    rig.demo.tell(Event::Completed { torrent, name: name.clone(), secs: 75.0 });
    let reason = "The disk is full. Free 2 GiB on it, then resume.".to_owned();
    rig.demo.tell(Event::Failed { torrent, name, reason });
    rig.turn();
    rig.expect("A film is complete, after 1 min 15 s.");
    rig.expect("A film stopped. The disk is full.");
    let dismissals = rig.harness.root();
    let all = egui_kittest::kittest::Queryable::query_all_by_label(&dismissals, "Dismiss").count();
    assert_eq!(all, 2);
}

#[test]
fn a_session_that_has_ended_closes_the_window_or_is_told_of() {
    let mut rig = Rig::new(1);
    rig.demo.tell(Event::Stopped);
    rig.harness.step();
    let output = &rig.harness.output().viewport_output[&ViewportId::ROOT];
    assert!(output.commands.contains(&ViewportCommand::Close));

    let rig = Rig::new(1);
    let Rig { mut harness, demo, .. } = rig;
    drop(demo);
    harness
        .event(egui::Event::Paste("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567".to_owned()));
    harness.run();
    let says = |text: &str| {
        egui_kittest::kittest::Queryable::query_all_by_label_contains(&harness, text).next().is_some()
    };
    assert!(says("The session has ended. Close the window and start Fyris again."));
}

#[test]
fn sources_given_at_the_start_are_opened() {
    let rig = Rig::with(0, theme::FIRST_SIZE, |parts| {
        parts.open = vec![Source::File(std::env::temp_dir().join("Audio book.torrent"))];
    });
    rig.expect("833 MiB, 14 files");
}
