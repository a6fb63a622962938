//! The coordinator panel: the network, its rules, its registers, and who sends to whom.

use eframe::egui::{self, DragValue, Ui};

use crate::api::{NetworkView, Settings, View};
use crate::gui::panels::Panel;
use crate::gui::panels::parts::{self, ScreenPane};
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::field::{self, fact};
use crate::gui::widgets::format;
use crate::gui::widgets::icon::Icon;

/// What is shown of the registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Register {
    #[default]
    Trackers,
    Users,
    Swarm,
}

/// The coordinator panel.
#[derive(Default)]
pub(crate) struct Coordinator {
    /// Max_N while it is being dragged or typed.
    edited: Option<u32>,
    register: Register,
    screen: ScreenPane,
}

impl Coordinator {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = std::sync::Arc::clone(scene.view);
        match &view.network {
            Some(network) => self.network(ui, scene, &view, network),
            None => self.alone(ui, scene, &view),
        }
    }

    fn network(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View, network: &NetworkView) {
        let look = theme::look(ui);
        let room = ui.available_height();
        if room > 420.0 {
            egui::Panel::bottom("coordinator screen")
                .resizable(true)
                .default_size((room * 0.3).clamp(130.0, 260.0))
                .size_range(100.0..=(room - 260.0).max(110.0))
                .show_separator_line(false)
                .frame(below(look))
                .show(ui, |ui| {
                    self.screen.ui(ui, scene, "coordinator screen", &network.coordinator_screen);
                    ui.take_available_space();
                });
        }
        egui::CentralPanel::no_frame().show(ui, |ui| {
            theme::card(look).show(ui, |ui| {
                ui.set_width(ui.available_width());
                standing(ui, network);
                if let Some(link) = &network.link {
                    copied(ui, scene, "Join link", link);
                }
                let rules = &network.registers.rules;
                let size = rules.piece_length.map_or_else(
                    || "Automatic: 1\u{a0}000 to 2\u{a0}000 pieces a torrent".to_owned(),
                    |length| format::size(u64::from(length)),
                );
                fact(ui, "Piece size", size);
                if network.hosted {
                    self.max_n(ui, scene, &view.settings);
                } else {
                    fact(ui, "Max_N", format::grouped(u64::from(rules.max_connections)));
                }
            });
            ui.add_space(theme::GAP);
            self.registers(ui, scene, network, view.unix_millis);
        });
    }

    fn registers(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, network: &NetworkView, now: u64) {
        let registers = &network.registers;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            for (register, label) in [
                (Register::Trackers, format!("Trackers {}", registers.trackers.len())),
                (Register::Users, format!("Users {}", registers.users.len())),
                (Register::Swarm, "Picture of the swarm".to_owned()),
            ] {
                if Push::new(&label).tab(self.register == register).show(ui).clicked() {
                    self.register = register;
                }
            }
        });
        match self.register {
            Register::Trackers => parts::trackers(ui, scene, registers, now),
            Register::Users => parts::users(ui, scene, registers, now),
            Register::Swarm => parts::picture(ui, registers),
        }
    }

    /// What there is to say without a network: the tracker in this program, and who comes to it.
    fn alone(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View) {
        let look = theme::look(ui);
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

/// The frame of what stands below a panel's middle.
pub(super) fn below(look: &theme::Look) -> egui::Frame {
    let outer = egui::Margin { top: 8, ..egui::Margin::ZERO };
    theme::card(look).inner_margin(egui::Margin::same(10)).outer_margin(outer)
}

/// How this machine stands to the network, in a sentence.
pub(super) fn standing(ui: &mut Ui, network: &NetworkView) {
    let look = theme::look(ui);
    if let Some(fault) = &network.fault {
        field::remark(ui, Icon::Warning, look.bad, fault);
        return;
    }
    let users = network.registers.users.len() as u64;
    let users = format::counted(users, "user is connected", "users are connected");
    let text = match (network.hosted, network.connected) {
        (true, _) => format!("The coordinator runs on this computer; {users}."),
        (false, true) => format!("Connected to a coordinator on another machine; {users}."),
        (false, false) => "Not connected to the network.".to_owned(),
    };
    let good = network.hosted || network.connected;
    field::remark(
        ui,
        if good { Icon::Check } else { Icon::Info },
        if good { look.good } else { look.warn },
        &text,
    );
}

/// An address that can be copied.
pub(super) fn address(ui: &mut Ui, scene: &mut Scene<'_>, url: &str) {
    copied(ui, scene, "Address", url);
}

fn copied(ui: &mut Ui, scene: &mut Scene<'_>, what: &'static str, text: &str) {
    field::row(ui, what, |ui| {
        let label = format!("Copy {text}");
        if Push::icon(Icon::Link, &label).tip("Copy").show(ui).clicked() {
            scene.ask(Action::Copy(text.to_owned(), what));
        }
        ui.add(egui::Label::new(text).selectable(true).truncate());
    });
}
