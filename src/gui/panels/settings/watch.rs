//! Watched folders.

use std::path::PathBuf;

use eframe::egui::Ui;

use crate::api::Watch;
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::widgets::button::Push;
use crate::gui::widgets::field;
use crate::gui::widgets::icon::Icon;

pub(super) fn ui(ui: &mut Ui, scene: &mut Scene<'_>, watches: &mut Vec<Watch>) -> bool {
    field::note(ui, "A .torrent or .magnet file that appears in one of these folders is added by itself.");
    let (mut settled, mut gone) = (true, None);
    for (number, watch) in watches.iter_mut().enumerate() {
        ui.push_id(number, |ui| {
            ui.separator();
            field::row(ui, "Folder", |ui| {
                let mut text = watch.folder.to_string_lossy().into_owned();
                let name = format!("Watched folder {}", number + 1);
                let edit = field::line(ui, &mut text, &name, "Folder", 360.0);
                if edit.changed() {
                    watch.folder = PathBuf::from(&text);
                }
                if edit.lost_focus() {
                    watch.folder = field::path(&text);
                }
                settled &= !edit.has_focus();
                if Push::icon(Icon::Remove, &format!("Watch folder {} no more", number + 1))
                    .show(ui)
                    .clicked()
                {
                    gone = Some(number);
                }
            });
            settled &= super::session::folder(ui, "Save into", "As all downloads", &mut watch.target);
            field::row(ui, "With the label", |ui| {
                let edit = field::line(ui, &mut watch.label, "With the label", "None", 220.0);
                settled &= !edit.has_focus();
            });
            let mut begins = !watch.paused;
            ui.checkbox(&mut begins, "Begin at once");
            watch.paused = !begins;
            if ui
                .checkbox(&mut watch.removal_stops, "Removing the file takes the torrent off the list")
                .changed()
                && watch.removal_stops
            {
                watch.move_to = None;
            }
            if !watch.removal_stops {
                let hint = "They get the ending .added";
                settled &= super::session::folder(ui, "Then move it to", hint, &mut watch.move_to);
            }
        });
    }
    if let Some(gone) = gone {
        watches.remove(gone);
    }
    ui.horizontal(|ui| {
        if Push::new("Watch a folder…").with(Icon::Folder).enabled(!scene.picking).show(ui).clicked() {
            scene.ask(Action::Pick(Wanted::WatchFolder));
        }
        if Push::new("Type a folder").show(ui).clicked() {
            watches.push(Watch::default());
        }
    });
    settled
}
