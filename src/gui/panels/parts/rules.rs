//! The rules that everyone in the network applies: piece size, Max_N, and the texts of the announcing windows.

use eframe::egui::{self, DragValue, Ui};

use super::screen::ask;
use crate::api::{NetworkCommand, NetworkRules};
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::field::{self, fact};
use crate::gui::widgets::format;

/// The rules, as they are being changed.
#[derive(Default)]
pub(in crate::gui::panels) struct Rules {
    draft: NetworkRules,
    /// What was in force when the draft was begun.
    force: Option<NetworkRules>,
}

impl Rules {
    /// Draws the rules in force; whoever hosts the network may change them.
    pub(in crate::gui::panels) fn ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        force: &NetworkRules,
        hosted: bool,
    ) {
        let look = theme::look(ui);
        if self.force.as_ref() != Some(force) {
            (self.draft, self.force) = (force.clone(), Some(force.clone()));
        }
        egui::ScrollArea::vertical().id_salt("rules").auto_shrink([false, false]).show(ui, |ui| {
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                if hosted {
                    self.edit(ui, scene, force);
                } else {
                    read(ui, force);
                    field::note(ui, "Whoever hosts the network sets these.");
                }
            });
        });
    }

    fn edit(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, force: &NetworkRules) {
        let draft = &mut self.draft;
        field::row(ui, "Piece size", |ui| {
            field::piece_size(ui, &mut draft.piece_length);
            field::note(ui, "of what is uploaded from now on");
        });
        field::row(ui, "Max_N", |ui| {
            ui.add(DragValue::new(&mut draft.max_connections).range(1..=10_000).speed(0.5));
            field::note(ui, "connections of one torrent on one machine");
        });
        ui.add_space(4.0);
        field::heading(ui, "Announcing windows");
        field::note(ui, "What every user reads beside the list. An empty one takes no room.");
        let announcing = &mut draft.announcing;
        let after = "once a download completes; empty leaves it as it was";
        for (name, text, hint) in [
            ("On the right", &mut announcing.right, "from the beginning"),
            ("On the right, then", &mut announcing.right_completed, after),
            ("At the bottom", &mut announcing.bottom, "from the beginning"),
            ("At the bottom, then", &mut announcing.bottom_completed, after),
        ] {
            field::row(ui, name, |ui| field::line(ui, text, name, hint, f32::INFINITY));
        }
        ui.add_space(4.0);
        let changed = *draft != *force;
        ui.horizontal(|ui| {
            if Push::new("Set rules").kind(Kind::Main).enabled(changed).show(ui).clicked() {
                ask(scene, NetworkCommand::SetRules(Box::new(draft.clone())));
            }
            if Push::new("Undo").enabled(changed).show(ui).clicked() {
                self.force = None;
            }
        });
    }
}

fn read(ui: &mut Ui, rules: &NetworkRules) {
    let size = rules
        .piece_length
        .map_or_else(|| "Automatic, by size".to_owned(), |length| format::size(u64::from(length)));
    fact(ui, "Piece size", size);
    fact(ui, "Max_N", format::grouped(u64::from(rules.max_connections)));
    let announcing = &rules.announcing;
    for (label, text) in [
        ("On the right", &announcing.right),
        ("On the right, then", &announcing.right_completed),
        ("At the bottom", &announcing.bottom),
        ("At the bottom, then", &announcing.bottom_completed),
    ] {
        if !text.is_empty() {
            fact(ui, label, text.as_str());
        }
    }
}
