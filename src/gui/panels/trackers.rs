//! The trackers panel: the tracker in this program, its switch, its swarms, and what it counted.

use eframe::egui::{self, RichText, Ui};

use crate::api::{HostedSwarm, Settings, View};
use crate::gui::details::empty;
use crate::gui::panels::coordinator::{address, below};
use crate::gui::panels::parts::ScreenPane;
use crate::gui::scene::Action;
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::{Cell, Column, Rows, Sort, Table};
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 5] = [
    Column::text("name", "Torrent", 260.0).growing(),
    Column::number("seeders", "Seeds", 80.0).tip("Complete peers"),
    Column::number("leechers", "Peers", 80.0).tip("Peers that are downloading"),
    Column::number("downloaded", "Finished", 90.0).tip("Downloads finished since the tracker knows it"),
    Column::text("hash", "Info-hash", 330.0),
];

/// The trackers panel.
#[derive(Default)]
pub(crate) struct Trackers {
    screen: ScreenPane,
    chosen: Option<crate::base::InfoHash>,
}

impl Trackers {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = std::sync::Arc::clone(scene.view);
        let look = theme::look(ui);
        let room = ui.available_height();
        if let Some(network) = view.network.as_ref().filter(|_| room > 460.0) {
            egui::Panel::bottom("tracker screen")
                .resizable(true)
                .default_size((room * 0.25).clamp(130.0, 240.0))
                .size_range(100.0..=(room - 300.0).max(110.0))
                .show_separator_line(false)
                .frame(below(look))
                .show(ui, |ui| {
                    self.screen.ui(ui, scene, "tracker screen", &network.tracker_screen);
                    ui.take_available_space();
                });
        }
        egui::CentralPanel::no_frame().show(ui, |ui| self.middle(ui, scene, &view));
    }

    fn middle(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View) {
        let look = theme::look(ui);
        theme::card(look).show(ui, |ui| {
            ui.set_width(ui.available_width());
            switches(ui, scene, &view.settings);
            ui.add_space(4.0);
            match (&view.tracker.fault, view.tracker.running) {
                (Some(fault), _) => field::remark(ui, Icon::Warning, look.bad, fault),
                (None, true) => {
                    field::remark(ui, Icon::Check, look.good, "It answers, over HTTP and UDP, at:")
                }
                (None, false) => field::remark(ui, Icon::Info, look.weak, "It does not run."),
            }
            for url in &view.tracker.urls {
                address(ui, scene, url);
            }
        });
        ui.add_space(theme::GAP);
        counters(ui, &view.tracker.counters);
        field::heading(ui, "Swarms");
        ui.add_space(4.0);
        if view.tracker.swarms.is_empty() {
            empty(
                ui,
                "No swarm yet. Each file that you upload is announced here, and whoever downloads it appears.",
            );
            return;
        }
        let mut layout = scene.take_layout("swarms");
        let mut swarms: Vec<&HostedSwarm> = view.tracker.swarms.iter().collect();
        sort(&mut swarms, &layout.sort);
        let mut rows = SwarmRows { swarms: &swarms, chosen: self.chosen };
        let done = Table::new("swarms", "Swarms", &COLUMNS, &mut layout).show(ui, &mut rows);
        scene.put_layout("swarms", layout);
        if let Some((row, _)) = done.clicked {
            self.chosen = swarms.get(row).map(|swarm| swarm.info_hash);
        }
        if let Some(swarm) = done.opened.and_then(|row| swarms.get(row)) {
            scene.ask(Action::Choose(swarm.info_hash));
        }
    }
}

fn switches(ui: &mut Ui, scene: &mut Scene<'_>, settings: &Settings) {
    let mut changed = settings.clone();
    let text = "Run the tracker in this program";
    ui.checkbox(&mut changed.tracker, text).on_hover_text("Uploads name it, so that people find each other");
    ui.add_enabled_ui(changed.tracker, |ui| {
        ui.checkbox(&mut changed.tracker_on_network, "Answer other computers of the local network, too");
    });
    if changed != *settings {
        scene.ask(Action::Settings(Box::new(changed)));
    }
}

fn counters(ui: &mut Ui, counters: &[(String, u64)]) {
    if counters.is_empty() {
        return;
    }
    let look = theme::look(ui);
    ui.horizontal_wrapped(|ui| {
        for (name, value) in counters {
            theme::card(look).inner_margin(egui::Margin::symmetric(12, 6)).show(ui, |ui| {
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    ui.label(RichText::new(format::grouped(*value)).size(17.0));
                    ui.label(RichText::new(name.replace('_', " ")).color(look.weak).small());
                });
            });
        }
    });
    ui.add_space(theme::GAP);
}

fn sort(swarms: &mut [&HostedSwarm], sort: &Sort) {
    match sort.key.as_str() {
        "name" => swarms.sort_by(|a, b| a.name.cmp(&b.name)),
        "seeders" => swarms.sort_by_key(|swarm| swarm.seeders),
        "leechers" => swarms.sort_by_key(|swarm| swarm.leechers),
        "downloaded" => swarms.sort_by_key(|swarm| swarm.downloaded),
        "hash" => swarms.sort_by_key(|swarm| swarm.info_hash),
        _ => {}
    }
    if sort.descending {
        swarms.reverse();
    }
}

struct SwarmRows<'a> {
    swarms: &'a [&'a HostedSwarm],
    chosen: Option<crate::base::InfoHash>,
}

fn name(swarm: &HostedSwarm) -> String {
    swarm.name.clone().unwrap_or_else(|| "Not on your list".to_owned())
}

impl Rows for SwarmRows<'_> {
    fn len(&self) -> usize {
        self.swarms.len()
    }

    fn key(&self, row: usize) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.swarms[row].info_hash.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn sentence(&self, row: usize) -> String {
        let swarm = self.swarms[row];
        format!(
            "{}: {} seeds, {} peers, {} finished",
            name(swarm),
            swarm.seeders,
            swarm.leechers,
            swarm.downloaded
        )
    }

    fn chosen(&self, row: usize) -> bool {
        self.chosen == Some(self.swarms[row].info_hash)
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let swarm = self.swarms[row];
        match column {
            "name" if swarm.name.is_some() => cell.text(&name(swarm)),
            "name" => cell.weak(&name(swarm)),
            "seeders" => cell.text(&format::grouped(u64::from(swarm.seeders))),
            "leechers" => cell.text(&format::grouped(u64::from(swarm.leechers))),
            "downloaded" => cell.text(&format::grouped(u64::from(swarm.downloaded))),
            "hash" => cell.mono(&swarm.info_hash.to_hex()),
            _ => {}
        }
    }
}
