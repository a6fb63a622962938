//! All about one torrent, in tabs below the list.
//!
//! - `general`: pieces, transfer, and what the .torrent says
//! - `files`: files and how much each is wanted
//! - `options`: what the user chose for it
//! - `peers`: connected peers
//! - `trackers`: trackers and when they are asked again
//!
//! The graph of rates is one of the widgets.

mod files;
mod general;
mod options;
mod peers;
mod trackers;

use std::sync::Arc;

use eframe::egui::{self, Role, Ui, UiBuilder};

use crate::api::{Detail, TorrentRow};
use crate::base::InfoHash;
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::{field, graph};

pub(crate) use options::TURNS;

pub(crate) use files::{check, choose as choose_priority};

/// The tabs, in order.
const TABS: [&str; 6] = ["General", "Files", "Peers", "Trackers", "Rates", "Options"];

/// The details.
#[derive(Default)]
pub(crate) struct Details {
    files: files::Files,
    peers: peers::Peers,
    options: options::Options,
}

impl Details {
    /// Draws the chosen tab of a torrent.
    pub(crate) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, torrent: Option<InfoHash>) {
        let builder = UiBuilder::new().accessibility_role(Role::Region).accessibility_label("Details");
        ui.scope_builder(builder, |ui| self.draw(ui, scene, torrent));
    }

    fn draw(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, torrent: Option<InfoHash>) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            for (number, tab) in TABS.into_iter().enumerate() {
                let chosen = scene.state.tab == number;
                if Push::new(tab).tab(chosen).show(ui).clicked() {
                    scene.state.tab = number;
                }
            }
        });
        let view = Arc::clone(scene.view);
        let row = torrent.and_then(|hash| view.torrents.iter().find(|row| row.info_hash == hash));
        let Some(row) = row else {
            empty(ui, "Choose a torrent to see what it does.");
            return;
        };
        let detail = view.detail.as_ref().filter(|detail| detail.info_hash == row.info_hash);
        match (scene.state.tab, detail) {
            (4, _) => rates(ui, scene, row),
            (5, _) => self.options.ui(ui, scene, row),
            (_, None) => empty(ui, "Asking the session…"),
            (1, Some(detail)) => self.files.ui(ui, scene, row, detail),
            (2, Some(detail)) => self.peers.ui(ui, scene, row, detail),
            (3, Some(detail)) => trackers::ui(ui, scene, row, detail),
            (_, Some(detail)) => general::ui(ui, scene, row, detail),
        }
    }
}

fn rates(ui: &mut Ui, scene: &Scene<'_>, row: &TorrentRow) {
    let height = ui.available_height().max(60.0);
    match scene.rates.of(row.info_hash) {
        Some(samples) => samples.show(ui, "torrent rates", height),
        None => graph::Samples::default().show(ui, "torrent rates", height),
    }
}

/// A sentence in the middle of the room.
pub(crate) fn empty(ui: &mut Ui, text: &str) {
    let look = theme::look(ui);
    ui.centered_and_justified(|ui| {
        ui.add(egui::Label::new(egui::RichText::new(text).color(look.weak)).wrap());
    });
}

/// A sentence where a tab has nothing to list, with a torrent whose files are not known yet told apart.
fn nothing(ui: &mut Ui, detail: &Detail, text: &str) {
    if detail.piece_count == 0 {
        empty(
            ui,
            "The file list is being fetched from other people. It is shown here as soon as one of them sends it.",
        );
    } else {
        empty(ui, text);
    }
}

/// A heading above a column of facts.
fn group(ui: &mut Ui, title: &str, facts: impl FnOnce(&mut Ui)) {
    ui.vertical(|ui| {
        field::heading(ui, title);
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.spacing_mut().interact_size.y = 20.0;
        facts(ui);
    });
}
