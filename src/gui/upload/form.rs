//! The card that says what is shared, and with whom.

use std::path::{Path, PathBuf};

use eframe::egui::{self, Key, RichText, Ui};

use crate::api::{Reachable, Share};
use crate::gui::errand::{Errand, Measure};
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::upload::typed;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::{dialog, field, format};

/// What became of the card in this frame.
pub(super) enum Answer {
    /// Nothing yet.
    Open,
    /// It was put away.
    Closed,
    /// This is to be shared.
    Share(Share),
}

/// The card.
#[derive(Default)]
pub(crate) struct Form {
    path: String,
    /// The path that was last asked about, and what was found there.
    asked: Option<PathBuf>,
    found: Option<Result<Measure, String>>,
    reach: Reachable,
    piece_length: Option<u32>,
    private: bool,
    comment: String,
    trackers: String,
    web_seeds: String,
    fault: Option<String>,
    focused: bool,
}

impl Form {
    pub(super) fn new(path: Option<&Path>) -> Self {
        let path = path.map_or_else(String::new, |path| path.to_string_lossy().into_owned());
        Self { path, ..Self::default() }
    }

    pub(super) fn set_path(&mut self, path: &Path) {
        self.path = path.to_string_lossy().into_owned();
    }

    pub(super) fn measured(&mut self, path: &Path, result: Result<Measure, String>) {
        if self.asked.as_deref() == Some(path) {
            self.found = Some(result);
        }
    }

    pub(super) fn fail(&mut self, reason: &str) {
        self.fault = Some(reason.to_owned());
    }

    pub(super) fn name(&self) -> String {
        typed(&self.path).map_or_else(String::new, |path| format::file_name(&path))
    }

    /// Asks about a path that was changed.
    fn look(&mut self, scene: &mut Scene<'_>) {
        let path = typed(&self.path);
        if path == self.asked {
            return;
        }
        self.asked.clone_from(&path);
        (self.found, self.fault) = (None, None);
        if let Some(path) = path {
            scene.ask(Action::Errand(Errand::Measure(path)));
        }
    }

