//! A link to send: as text, as a file, as a QR code; who has come for it, and when the window may be closed.

use std::path::Path;

use eframe::egui::{self, Label, RichText, Ui};

use crate::api::{Command, Detail, State, TorrentRow};
use crate::base::InfoHash;
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::qr::Qr;
use crate::gui::widgets::{bar, dialog, field, format};

/// Peers named; there may be thousands.
const NAMED: usize = 5;

/// The link of one torrent.
pub(crate) struct Ready {
    torrent: InfoHash,
    /// Whether it was made just now.
    fresh: bool,
    qr: Qr,
    /// Where to write the .torrent file, as typed, where no dialog can ask.
    path: Option<String>,
}

impl Ready {
    pub(super) fn new(torrent: InfoHash, fresh: bool) -> Self {
        Self { torrent, fresh, qr: Qr::default(), path: None }
    }

    pub(super) fn torrent(&self) -> InfoHash {
        self.torrent
    }

    pub(super) fn save_by_path(&mut self, folder: &Path, name: &str) {
        self.path = Some(folder.join(format!("{name}.torrent")).display().to_string());
    }

    /// Draws it; false once it is done with.
    pub(super) fn ui(&mut self, ctx: &egui::Context, scene: &mut Scene<'_>) -> bool {
        let view = std::sync::Arc::clone(scene.view);
        let Some(row) = view.torrents.iter().find(|row| row.info_hash == self.torrent) else {
            // A view from before the share; the next one has it.
            return self.fresh;
        };
        let detail = view.detail.as_deref().filter(|detail| detail.info_hash == self.torrent);
        let title = if self.fresh { "Ready" } else { "Link" };
        let shown = dialog::show(
            ctx,
            title,
            theme::DIALOG + 40.0,
            |ui| self.content(ui, scene, row, detail),
            |ui| Push::new("Done").show(ui).clicked(),
        );
        if shown.inner || shown.closed {
            return false;
        }
        true
    }

    fn content(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow, detail: Option<&Detail>) {
        const CODE: f32 = 176.0;
        let look = theme::look(ui);
        ui.horizontal_top(|ui| {
            let beside = ui.available_width() > CODE + 240.0;
            if beside {
                self.qr.show(ui, "magnet link", &row.magnet, CODE);
                ui.add_space(theme::GAP);
            }
            ui.vertical(|ui| {
                ui.add(Label::new(RichText::new(&row.name).size(16.0)).truncate());
                let lead = if self.fresh { "Send people this link or the .torrent file." } else { "" };
                ui.add(
                    Label::new(RichText::new(format!("{}. {lead}", format::size(row.size))).color(look.weak))
                        .wrap(),
                );
                ui.add_space(theme::GAP / 2.0);
                let mut magnet = row.magnet.as_str();
                let edit = egui::TextEdit::singleline(&mut magnet)
                    .font(egui::TextStyle::Monospace)
                    .desired_width(f32::INFINITY)
                    .margin(egui::Margin::symmetric(8, 7));
                ui.add(edit).accessible_name("Magnet link");
                ui.horizontal_wrapped(|ui| {
                    if Push::new("Copy magnet link").with(Icon::Link).kind(Kind::Main).show(ui).clicked() {
                        scene.ask(Action::Copy(row.magnet.clone(), "Magnet link"));
                    }
                    if Push::new("Save .torrent…").with(Icon::Save).enabled(!scene.picking).show(ui).clicked()
                    {
                        scene.ask(Action::Pick(Wanted::SaveTorrent(row.info_hash, row.name.clone())));
                    }
                });
                self.path_field(ui, scene);
                if !beside {
                    self.qr.show(ui, "magnet link", &row.magnet, CODE);
                }
            });
        });
        ui.add_space(theme::GAP);
        let (safe, sentence) = may_close(row);
        let color = if safe { look.good } else { look.warn };
        theme::card(look).fill(look.ground).show(ui, |ui| {
            ui.set_width(ui.available_width());
            field::remark(ui, if safe { Icon::Check } else { Icon::Info }, color, &sentence);
        });
        ui.add_space(theme::GAP);
        comers(ui, row, detail);
    }
}

