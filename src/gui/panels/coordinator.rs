//! The coordinator panel: the network, who may join it, its rules, its registers, and who sends to whom.

use eframe::egui::{self, Ui};

use crate::api::{NetworkCommand, NetworkView, Part, Question, RequestId};
use crate::gui::details::empty;
use crate::gui::panels::parts::{self, Hosting, Mood, Rules, ScreenPane};
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::button::Push;

/// A panel that is wider than this shows the picture of the swarm beside everything else.
const BESIDE: f32 = 1_180.0;

/// What is shown of the coordinator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Trackers,
    Users,
    Uploads,
    Swarm,
    Rules,
    Hosting,
}

/// The coordinator panel.
#[derive(Default)]
pub(crate) struct Coordinator {
    tab: Tab,
    rules: Rules,
    hosting: Hosting,
    screen: ScreenPane,
}

impl Coordinator {
    /// Takes the answer to a join; whether it was asked for here.
    pub(super) fn joined(&mut self, request: RequestId, refused: Option<&str>) -> bool {
        self.hosting.joined(request, refused)
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = std::sync::Arc::clone(scene.view);
        let Some(network) = &view.network else {
            parts::row(ui, Mood::Idle, "There is no network.", |_| {});
            ui.add_space(theme::GAP);
            self.hosting.ui(ui, scene, None);
            return;
        };
        let (mood, text) = parts::standing(network);
        parts::row(ui, mood, &text, |ui| {
            if network.hosted {
                let tip = "Ends the coordinator on this computer; transfers go on";
                if Push::new("Quit").tip(tip).show(ui).clicked() {
                    parts::ask(scene, NetworkCommand::QuitCoordinator);
                }
            } else if parts::start_button(ui) {
                parts::ask(scene, NetworkCommand::Host { listen: None });
            }
        });
        ui.add_space(4.0);
        parts::below(ui, "coordinator screen", |ui| {
            let asks =
                [(Question::Trackers, "Trackers", "Writes on the screen which trackers are registered")];
            self.screen.ui(ui, scene, Part::Coordinator, &network.coordinator_screen, &asks);
        });
        let registers = &network.registers;
        // Where there is room for both, the picture stands beside whatever is read.
        if self.tab != Tab::Swarm && ui.available_width() > BESIDE && !registers.users.is_empty() {
            egui::Panel::right("picture")
                .resizable(true)
                .default_size(ui.available_width() * 0.4)
                .size_range(320.0..=ui.available_width() * 0.6)
                .frame(egui::Frame::new().inner_margin(egui::Margin { left: 8, ..egui::Margin::ZERO }))
                .show_separator_line(false)
                .show(ui, |ui| parts::picture(ui, registers));
        }
        egui::CentralPanel::no_frame().show(ui, |ui| {
            parts::tabs(
                ui,
                &mut self.tab,
                &[
                    (Tab::Trackers, format!("Trackers {}", registers.trackers.len())),
                    (Tab::Users, format!("Users {}", registers.users.len())),
                    (Tab::Uploads, format!("Uploads {}", network.index.len())),
                    (Tab::Swarm, "Swarm".to_owned()),
                    (Tab::Rules, "Rules".to_owned()),
                    (Tab::Hosting, "Host and join".to_owned()),
                ],
            );
            self.tab(ui, scene, network, view.unix_millis / 1_000);
        });
    }

    fn tab(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, network: &NetworkView, now: u64) {
        let registers = &network.registers;
        let listed = matches!(self.tab, Tab::Trackers | Tab::Users | Tab::Uploads | Tab::Swarm);
        if listed && network.fault.is_some() && registers.trackers.is_empty() && registers.users.is_empty() {
            empty(ui, "The registers cannot be read until the coordinator answers.");
            return;
        }
        match self.tab {
            Tab::Trackers => parts::trackers(ui, scene, registers, now),
            Tab::Users => parts::users(ui, scene, registers, now),
            Tab::Uploads => parts::assigned(ui, scene, &network.index, now),
            Tab::Swarm => parts::picture(ui, registers),
            Tab::Rules => self.rules.ui(ui, scene, &registers.rules, network.hosted),
            Tab::Hosting => self.hosting.ui(ui, scene, Some(network)),
        }
    }
}
