//! The statistics panel: rates, sums, and how torrents and peers stand.

use eframe::egui::{self, RichText, Ui, vec2};

use crate::api::{State, View};
use crate::gui::panels::parts;
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::{field, format};

/// The statistics panel.
#[derive(Default)]
pub(crate) struct Statistics;

impl Statistics {
    #[expect(clippy::unused_self, reason = "every panel is drawn the same way")]
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = scene.view;
        let look = theme::look(ui);
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            if let Some(network) = &view.network {
                tiles(ui, &parts::figures(&network.statistics));
                ui.add_space(theme::GAP);
                theme::card(look).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    field::heading(ui, "The network");
                    parts::history(ui, "history of the network", &network.statistics.history, 180.0);
                });
                ui.add_space(theme::GAP);
                field::heading(ui, "This computer");
                ui.add_space(4.0);
            }
            tiles(ui, &numbers(view));
            ui.add_space(theme::GAP);
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                field::heading(ui, "Rates");
                let height = (ui.available_height() - 24.0).clamp(160.0, 420.0);
                scene.rates.total.show(ui, "all rates", height);
            });
        });
    }
}

/// Names and values of the tiles.
fn numbers(view: &View) -> Vec<(&'static str, String)> {
    let count =
        |state: State| format::grouped(view.torrents.iter().filter(|row| row.state == state).count() as u64);
    let totals = &view.totals;
    let ratio = totals.uploaded as f64 / totals.downloaded.max(1) as f64;
    let swarms = &view.tracker.swarms;
    let sum = |part: fn(&crate::api::HostedSwarm) -> u32| {
        format::grouped(swarms.iter().map(|swarm| u64::from(part(swarm))).sum())
    };
    vec![
        ("Down", format::rate_or_zero(totals.down_rate)),
        ("Up", format::rate_or_zero(totals.up_rate)),
        ("Received in all", format::size(totals.downloaded)),
        ("Sent in all", format::size(totals.uploaded)),
        ("Ratio", if totals.downloaded == 0 { "–".to_owned() } else { format::ratio(ratio as f32) }),
        ("Connected peers", format::grouped(u64::from(totals.peers))),
        ("Downloading", count(State::Downloading)),
        ("Seeding", count(State::Seeding)),
        ("Paused", count(State::Paused)),
        ("Failed", count(State::Failed)),
        ("Tracker’s peers", sum(|swarm| swarm.leechers)),
        ("Tracker’s seeds", sum(|swarm| swarm.seeders)),
        ("In memory", format::size(totals.buffered)),
    ]
}

/// Values with their names below, as many in a row as fit.
fn tiles(ui: &mut Ui, values: &[(&'static str, String)]) {
    const LEAST: f32 = 132.0;
    let look = theme::look(ui);
    let gap = theme::GAP;
    let room = ui.available_width();
    let across = (((room + gap) / (LEAST + gap)).floor() as usize).clamp(1, values.len().max(1));
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
                        ui.add(egui::Label::new(RichText::new(*name).color(look.weak).small()).truncate());
                    });
                });
            }
        });
    }
}
