//! Values with their names below, side by side.

use eframe::egui::{self, RichText, Ui, vec2};

use crate::gui::theme;

/// Draws names and values, as many in a row as fit.
pub(in crate::gui::panels) fn tiles<N: AsRef<str>>(ui: &mut Ui, values: &[(N, String)]) {
    const LEAST: f32 = 132.0;
    let look = theme::look(ui);
    let gap = theme::GAP;
    let room = ui.available_width();
    let most = (((room + gap) / (LEAST + gap)).floor() as usize).clamp(1, values.len().max(1));
    // As many rows as that takes, and each as long as the others.
    let across = values.len().div_ceil(values.len().div_ceil(most).max(1)).max(1);
    let width = (room - gap * (across as f32 - 1.0)) / across as f32;
    for line in values.chunks(across) {
        ui.horizontal(|ui| {
            for (name, value) in line {
                let frame = theme::card(look).inner_margin(egui::Margin::symmetric(12, 8));
                let inner = vec2(width - 26.0, 40.0);
                frame.show(ui, |ui| {
                    ui.allocate_ui_with_layout(inner, egui::Layout::top_down(egui::Align::LEFT), |ui| {
                        ui.set_min_size(inner);
                        ui.spacing_mut().item_spacing.y = 2.0;
                        ui.add(egui::Label::new(RichText::new(value).size(17.0)).truncate());
                        let name = RichText::new(name.as_ref()).color(look.weak).small();
                        ui.add(egui::Label::new(name).truncate());
                    });
                });
            }
        });
    }
}
