//! The options tab: what the user chose for one torrent, to be changed at once.

use eframe::egui::{self, Ui};

use crate::api::{Command, Goals, Limits, TorrentRow, Turn};
use crate::base::InfoHash;
use crate::gui::details::group;
use crate::gui::panels::goals;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::{amount, field};

/// The tab.
#[derive(Default)]
pub(super) struct Options {
    draft: Option<Draft>,
}

/// What is being edited.
#[derive(Clone, PartialEq)]
struct Draft {
    torrent: InfoHash,
    name: String,
    label: String,
    limits: Limits,
    goals: Goals,
}

impl Draft {
    fn of(row: &TorrentRow) -> Self {
        let TorrentRow { info_hash, name, label, limits, goals, .. } = row.clone();
        Self { torrent: info_hash, name, label, limits, goals }
    }
}

impl Options {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow) {
        let force = Draft::of(row);
        let draft = self.draft.take().filter(|draft| draft.torrent == row.info_hash);
        let mut draft = draft.unwrap_or_else(|| force.clone());
        let mut settled = true;
        egui::ScrollArea::vertical().id_salt("options").auto_shrink([false, false]).show(ui, |ui| {
            if ui.available_width() > 720.0 {
                ui.columns_const(|[left, right]| {
                    settled &= called(left, &mut draft, row);
                    queue(left, scene, row);
                    settled &= held(right, &mut draft);
                });
            } else {
                settled &= called(ui, &mut draft, row);
                queue(ui, scene, row);
                ui.add_space(theme::GAP);
                settled &= held(ui, &mut draft);
            }
        });
        // What is being typed or dragged waits until it is let go; otherwise the session's word counts.
        if settled {
            draft.tell(&force, scene);
            self.draft = None;
        } else {
            self.draft = Some(draft);
        }
    }
}

impl Draft {
    /// Asks for what differs from how it is.
    fn tell(self, force: &Self, scene: &mut Scene<'_>) {
        let torrent = self.torrent;
        let mut send = |command| scene.ask(Action::Send(command));
        if self.name != force.name {
            send(Command::Rename { torrent, name: self.name });
        }
        if self.label != force.label {
            send(Command::Label { torrent, label: self.label });
        }
        if self.limits != force.limits {
            send(Command::Limit { torrent, limits: self.limits });
        }
        if self.goals != force.goals {
            send(Command::Goals { torrent, goals: self.goals });
        }
    }
}

fn called(ui: &mut Ui, draft: &mut Draft, row: &TorrentRow) -> bool {
    let mut settled = true;
    group(ui, "In the list", |ui| {
        field::row(ui, "Called", |ui| {
            let edit = field::line(ui, &mut draft.name, "Called", "Its own name", 220.0);
            settled &= !edit.has_focus();
        });
        if let Some(name) = &row.name_on_disk {
            field::note(ui, &format!("On the disk it is {name}."));
        }
        field::row(ui, "Label", |ui| {
            let edit = field::line(ui, &mut draft.label, "Label", "None", 220.0);
            settled &= !edit.has_focus();
        });
    });
    settled
}

fn queue(ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow) {
    field::fact(ui, "Place in the queue", row.queue.to_string());
    ui.horizontal(|ui| {
        for (label, turn) in TURNS {
            if Push::new(label).show(ui).clicked() {
                scene.ask(Action::Send(Command::Queue { torrent: row.info_hash, turn }));
            }
        }
    });
}

/// Where a torrent can go in the queue, and how that is called.
pub(crate) const TURNS: [(&str, Turn); 4] =
    [("First", Turn::First), ("Sooner", Turn::Sooner), ("Later", Turn::Later), ("Last", Turn::Last)];

fn held(ui: &mut Ui, draft: &mut Draft) -> bool {
    let mut settled = true;
    group(ui, "Limits and goals", |ui| {
        settled &= amount::limit(ui, "Down", &mut draft.limits.down);
        settled &= amount::limit(ui, "Up", &mut draft.limits.up);
        settled &= goals(ui, &mut draft.goals, "As its label or the settings say");
    });
    settled
}
