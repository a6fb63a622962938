//! The two announcing windows of a user, on the right and at the bottom: the coordinator's texts, which change when a
//! download completes. An empty one takes no room.

use eframe::egui::{self, Label, Margin, Panel, RichText, Role, Ui, UiBuilder};

use crate::api::NetworkView;
use crate::gui::theme;

/// Draws those that have something to say at the edges of the room; what follows gets the rest.
pub(in crate::gui::panels) fn announcing(ui: &mut Ui, network: &NetworkView) {
    const WIDEST: f32 = 230.0;
    const NARROWEST: f32 = 150.0;
    let look = theme::look(ui);
    let (right, bottom) = network.registers.rules.announcing.texts(network.completed);
    let frame = |margin: Margin| {
        theme::card(look).fill(look.chosen).inner_margin(Margin::symmetric(12, 8)).outer_margin(margin)
    };
    if !bottom.is_empty() {
        Panel::bottom("announcing bottom")
            .resizable(false)
            .show_separator_line(false)
            .max_size(84.0)
            .frame(frame(Margin { top: 8, ..Margin::ZERO }))
            .show(ui, |ui| window(ui, "Announcing window at the bottom", bottom));
    }
    if !right.is_empty() {
        Panel::right("announcing right")
            .resizable(false)
            .show_separator_line(false)
            .exact_size((ui.available_width() * 0.22).clamp(NARROWEST, WIDEST))
            .frame(frame(Margin { left: 8, ..Margin::ZERO }))
            .show(ui, |ui| {
                window(ui, "Announcing window on the right", right);
                ui.take_available_space();
            });
    }
}

fn window(ui: &mut Ui, name: &str, text: &str) {
    let builder = UiBuilder::new().accessibility_role(Role::Region).accessibility_label(name);
    ui.scope_builder(builder, |ui| {
        egui::ScrollArea::vertical().id_salt(name).auto_shrink([false, true]).show(ui, |ui| {
            ui.add(Label::new(RichText::new(text)).wrap().selectable(true));
        });
    });
}
