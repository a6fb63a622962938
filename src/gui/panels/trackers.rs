//! The trackers panel: the trackers in this program, their standing in the network, their swarms and the users in them, and
//! how they are set up.

use eframe::egui::{self, Ui};

use crate::api::{HostedSwarm, HostedTracker, NetworkCommand, NetworkView, Part, Question, Settings, View};
use crate::base::InfoHash;
use crate::gui::details::empty;
use crate::gui::panels::parts::{self, Entry, Listing, Mood, ScreenPane, Value, hash_key};
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::Column;
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 5] = [
    Column::text("name", "Torrent", 260.0).growing(),
    Column::number("seeders", "Seeds", 80.0).tip("Complete peers"),
    Column::number("leechers", "Peers", 80.0).tip("Peers that are downloading"),
    Column::number("downloaded", "Finished", 90.0).tip("Downloads finished since the tracker knows it"),
    Column::text("hash", "Info-hash", 330.0),
];

/// What is shown of the tracker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Swarms,
    Users,
    Counters,
    SetUp,
}

/// The trackers panel.
#[derive(Default)]
pub(crate) struct Trackers {
    tab: Tab,
    screen: ScreenPane,
    chosen: Option<InfoHash>,
}

impl Trackers {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = std::sync::Arc::clone(scene.view);
        let (mood, text) = standing(&view);
        let network = view.network.as_deref();
        parts::row(ui, mood, &text, |ui| {
            let Some(network) = network else { return };
            let trying = network.tracker_fault.is_some();
            let commands = [
                (NetworkCommand::ConnectTracker, "Offers this tracker to the coordinator"),
                (
                    NetworkCommand::DisconnectTracker,
                    "Takes it off the register; torrents that have it keep it",
                ),
            ];
            parts::connecting(ui, scene, network.tracker_connected, trying, commands);
        });
        ui.add_space(4.0);
        if let Some(network) = network {
            parts::below(ui, "tracker screen", |ui| {
                let asks = [
                    (Question::Peers, "Peers", "Writes on the screen who downloads"),
                    (Question::Seeds, "Seeds", "Writes on the screen who seeds"),
                ];
                self.screen.ui(ui, scene, Part::Tracker, &network.tracker_screen, &asks);
            });
        }
        egui::CentralPanel::no_frame().show(ui, |ui| self.middle(ui, scene, &view, network));
    }

    fn middle(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View, network: Option<&NetworkView>) {
        let mut tabs = vec![(Tab::Swarms, format!("Swarms {}", view.tracker.swarms.len()))];
        if let Some(network) = network {
            tabs.push((Tab::Users, format!("Users {}", parts::member_count(&network.tracker_swarms))));
        }
        tabs.push((Tab::Counters, "Counters".to_owned()));
        tabs.push((Tab::SetUp, "Set-up".to_owned()));
        parts::tabs(ui, &mut self.tab, &tabs);
        let now = view.unix_millis / 1_000;
        match (self.tab, network) {
            (Tab::Users, Some(network)) => parts::members(ui, scene, network, now),
            (Tab::Swarms | Tab::Users, _) => self.swarms(ui, scene, view, now),
            (Tab::Counters, _) => counters(ui, &view.tracker),
            (Tab::SetUp, _) => set_up(ui, scene, view),
        }
    }

    fn swarms(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View, now: u64) {
        if view.tracker.swarms.is_empty() {
            empty(
                ui,
                "No swarm yet. Each file that you upload is announced here, and whoever downloads it appears.",
            );
            return;
        }
        let chosen = self.chosen.map(hash_key);
        let listing = Listing { name: "swarms", label: "Swarms", columns: &COLUMNS, chosen, now };
        let (clicked, opened) = listing.show(ui, scene, view.tracker.swarms.iter().collect());
        if let Some(swarm) = clicked {
            self.chosen = Some(swarm.info_hash);
        }
        if let Some(swarm) = opened {
            scene.ask(Action::Choose(swarm.info_hash));
        }
    }
}