impl Ready {
    /// The field for the .torrent file's path, where it was called for.
    fn path_field(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let Some(text) = &mut self.path else { return };
        let mut save = false;
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 80.0).max(80.0);
            field::line(ui, text, "Path of the .torrent file", "Path of the .torrent file", width);
            save = Push::new("Save").enabled(!text.trim().is_empty()).show(ui).clicked();
        });
        if save {
            let path = crate::gui::download::with_extension(&field::path(text));
            let request = scene.handle.next_request();
            scene.send(Command::SaveTorrent { request, torrent: self.torrent, path });
            self.path = None;
        }
    }
}

/// Who is downloading.
fn comers(ui: &mut Ui, row: &TorrentRow, detail: Option<&Detail>) {
    let look = theme::look(ui);
    field::heading(ui, "Who is downloading");
    let peers = detail.map_or(&[][..], |detail| &detail.peers);
    let loading: Vec<_> = peers.iter().filter(|peer| peer.progress < 1.0).collect();
    if loading.is_empty() {
        field::note(ui, if row.seeds > 0 || row.uploaded > 0 { "Nobody now." } else { "Nobody yet." });
    }
    for peer in loading.iter().take(NAMED) {
        ui.horizontal(|ui| {
            let who = format!("{} ({})", peer.addr, peer.client);
            ui.add_sized([220.0_f32.min(ui.available_width() / 2.0), 20.0], Label::new(&who).truncate());
            let rate = RichText::new(format::rate(peer.up_rate)).color(look.up);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.add_sized([84.0, 20.0], Label::new(rate));
                bar::progress(ui, peer.progress, &who);
            });
        });
    }
    if loading.len() > NAMED {
        field::note(ui, &format!("and {} more", loading.len() - NAMED));
    }
}

/// Whether the program may be closed without the share being lost to others, in a sentence.
fn may_close(row: &TorrentRow) -> (bool, String) {
    // What a tracker counts is no proof: a program that announces by several addresses is several to it.
    let whole = row.seeds.max(row.whole_elsewhere);
    let newcomers =
        if row.shared_here { " Newcomers find them only while the tracker in Fyris runs." } else { "" };
    match row.state {
        State::Paused => (false, "It is paused: nobody gets anything of it until you resume it.".to_owned()),
        State::Queued => (false, "It waits for its turn: others are before it in the queue.".to_owned()),
        State::Failed => (false, format!("Nobody gets anything of it now. {}", row.reason)),
        State::Checking | State::Metadata | State::Downloading => {
            (false, "It is not complete here yet. Others already get what is there.".to_owned())
        }
        State::Seeding if whole == 1 => {
            (true, format!("Someone else has all of it, so you may close Fyris.{newcomers}"))
        }
        State::Seeding if whole > 1 => {
            (true, format!("{whole} others have all of it, so you may close Fyris.{newcomers}"))
        }
        State::Seeding if row.availability >= 1.0 => (
            true,
            format!(
                "Those who are downloading have all of it between them, so you may close Fyris.{newcomers}"
            ),
        ),
        State::Seeding if row.peers > 0 => {
            (false, "Keep Fyris open: nobody else has all of it yet.".to_owned())
        }
        State::Seeding => (
            false,
            "Keep Fyris open until somebody else has all of it. Nobody has come for it yet.".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::demo;

    #[test]
    fn closing_is_safe_once_a_copy_is_elsewhere() {
        let alone = TorrentRow {
            state: State::Seeding,
            seeds: 0,
            peers: 0,
            whole_elsewhere: 0,
            swarm: None,
            availability: 0.0,
            shared_here: true,
            ..demo::row(1)
        };
        assert!(!may_close(&alone).0);
        assert!(
            !may_close(&TorrentRow { swarm: Some((3, 2)), ..alone.clone() }).0,
            "both may be this computer, by two addresses"
        );
        assert!(may_close(&TorrentRow { whole_elsewhere: 1, ..alone.clone() }).0);
        assert!(may_close(&TorrentRow { peers: 2, availability: 1.2, ..alone.clone() }).0);
        assert!(!may_close(&TorrentRow { state: State::Paused, seeds: 5, ..alone }).0);
    }
}
