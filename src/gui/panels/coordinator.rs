//! The coordinator panel: the network that this computer has of its own.

use eframe::egui::{self, DragValue, Ui};

use crate::api::Settings;
use crate::gui::panels::Panel;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::field::{self, fact};
use crate::gui::widgets::format;
use crate::gui::widgets::icon::Icon;

/// The coordinator panel.
#[derive(Default)]
pub(crate) struct Coordinator {
    /// Max_N while it is being dragged or typed.
    edited: Option<u32>,
}

impl Coordinator {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let look = theme::look(ui);
        let view = std::sync::Arc::clone(scene.view);
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                field::heading(ui, "This network");
                ui.add_space(4.0);
                let running = view.tracker.running;
                match (&view.tracker.fault, running) {
                    (Some(fault), _) => field::remark(ui, Icon::Warning, look.bad, fault),
                    (None, true) => {
                        let whom = if view.settings.tracker_on_network {
                            "this computer and its local network"
                        } else {
                            "this computer"
                        };
                        field::remark(ui, Icon::Check, look.good, &format!("Running, for {whom}."));
                    }
                    (None, false) => {
                        let text =
                            "No tracker runs, so uploads are assigned to none. Switch it on under Trackers.";
                        field::remark(ui, Icon::Info, look.warn, text);
                    }
                }
                ui.add_space(4.0);
                for url in &view.tracker.urls {
                    address(ui, scene, url);
                }
                let users: u32 = view.tracker.swarms.iter().map(|swarm| swarm.seeders + swarm.leechers).sum();
                fact(ui, "Torrents", format::grouped(view.tracker.swarms.len() as u64));
                fact(ui, "Peers and seeds", format::grouped(u64::from(users)));
            });
            ui.add_space(theme::GAP);
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                field::heading(ui, "Rules");
                ui.add_space(4.0);
                fact(
                    ui,
                    "Piece size",
                    "Automatic: 1 000 to 2 000 pieces a torrent; each upload can have its own",
                );
                self.max_n(ui, scene, &view.settings);
                field::note(ui, "Max_N: how many connections one torrent may have at the same time.");
            });
            ui.add_space(theme::GAP);
            if Push::new("Trackers").with(Icon::Trackers).show(ui).clicked() {
                scene.ask(Action::Show(Panel::Trackers));
            }
        });
    }

    fn max_n(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, settings: &Settings) {
        field::row(ui, "Max_N", |ui| {
            let mut value = self.edited.unwrap_or(settings.max_connections_per_torrent);
            let response = ui.add(DragValue::new(&mut value).range(1..=10_000).speed(0.5));
            if response.changed() {
                self.edited = Some(value);
            }
            if (response.lost_focus() || response.drag_stopped())
                && let Some(value) = self.edited.take()
                && value != settings.max_connections_per_torrent
            {
                let settings = Settings { max_connections_per_torrent: value, ..settings.clone() };
                scene.ask(Action::Settings(Box::new(settings)));
            }
        });
    }
}

/// An address that can be copied.
pub(super) fn address(ui: &mut Ui, scene: &mut Scene<'_>, url: &str) {
    ui.horizontal(|ui| {
        fact(ui, "Address", url);
        let label = format!("Copy {url}");
        if Push::icon(Icon::Link, &label).tip("Copy").show(ui).clicked() {
            scene.ask(Action::Copy(url.to_owned(), "Address"));
        }
    });
}