/// How the tracker stands, in a sentence.
fn standing(view: &View) -> (Mood, String) {
    let tracker = &view.tracker;
    if let Some(fault) = &tracker.fault {
        return (Mood::Fault, fault.clone());
    }
    if !tracker.running {
        return (Mood::Idle, "It does not run. Switch it on under Set-up.".to_owned());
    }
    match &view.network {
        None => (Mood::Well, "It runs.".to_owned()),
        Some(network) => match (&network.tracker_fault, network.tracker_connected) {
            (Some(fault), _) => (Mood::Fault, fault.clone()),
            (None, connected) => {
                let (mood, text) = match (connected, view.settings.trackers > 1) {
                    (true, false) => (Mood::Well, "It runs, and uploads are assigned to it in its turn."),
                    (false, false) => (Mood::Idle, "It runs, but no uploads are assigned to it."),
                    (true, true) => (Mood::Well, "They run, and uploads are assigned to each in its turn."),
                    (false, true) => (Mood::Idle, "They run, but no uploads are assigned to them."),
                };
                (mood, text.to_owned())
            }
        },
    }
}

fn set_up(ui: &mut Ui, scene: &mut Scene<'_>, view: &View) {
    let look = theme::look(ui);
    egui::ScrollArea::vertical().id_salt("set-up").auto_shrink([false, false]).show(ui, |ui| {
        theme::card(look).show(ui, |ui| {
            ui.set_width(ui.available_width());
            switches(ui, scene, &view.settings);
            ui.add_space(4.0);
            match (&view.tracker.fault, view.tracker.running) {
                (Some(fault), _) => field::remark(ui, Icon::Warning, look.bad, fault),
                (None, true) => {
                    field::remark(ui, Icon::Check, look.good, "It answers, over HTTP and UDP, at:");
                }
                (None, false) => field::remark(ui, Icon::Info, look.weak, "It does not run."),
            }
            for url in &view.tracker.urls {
                parts::copied(ui, scene, "Address", url);
            }
        });
    });
}

fn switches(ui: &mut Ui, scene: &mut Scene<'_>, settings: &Settings) {
    let mut changed = settings.clone();
    let text = "Run the tracker in this program";
    ui.checkbox(&mut changed.tracker, text).on_hover_text("Uploads name it, so that people find each other");
    ui.add_enabled_ui(changed.tracker, |ui| {
        ui.checkbox(&mut changed.tracker_on_network, "Answer other computers of the local network, too");
        ui.horizontal(|ui| {
            let many = Push::new("One more").enabled(changed.trackers < Settings::MOST_TRACKERS);
            let few = Push::new("One less").enabled(changed.trackers > 1);
            ui.label(format::counted(changed.trackers.into(), "tracker", "trackers"));
            if many.tip("Starts another tracker, at the next free port").show(ui).clicked() {
                changed.trackers += 1;
            }
            if few.tip("Ends the last of them").show(ui).clicked() {
                changed.trackers -= 1;
            }
        });
    });
    if changed != *settings {
        scene.ask(Action::Settings(Box::new(changed)));
    }
}

fn counters(ui: &mut Ui, tracker: &HostedTracker) {
    if tracker.counters.is_empty() {
        empty(ui, "Nothing has been counted: the tracker does not run.");
        return;
    }
    egui::ScrollArea::vertical().id_salt("counters").auto_shrink([false, false]).show(ui, |ui| {
        let names = ["announces", "scrapes", "refused"];
        let minute = names.into_iter().zip(tracker.last_minute);
        let minute: Vec<(&str, String)> =
            minute.map(|(name, value)| (name, format::grouped(value))).collect();
        field::heading(ui, "In the last minute");
        parts::tiles(ui, &minute);
        ui.add_space(8.0);
        field::heading(ui, "Now, and since it started");
        let counters = &tracker.counters;
        let values: Vec<(String, String)> =
            counters.iter().map(|(name, value)| (name.replace('_', " "), format::grouped(*value))).collect();
        parts::tiles(ui, &values);
    });
}

fn name(swarm: &HostedSwarm) -> &str {
    swarm.name.as_deref().unwrap_or("Not on your list")
}

impl Entry for HostedSwarm {
    fn key(&self) -> u64 {
        hash_key(self.info_hash)
    }

    fn sentence(&self, _now: u64) -> String {
        format!(
            "{}: {} seeds, {} peers, {} finished",
            name(self),
            self.seeders,
            self.leechers,
            self.downloaded
        )
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "name" if self.name.is_some() => Value::Text(name(self).into()),
            "name" => Value::Weak(name(self).into()),
            "seeders" => Value::Count(self.seeders.into()),
            "leechers" => Value::Count(self.leechers.into()),
            "downloaded" => Value::Count(self.downloaded.into()),
            _ => Value::Code(self.info_hash.to_hex()),
        }
    }
}
