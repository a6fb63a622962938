//! The peer panel: buttons, the list, below it the details of the chosen torrent, and around it the network.

use eframe::egui::{self, Margin, RichText, Sense, Ui, vec2};

use crate::api::Command;
use crate::gui::details::Details;
use crate::gui::list::{List, download_button, upload_button};
use crate::gui::panels::controls::Controls;
use crate::gui::panels::parts;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::upload;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::{bar, format};

/// The peer panel.
#[derive(Default)]
pub(crate) struct Peer {
    pub list: List,
    details: Details,
    controls: Controls,
}

impl Peer {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, own: bool) {
        let view = std::sync::Arc::clone(scene.view);
        if let Some(network) = &view.network {
            self.controls.ui(ui, scene, network, own);
            parts::announcing(ui, network);
        }
        egui::CentralPanel::no_frame().show(ui, |ui| self.middle(ui, scene));
    }

    fn middle(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        jobs(ui, scene);
        if scene.view.torrents.is_empty() {
            welcome(ui, scene);
            return;
        }
        let room = ui.available_height();
        if scene.state.details && room > 360.0 {
            let look = theme::look(ui);
            egui::Panel::bottom("details")
                .resizable(true)
                .default_size((room * 0.42).clamp(180.0, 320.0))
                .size_range(140.0..=(room - 200.0).max(150.0))
                .show_separator_line(false)
                .frame(
                    theme::card(look)
                        .inner_margin(Margin::same(10))
                        .outer_margin(Margin { top: 8, ..Margin::ZERO }),
                )
                .show(ui, |ui| {
                    let torrent = self.list.current();
                    self.details.ui(ui, scene, torrent);
                    ui.take_available_space();
                });
        }
        egui::CentralPanel::no_frame().show(ui, |ui| self.list.ui(ui, scene));
    }
}

/// Work that goes on with its card put away.
fn jobs(ui: &mut Ui, scene: &mut Scene<'_>) {
    let view = std::sync::Arc::clone(scene.view);
    let look = theme::look(ui);
    for job in &view.jobs {
        theme::card(look).inner_margin(Margin::symmetric(14, 8)).show(ui, |ui| {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
                Icon::Upload.paint(ui.painter(), rect, look.accent);
                let text = format!("Preparing {}: {}", job.name, upload::standing(job));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    if Push::new("Cancel").kind(Kind::Quiet).show(ui).clicked() {
                        scene.send(Command::Cancel(job.request));
                    }
                    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                        let width = (ui.available_width() * 0.6).max(120.0);
                        ui.add_sized(
                            [width, 20.0],
                            egui::Label::new(&text).truncate().halign(egui::Align::LEFT),
                        );
                        let part = (job.done as f64 / job.total.max(1) as f64) as f32;
                        bar::progress(ui, part, &text);
                    });
                });
            });
        });
        ui.add_space(theme::GAP);
    }
}

/// What stands where there is nothing yet.
fn welcome(ui: &mut Ui, scene: &mut Scene<'_>) {
    let look = theme::look(ui);
    let room = ui.available_size();
    ui.vertical_centered(|ui| {
        ui.add_space((room.y * 0.5 - 170.0).max(8.0));
        let (rect, _) = ui.allocate_exact_size(vec2(72.0, 72.0), Sense::hover());
        ui.painter().circle_filled(rect.center(), 36.0, look.chosen);
        Icon::Peer.paint(ui.painter(), rect.shrink(20.0), look.accent);
        ui.add_space(theme::GAP);
        ui.label(RichText::new("Share a file, or get one").size(22.0));
        let text = "Upload makes a link for any file or folder: no account, no server. Download takes such a link, or a .torrent file.";
        ui.scope(|ui| {
            ui.set_max_width(440.0);
            ui.add(egui::Label::new(RichText::new(text).color(look.weak)).wrap());
        });
        ui.add_space(theme::GAP);
        // Centred as one, which a row of unknown width is not.
        let buttons = 219.0;
        ui.allocate_ui_with_layout(
            vec2(buttons, theme::CONTROL),
            egui::Layout::left_to_right(egui::Align::Center),
            |ui| {
                let unavailable = scene.unavailable();
                if upload_button(ui, unavailable) {
                    scene.ask(Action::Upload(None));
                }
                if download_button(ui, unavailable) {
                    scene.ask(Action::Download(None));
                }
            },
        );
        ui.add_space(theme::GAP);
        if let Some(why) = scene.unavailable() {
            ui.label(RichText::new(why).color(look.warn));
        }
        let mut ways = "A magnet link can be pasted with Ctrl+V.".to_owned();
        if scene.drops {
            ways += " Files can be dropped here.";
        }
        ui.label(RichText::new(ways).color(look.weak).small());
        ui.label(RichText::new(standing(scene)).color(look.weak).small());
    });
}

/// How others can reach this computer.
fn standing(scene: &Scene<'_>) -> String {
    let folder = scene.view.settings.download_folder.to_string_lossy();
    if folder.is_empty() {
        String::new()
    } else {
        format!("Downloads are saved into {}", format::file_name(&scene.view.settings.download_folder))
    }
}
