//! The statistics panel: the three figures of the network and what they are made of, its screen, and this computer's
//! rates and sums.

use std::time::Duration;

use eframe::egui::{self, Ui};

use crate::api::{NetworkView, Part, Question, State, View};
use crate::gui::panels::parts::{self, ByPart, ScreenPane};
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::{field, format};

/// How often stays that go on are drawn again: they are no news to the session.
const STAYS: Duration = Duration::from_secs(1);

/// What is shown of the statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Network,
    Users,
    Trackers,
    Torrents,
    Computer,
}

/// The statistics panel.
#[derive(Default)]
pub(crate) struct Statistics {
    tab: Tab,
    trackers: ByPart,
    torrents: ByPart,
    screen: ScreenPane,
}

impl Statistics {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = std::sync::Arc::clone(scene.view);
        let Some(network) = &view.network else {
            computer(ui, scene);
            return;
        };
        parts::unread(ui, network);
        parts::below(ui, "statistics screen", |ui| {
            let asks = [
                (Question::NPeers, "nPeers", "Writes on the screen how many users download"),
                (Question::NSeeds, "nSeeds", "Writes on the screen how many users seed"),
                (Question::TimeSeed, "timeSeed", "Writes on the screen how long seeds stay, on the mean"),
            ];
            self.screen.ui(ui, scene, Part::Statistics, &network.statistics_screen, &asks);
        });
        egui::CentralPanel::no_frame().show(ui, |ui| {
            let statistics = &network.statistics;
            parts::tabs(
                ui,
                &mut self.tab,
                &[
                    (Tab::Network, "Network".to_owned()),
                    (Tab::Users, format!("Users {}", statistics.users.len())),
                    (Tab::Trackers, format!("Trackers {}", statistics.trackers.len())),
                    (Tab::Torrents, format!("Torrents {}", statistics.torrents.len())),
                    (Tab::Computer, "This computer".to_owned()),
                ],
            );
            self.tab(ui, scene, network, view.unix_millis / 1_000);
        });
    }

    fn tab(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, network: &NetworkView, now: u64) {
        let statistics = &network.statistics;
        if statistics.time.running > 0 && self.tab != Tab::Computer {
            ui.ctx().request_repaint_after(STAYS);
        }
        match self.tab {
            Tab::Network => whole(ui, network),
            Tab::Users => parts::by_user(ui, scene, &statistics.users, now),
            Tab::Trackers => {
                let names =
                    ["tracker statistics", "Statistics by tracker", "No tracker has been counted yet."];
                self.trackers.ui(ui, scene, names, &statistics.trackers, now);
            }
            Tab::Torrents => {
                let names =
                    ["torrent statistics", "Statistics by torrent", "No torrent has been counted yet."];
                self.torrents.ui(ui, scene, names, &statistics.torrents, now);
            }
            Tab::Computer => computer(ui, scene),
        }
    }
}

/// The figures of the whole network.
fn whole(ui: &mut Ui, network: &NetworkView) {
    let look = theme::look(ui);
    egui::ScrollArea::vertical().id_salt("whole").auto_shrink([false, false]).show(ui, |ui| {
        parts::tiles(ui, &parts::figures(&network.statistics));
        ui.add_space(theme::GAP);
        theme::card(look).show(ui, |ui| {
            ui.set_width(ui.available_width());
            field::heading(ui, "History");
            let height = (ui.available_height() - 60.0).clamp(170.0, 640.0);
            parts::history(ui, "of the network", &network.statistics.history, height);
        });
    });
}

/// Rates and sums of this computer.
fn computer(ui: &mut Ui, scene: &Scene<'_>) {
    let look = theme::look(ui);
    egui::ScrollArea::vertical().id_salt("computer").auto_shrink([false, false]).show(ui, |ui| {
        parts::tiles(ui, &numbers(scene.view));
        ui.add_space(theme::GAP);
        theme::card(look).show(ui, |ui| {
            ui.set_width(ui.available_width());
            field::heading(ui, "Rates");
            let height = (ui.available_height() - 24.0).clamp(160.0, 420.0);
            scene.rates.total.show(ui, "all rates", height);
        });
    });
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
