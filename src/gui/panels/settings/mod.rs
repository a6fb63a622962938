//! The settings panel: every choice takes effect at once, and is refused with its reason where it cannot.
//!
//! - `session`: turns, goals, other limits, and what happens when a download is complete
//! - `labels`: labels, with what holds for all that have one
//! - `watch`: watched folders

mod labels;
mod session;
mod watch;

use std::net::IpAddr;
use std::path::Path;

use eframe::egui::{self, DragValue, Key, Slider, Ui};

use crate::api::{Limits, Settings, Theme, Watch, Web, WebPage};
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::{amount, field};

pub(crate) use session::goals;

/// The settings panel.
#[derive(Default)]
pub(crate) struct SettingsPanel {
    edit: Option<Edit>,
    folder: String,
    incomplete: String,
    bind: String,
    fault: Option<String>,
}

/// Settings being edited.
struct Edit {
    /// As they stand in the panel.
    draft: Settings,
    /// As they were last sent.
    sent: Settings,
    /// As they were in force when the panel was filled.
    force: Settings,
}

impl SettingsPanel {
    /// Takes a folder from a dialog.
    pub(super) fn download_folder(&mut self, folder: &Path) {
        self.folder = folder.to_string_lossy().into_owned();
        if let Some(edit) = &mut self.edit {
            edit.draft.download_folder = folder.to_path_buf();
        }
    }

    /// Takes a folder to be watched from a dialog.
    pub(super) fn watch_folder(&mut self, folder: &Path) {
        if let Some(edit) = &mut self.edit {
            edit.draft.watch.push(Watch { folder: folder.to_path_buf(), ..Watch::default() });
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let force = scene.view.settings.as_ref();
        let edit = self.edit.take().filter(|edit| edit.force == *force).unwrap_or_else(|| {
            self.folder = force.download_folder.to_string_lossy().into_owned();
            self.incomplete = shown(force.incomplete_folder.as_deref());
            self.bind = force.bind.map_or_else(String::new, |bind| bind.to_string());
            self.fault = None;
            Edit { draft: force.clone(), sent: force.clone(), force: force.clone() }
        });
        let Edit { mut draft, mut sent, force } = edit;
        let look = theme::look(ui);
        if let Some(fault) = &self.fault {
            field::remark(ui, Icon::Warning, look.bad, fault);
        }
        let mut settled = true;
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(760.0));
            let mut card = |ui: &mut Ui, title: &str, content: &mut dyn FnMut(&mut Ui) -> bool| {
                theme::card(look).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    field::heading(ui, title);
                    ui.add_space(2.0);
                    settled &= content(ui);
                });
                ui.add_space(4.0);
            };
            card(ui, "Appearance", &mut |ui| appearance(ui, &mut draft));
            card(ui, "Downloads", &mut |ui| self.downloads(ui, scene, &mut draft));
            card(ui, "Speed", &mut |ui| speed(ui, &mut draft.limits));
            card(ui, "Connections", &mut |ui| self.connections(ui, scene, &mut draft));
            card(ui, "Tracker", &mut |ui| tracker(ui, &mut draft));
            card(ui, "Web page", &mut |ui| web(ui, &mut draft.web));
            card(ui, "Closing", &mut |ui| {
                ui.checkbox(&mut draft.confirm_quit, "Ask before closing while others download from here");
                true
            });
            card(ui, "Other limits", &mut |ui| session::other_limits(ui, &mut draft.alternative));
            card(ui, "Queue", &mut |ui| session::queue(ui, &mut draft.queue));
            card(ui, "Given enough", &mut |ui| session::goals(ui, &mut draft.goals, "Never"));
            card(ui, "When a download is complete", &mut |ui| session::when_complete(ui, &mut draft));
            card(ui, "Labels", &mut |ui| labels::ui(ui, &mut draft.labels));
            card(ui, "Watched folders", &mut |ui| watch::ui(ui, scene, &mut draft.watch));
        });
        // What is being typed or dragged waits until it is let go.
        let wanted = filled_in(&draft);
        if settled && wanted != sent {
            self.fault = wanted.check().err().map(|error| error.to_string());
            if self.fault.is_none() {
                sent = wanted.clone();
                scene.ask(Action::Settings(Box::new(wanted)));
            }
        }
        self.edit = Some(Edit { draft, sent, force });
    }

    fn downloads(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Settings) -> bool {
        field::row(ui, "Save into", |ui| {
            let width = (ui.available_width() - 104.0 - 2.0 * theme::GAP).max(120.0);
            let edit = field::line(ui, &mut self.folder, "Save into", "Folder", width);
            if edit.lost_focus() || ui.input(|input| input.key_pressed(Key::Enter)) {
                draft.download_folder = field::path(&self.folder);
            }
            if Push::new("Folder…").with(Icon::Folder).enabled(!scene.picking).show(ui).clicked() {
                scene.ask(Action::Pick(Wanted::DownloadFolder(draft.download_folder.clone())));
            }
        });
        field::row(ui, "Until complete", |ui| {
            let mut apart = draft.incomplete_folder.is_some();
            if ui.checkbox(&mut apart, "In another folder").changed() {
                draft.incomplete_folder = apart.then(|| draft.download_folder.join(Settings::TEMPORAL));
                self.incomplete = shown(draft.incomplete_folder.as_deref());
            }
            if apart {
                let width = (ui.available_width() - theme::GAP).max(120.0);
                let edit = field::line(ui, &mut self.incomplete, "Folder until complete", "Folder", width);
                if edit.lost_focus() || ui.input(|input| input.key_pressed(Key::Enter)) {
                    draft.incomplete_folder = Some(field::path(&self.incomplete));
                }
            }
        });
        true
    }

    fn connections(&mut self, ui: &mut Ui, scene: &Scene<'_>, draft: &mut Settings) -> bool {
        let look = theme::look(ui);
        let mut settled = port(ui, "Port", &mut draft.port);
        if let Some(fault) = &scene.view.listen_fault {
            field::remark(ui, Icon::Warning, look.bad, fault);
        } else if let Some(address) = scene.view.listening.first() {
            field::note(ui, &format!("Others reach this computer at port {}.", address.port()));
        }
        field::row(ui, "Address", |ui| {
            let edit = field::line(ui, &mut self.bind, "Address to listen on", "Every address", 200.0);
            if edit.lost_focus() {
                let text = self.bind.trim();
                match text.parse::<IpAddr>() {
                    Ok(address) => draft.bind = Some(address),
                    Err(_) if text.is_empty() => draft.bind = None,
                    Err(_) => self.fault = Some(format!("{text} is not an address of this computer.")),
                }
            }
        });
        settled &= number(ui, "Connections in all", &mut draft.max_connections, 1..=100_000);
        settled &= number(ui, "For one torrent", &mut draft.max_connections_per_torrent, 1..=10_000);
        settled
    }
}