    fn share(&self) -> Option<Share> {
        let path = typed(&self.path)?;
        if !matches!(self.found, Some(Ok(_))) || self.asked.as_ref() != Some(&path) {
            return None;
        }
        let lines = |text: &str| -> Vec<String> {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        // A blank line begins the next tier, as in other programs.
        let tiers = self.trackers.split("\n\n").map(lines).filter(|tier| !tier.is_empty()).collect();
        let comment = self.comment.trim();
        Some(Share {
            path,
            reach: self.reach,
            piece_length: self.piece_length,
            private: self.private,
            comment: (!comment.is_empty()).then(|| comment.to_owned()),
            trackers: tiers,
            web_seeds: lines(&self.web_seeds),
        })
    }

    pub(super) fn ui(&mut self, ctx: &egui::Context, scene: &mut Scene<'_>) -> Answer {
        self.look(scene);
        let share = self.share();
        let mut entered = false;
        let shown = dialog::show(
            ctx,
            "Upload",
            theme::DIALOG,
            |ui| entered = self.content(ui, scene),
            |ui| {
                let share = Push::new("Share")
                    .with(Icon::Upload)
                    .kind(Kind::Main)
                    .enabled(share.is_some())
                    .show(ui)
                    .clicked();
                let cancel = Push::new("Cancel").show(ui).clicked();
                (share, cancel)
            },
        );
        let (pressed, cancelled) = shown.inner;
        match share {
            Some(share) if pressed || entered => Answer::Share(share),
            _ if cancelled || shown.closed => Answer::Closed,
            _ => Answer::Open,
        }
    }

    /// Draws the fields; whether Enter was pressed in the path.
    fn content(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) -> bool {
        let look = theme::look(ui);
        let mut entered = false;
        ui.horizontal(|ui| {
            let buttons = 192.0;
            let width = (ui.available_width() - buttons - 2.0 * theme::GAP).max(120.0);
            let hint = "Path of a file or folder";
            let edit = field::line(ui, &mut self.path, "Path to share", hint, width);
            if !std::mem::replace(&mut self.focused, true) {
                edit.request_focus();
            }
            entered = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let tip = if scene.picking { "A file dialog is open already" } else { "" };
            let push = |label, icon| {
                let push = Push::new(label).with(icon).enabled(!scene.picking);
                if tip.is_empty() { push } else { push.tip(tip) }
            };
            let file = push("File…", Icon::File).show(ui).clicked();
            let folder = push("Folder…", Icon::Folder).show(ui).clicked();
            if file {
                scene.ask(Action::Pick(Wanted::ShareFile));
            }
            if folder {
                scene.ask(Action::Pick(Wanted::ShareFolder));
            }
        });
        self.standing(ui);
        ui.add_space(theme::GAP / 2.0);
        field::heading(ui, "Who may have it");
        ui.radio_value(&mut self.reach, Reachable::LocalNetwork, "Everyone on my network who gets the link");
        ui.radio_value(&mut self.reach, Reachable::ThisComputer, "Programs on this computer only");
        self.warnings(ui, scene);
        ui.add_space(theme::GAP / 2.0);
        egui::CollapsingHeader::new(RichText::new("Advanced").color(look.text))
            .id_salt("advanced")
            .show_unindented(ui, |ui| self.advanced(ui));
        entered
    }

    fn standing(&self, ui: &mut Ui) {
        let look = theme::look(ui);
        if let Some(fault) = &self.fault {
            field::remark(ui, Icon::Warning, look.bad, fault);
            return;
        }
        match (&self.asked, &self.found) {
            (None, _) => {
                field::note(ui, "Choose a file or folder, or type its path. It stays where it is.");
            }
            (Some(_), None) => {
                field::note(ui, "Looking…");
            }
            (Some(_), Some(Err(why))) => field::remark(ui, Icon::Warning, look.warn, why),
            (Some(path), Some(Ok(found))) => {
                let name = format::file_name(path);
                let text = if found.folder {
                    let files = format::counted(found.files, "file", "files");
                    format!("{name} — folder, {files}, {}", format::size(found.bytes))
                } else {
                    format!("{name} — {}", format::size(found.bytes))
                };
                let icon = if found.folder { Icon::Folder } else { Icon::File };
                field::remark(ui, icon, look.text, &text);
            }
        }
    }

    fn warnings(&self, ui: &mut Ui, scene: &Scene<'_>) {
        let look = theme::look(ui);
        let settings = &scene.view.settings;
        if !settings.tracker && self.trackers.trim().is_empty() {
            let text = "The tracker in this program is switched off, so nobody will find you. Switch it on under Trackers, or name another one below.";
            field::remark(ui, Icon::Warning, look.warn, text);
        } else if self.reach == Reachable::LocalNetwork && !settings.tracker_on_network && settings.tracker {
            let text =
                "The tracker answers this computer only. Under Trackers it can be opened to the network.";
            field::remark(ui, Icon::Warning, look.warn, text);
        }
    }

    fn advanced(&mut self, ui: &mut Ui) {
        ui.add_space(theme::GAP / 2.0);
        field::row(ui, "Piece size", |ui| field::piece_size(ui, &mut self.piece_length));
        field::row(ui, "Comment", |ui| {
            field::line(
                ui,
                &mut self.comment,
                "Comment",
                "For those who open the .torrent file",
                f32::INFINITY,
            )
        });
        field::row(ui, "Private", |ui| {
            let text = "Peers come from the trackers only";
            ui.checkbox(&mut self.private, text)
        });
        let look = theme::look(ui);
        ui.label(
            RichText::new("More trackers, one a line; a blank line begins the next tier").color(look.weak),
        );
        field::lines(ui, &mut self.trackers, "More trackers", "http://tracker.example/announce");
        ui.label(RichText::new("Addresses where the files also lie on the web, one a line").color(look.weak));
        field::lines(ui, &mut self.web_seeds, "Web seeds", "https://example.org/files/");
    }
}
