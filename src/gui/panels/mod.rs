//! One file for each panel of the navigation; each draws from the view and asks by actions.
//!
//! - `peer`: uploads, downloads, the list and the details
//! - `controls`: the user's part in the network, below the list
//! - `coordinator`: the network, who may join it, its rules and registers
//! - `trackers`: the tracker in this program and its swarms
//! - `index`: what can be had in the network by its name
//! - `statistics`: the network's figures, this computer's rates and sums
//! - `lab`: the experiments of the thesis
//! - `settings`: everything that can be chosen
//! - `log`: what happened
//! - `parts`: what several of them show of the network

mod controls;
mod coordinator;
mod index;
mod lab;
mod log;
mod parts;
mod peer;
mod settings;
mod statistics;
mod trackers;

use eframe::egui::{self, RichText, Role, Ui, UiBuilder};
use serde::{Deserialize, Serialize};

pub(crate) use settings::goals;

use crate::api::RequestId;
use crate::gui::list::List;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::trial::Bench;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;

/// A panel of the navigation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Panel {
    /// Torrents.
    #[default]
    Peer,
    /// The network that this computer hosts or has joined.
    Coordinator,
    /// The tracker in this program.
    Trackers,
    /// What can be had by its name.
    Index,
    /// Sums and counters.
    Statistics,
    /// The experiments of the thesis.
    Lab,
    /// What can be chosen.
    Settings,
    /// What happened.
    Log,
}

impl Panel {
    /// Every panel, in the order of the navigation.
    pub(crate) const ALL: [Self; 8] = [
        Self::Peer,
        Self::Coordinator,
        Self::Trackers,
        Self::Index,
        Self::Statistics,
        Self::Lab,
        Self::Settings,
        Self::Log,
    ];

    /// The five parts of the network.
    pub(crate) const NETWORK: [Self; 5] =
        [Self::Peer, Self::Coordinator, Self::Trackers, Self::Index, Self::Statistics];

    /// Its name.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Peer => "Peer",
            Self::Coordinator => "Coordinator",
            Self::Trackers => "Trackers",
            Self::Index => "Index",
            Self::Statistics => "Statistics",
            Self::Lab => "Lab",
            Self::Settings => "Settings",
            Self::Log => "Log",
        }
    }

    /// What it is for.
    pub(crate) const fn tip(self) -> &'static str {
        match self {
            Self::Peer => "Share and download",
            Self::Coordinator => "Who is in the network, and its rules",
            Self::Trackers => "The trackers in this program",
            Self::Index => "What can be had by its name",
            Self::Statistics => "How many, how long, how fast",
            Self::Lab => "The experiments of the thesis",
            Self::Settings => "Folders, limits, colours",
            Self::Log => "What happened",
        }
    }

    /// Its picture.
    pub(crate) const fn icon(self) -> Icon {
        match self {
            Self::Peer => Icon::Peer,
            Self::Coordinator => Icon::Coordinator,
            Self::Trackers => Icon::Trackers,
            Self::Index => Icon::Index,
            Self::Statistics => Icon::Statistics,
            Self::Lab => Icon::Lab,
            Self::Settings => Icon::Settings,
            Self::Log => Icon::Log,
        }
    }
}

/// What every panel keeps from one frame to the next.
#[derive(Default)]
pub(crate) struct Panels {
    peer: peer::Peer,
    coordinator: coordinator::Coordinator,
    trackers: trackers::Trackers,
    index: index::Index,
    statistics: statistics::Statistics,
    lab: lab::Lab,
    settings: settings::SettingsPanel,
    log: log::Log,
}

impl Panels {
    /// Draws one into all the room there is; `own` is whether it has the window for itself.
    pub(crate) fn ui(&mut self, panel: Panel, ui: &mut Ui, scene: &mut Scene<'_>, own: bool) {
        let name = format!("{} {}", panel.title(), if own { "window" } else { "panel" });
        let builder =
            UiBuilder::new().id_salt(panel).accessibility_role(Role::Region).accessibility_label(name);
        ui.scope_builder(builder, |ui| self.content(panel, ui, scene, own));
    }

    fn content(&mut self, panel: Panel, ui: &mut Ui, scene: &mut Scene<'_>, own: bool) {
        if panel != Panel::Peer {
            head(ui, scene, panel, own);
        }
        match panel {
            Panel::Peer => self.peer.ui(ui, scene, own),
            Panel::Coordinator => self.coordinator.ui(ui, scene),
            Panel::Trackers => self.trackers.ui(ui, scene),
            Panel::Index => self.index.ui(ui, scene),
            Panel::Statistics => self.statistics.ui(ui, scene),
            Panel::Lab => self.lab.ui(ui, scene),
            Panel::Settings => self.settings.ui(ui, scene),
            Panel::Log => self.log.ui(ui, scene),
        }
    }

    /// The list of torrents.
    pub(crate) fn list(&mut self) -> &mut List {
        &mut self.peer.list
    }

    /// Takes what runs experiments.
    pub(crate) fn set_bench(&mut self, bench: Option<Bench>) {
        self.lab.bench = bench;
    }

    /// Lets the path of the lab's table be typed, beginning with a folder.
    pub(crate) fn lab_by_path(&mut self, folder: &std::path::Path) {
        self.lab.save_by_path(folder);
    }

    /// Takes the answer to a join, with the reason of a refusal; whether a panel had asked for it.
    pub(crate) fn joined(&mut self, request: RequestId, refused: Option<&str>) -> bool {
        self.coordinator.joined(request, refused)
    }

    /// Takes a folder that was chosen for downloads.
    pub(crate) fn download_folder(&mut self, folder: &std::path::Path) {
        self.settings.download_folder(folder);
    }

    /// Takes a folder that was chosen to be watched.
    pub(crate) fn watch_folder(&mut self, folder: &std::path::Path) {
        self.settings.watch_folder(folder);
    }
}

/// A panel's title, and the button that gives it a window of its own.
fn head(ui: &mut Ui, scene: &mut Scene<'_>, panel: Panel, own: bool) {
    let look = theme::look(ui);
    ui.horizontal(|ui| {
        ui.heading(panel.title());
        ui.label(RichText::new(panel.tip()).color(look.weak));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let label = if own { "Back into the main window" } else { "In a window of its own" };
            if Push::icon(Icon::Window, label).show(ui).clicked() {
                scene.ask(Action::OwnWindow(panel, !own));
            }
        });
    });
    ui.add_space(theme::GAP);
}