fn shown(folder: Option<&Path>) -> String {
    folder.map_or_else(String::new, |folder| folder.to_string_lossy().into_owned())
}

fn appearance(ui: &mut Ui, draft: &mut Settings) -> bool {
    field::row(ui, "Colours", |ui| {
        for (theme, label) in
            [(Theme::System, "As the desktop"), (Theme::Light, "Light"), (Theme::Dark, "Dark")]
        {
            ui.radio_value(&mut draft.theme, theme, label);
        }
    });
    field::row(ui, "Size", |ui| {
        let mut percent = (draft.zoom * 100.0).round();
        // The rail is painted in the colour of a button, which in the light look is that of the card below it.
        ui.visuals_mut().widgets.inactive.bg_fill = theme::look(ui).outline;
        let slider = Slider::new(&mut percent, 50.0..=300.0).step_by(10.0).suffix(" %");
        let response = ui.add(slider);
        draft.zoom = percent / 100.0;
        // Applied when the handle is let go, or it would move away from under the pointer.
        !response.dragged()
    })
}

fn speed(ui: &mut Ui, limits: &mut Limits) -> bool {
    let mut settled = amount::limit(ui, "Limit down", &mut limits.down);
    settled &= amount::limit(ui, "Limit up", &mut limits.up);
    settled
}

/// The settings without what is not filled in yet.
fn filled_in(draft: &Settings) -> Settings {
    let mut settings = draft.clone();
    settings.labels.retain(|label| !label.name.is_empty());
    settings.watch.retain(|watch| !watch.folder.as_os_str().is_empty());
    settings
}

fn tracker(ui: &mut Ui, draft: &mut Settings) -> bool {
    ui.checkbox(&mut draft.tracker, "Run the tracker in this program");
    ui.add_enabled_ui(draft.tracker, |ui| {
        ui.checkbox(&mut draft.tracker_on_network, "Answer other computers of the local network, too");
        let settled = number(ui, "Trackers", &mut draft.trackers, 1..=Settings::MOST_TRACKERS);
        port(ui, "Tracker port", &mut draft.tracker_port) && settled
    })
    .inner
}

fn web(ui: &mut Ui, web: &mut Web) -> bool {
    field::row(ui, "Have it", |ui| {
        for (page, label) in
            [(WebPage::Off, "Never"), (WebPage::Unattended, "Without a window"), (WebPage::Always, "Always")]
        {
            ui.radio_value(&mut web.page, page, label);
        }
    });
    if web.page == WebPage::Always {
        let text = "Its address, with what lets in, is in the file web-address of the folder that Fyris keeps its state in.";
        field::note(ui, text);
    }
    true
}

fn port(ui: &mut Ui, label: &str, port: &mut u16) -> bool {
    field::row(ui, label, |ui| {
        let response = ui.add(DragValue::new(port).range(0..=65_535).speed(1.0));
        if *port == 0 {
            field::note(ui, "The system chooses one.");
        }
        !(response.dragged() || response.has_focus())
    })
}

fn number(ui: &mut Ui, label: &str, value: &mut u32, range: std::ops::RangeInclusive<u32>) -> bool {
    field::row(ui, label, |ui| {
        let response = ui.add(DragValue::new(value).range(range).speed(1.0));
        !(response.dragged() || response.has_focus())
    })
}
