//! The values that an experiment is run with.

use eframe::egui::{self, DragValue, RichText, Ui, vec2};

use crate::api::{Experiment, LabPlan};
use crate::gui::theme;

/// Room for one value with its name.
const PAIR: f32 = 208.0;
const NAME: f32 = 84.0;
const KIB: u64 = 1024;

/// Those that matter to the experiment, as many in a row as fit.
pub(super) fn show(ui: &mut Ui, plan: &mut LabPlan) {
    let experiment = plan.experiment;
    ui.horizontal_wrapped(|ui| {
        let mut kib = plan.file_size / KIB;
        pair(ui, "File size", DragValue::new(&mut kib).range(64..=262_144).speed(64.0).suffix(" KiB"));
        plan.file_size = kib * KIB;
        let mut kib = plan.bandwidth / KIB;
        let drag = DragValue::new(&mut kib).range(1..=1_048_576).speed(8.0).suffix(" KiB/s");
        pair(ui, "Bandwidth", drag);
        plan.bandwidth = kib * KIB;
        if experiment != Experiment::Reconnect {
            pair(ui, "Peers", DragValue::new(&mut plan.peers).range(2..=200).speed(0.2));
        }
        if experiment == Experiment::Connections {
            let (from, to) = (plan.max_n_from, plan.max_n_to);
            pair(ui, "Max_N from", DragValue::new(&mut plan.max_n_from).range(1..=to).speed(0.1));
            pair(ui, "Max_N to", DragValue::new(&mut plan.max_n_to).range(from..=64).speed(0.1));
        }
        if experiment == Experiment::Stay {
            let drag = DragValue::new(&mut plan.mean_stay_secs).range(0..=1_000_000).speed(1.0);
            pair(ui, "Mean stay", drag.suffix(" s"));
        }
        if !plan.sockets {
            pair(ui, "Seed", DragValue::new(&mut plan.seed).speed(0.2));
        }
    });
}

/// A value with its name before it.
fn pair(ui: &mut Ui, name: &str, value: DragValue<'_>) {
    let look = theme::look(ui);
    let room = vec2(PAIR, theme::CONTROL);
    ui.allocate_ui_with_layout(room, egui::Layout::left_to_right(egui::Align::Center), |ui| {
        ui.set_min_size(room);
        let (rect, _) = ui.allocate_exact_size(vec2(NAME, theme::CONTROL), egui::Sense::hover());
        let _ = ui.place(rect, |ui: &mut Ui| {
            let left = egui::Layout::left_to_right(egui::Align::Center);
            ui.with_layout(left, |ui| ui.label(RichText::new(name).color(look.weak))).inner
        });
        let _ = ui.add_sized(vec2(110.0, theme::CONTROL), value).accessible_name(name);
    });
}
