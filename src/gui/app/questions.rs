//! Questions before something that cannot be taken back: removing, and closing while others download.

use super::*;
use crate::api::{NetworkCommand, TorrentRow};
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::{dialog, field, format};

/// A question in hand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    /// Whether to remove these, and their files with them.
    Remove(Vec<InfoHash>),
    /// Whether to take this, of that name, out of the network's index.
    Unlist(InfoHash, String),
    /// Whether to close although others download from here.
    Close,
}

/// Torrents named in a question; there may be thousands.
const NAMED: usize = 6;

impl App {
    pub(super) fn ask(&mut self, ctx: &egui::Context, question: Question) {
        let open = match &question {
            Question::Remove(torrents) => self.remove(ctx, torrents),
            Question::Unlist(torrent, name) => self.unlist(ctx, *torrent, name),
            Question::Close => self.ask_close(ctx),
        };
        if open {
            self.question = Some(question);
        }
    }

    /// Asks about removing; false once answered.
    fn remove(&mut self, ctx: &egui::Context, torrents: &[InfoHash]) -> bool {
        let view = Arc::clone(&self.view);
        let rows: Vec<&TorrentRow> =
            view.torrents.iter().map(AsRef::as_ref).filter(|row| torrents.contains(&row.info_hash)).collect();
        if rows.is_empty() {
            return false;
        }
        // What was shared from here stands where its owner put it, and is not ours to delete.
        let ours = rows.iter().filter(|row| !row.shared_here && row.downloaded + row.done > 0).count();
        let shown = dialog::show(
            ctx,
            "Remove",
            theme::DIALOG,
            |ui| explain(ui, &rows, ours),
            |ui| {
                let delete = ours > 0
                    && Push::new("Remove and delete files")
                        .with(Icon::Remove)
                        .kind(Kind::Danger)
                        .show(ui)
                        .clicked();
                let keep = Push::new("Remove, keep files").show(ui).clicked();
                (delete, keep, Push::new("Cancel").show(ui).clicked())
            },
        );
        let (delete, keep, cancel) = shown.inner;
        if delete || keep {
            for row in rows {
                let delete_data = delete && !row.shared_here;
                self.send(Command::Remove { torrent: row.info_hash, delete_data });
            }
            return false;
        }
        !(cancel || shown.closed)
    }

    /// Asks about taking something out of the index; false once answered.
    fn unlist(&mut self, ctx: &egui::Context, torrent: InfoHash, name: &str) -> bool {
        let shown = dialog::show(
            ctx,
            "Remove from the index",
            440.0,
            |ui| {
                ui.add(egui::Label::new(RichText::new(name).size(15.0)).truncate());
                let text = "Nobody in the network can find it by its name any more. Who has it keeps it, and \
                            whoever seeds it goes on.";
                ui.add(egui::Label::new(text).wrap());
            },
            |ui| {
                let remove = Push::new("Remove from the index")
                    .with(Icon::Remove)
                    .kind(Kind::Danger)
                    .show(ui)
                    .clicked();
                (remove, Push::new("Cancel").show(ui).clicked())
            },
        );
        let (remove, cancel) = shown.inner;
        if remove {
            let (request, name) = (self.handle.next_request(), torrent.to_hex());
            self.send(Command::Network(NetworkCommand::Unlist { request, name }));
        }
        !(remove || cancel || shown.closed)
    }

    /// Asks about closing; false once answered.
    fn ask_close(&mut self, ctx: &egui::Context) -> bool {
        let loading = takers(&self.view);
        let shown = dialog::show(
            ctx,
            "Close Fyris?",
            440.0,
            |ui| {
                let people = format::counted(loading, "other is", "others are");
                let text = format!(
                    "{people} still downloading from you. They have to wait until you start Fyris again."
                );
                ui.add(egui::Label::new(text).wrap());
            },
            |ui| {
                let close = Push::new("Close Fyris").kind(Kind::Danger).show(ui).clicked();
                (close, Push::new("Stay").kind(Kind::Main).show(ui).clicked())
            },
        );
        let (close, stay) = shown.inner;
        if close {
            self.closing = true;
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        !(close || stay || shown.closed)
    }

    /// Holds the window open where closing is to be confirmed first.
    pub(super) fn close(&mut self, ctx: &egui::Context) {
        let asked = ctx.input_for(ViewportId::ROOT, |input| input.viewport().close_requested());
        if asked && !self.closing && self.view.settings.confirm_quit && takers(&self.view) > 0 {
            ctx.send_viewport_cmd_to(ViewportId::ROOT, ViewportCommand::CancelClose);
            self.question = Some(Question::Close);
            ctx.request_repaint();
        }
    }
}

/// How many download from here now.
fn takers(view: &View) -> u64 {
    let giving =
        |row: &&Arc<TorrentRow>| row.up_rate > 0 && matches!(row.state, State::Seeding | State::Downloading);
    view.torrents.iter().filter(giving).map(|row| u64::from(row.peers.saturating_sub(row.seeds))).sum()
}

fn explain(ui: &mut Ui, rows: &[&TorrentRow], ours: usize) {
    let look = theme::look(ui);
    for row in rows.iter().take(NAMED) {
        ui.add(egui::Label::new(RichText::new(&row.name).size(15.0)).truncate());
        let path = row.folder.join(row.name_on_disk.as_ref().unwrap_or(&row.name));
        let text = format!("{} in {}", format::size(row.done), path.display());
        ui.add(egui::Label::new(RichText::new(text).color(look.weak).small()).truncate());
    }
    if rows.len() > NAMED {
        let rest: u64 = rows[NAMED..].iter().map(|row| row.done).sum();
        field::note(ui, &format!("and {} more, {}", rows.len() - NAMED, format::size(rest)));
    }
    ui.add_space(theme::GAP);
    if ours == 0 {
        let text = "The files stay where they are; only the entry on the list goes.";
        field::remark(ui, Icon::Info, look.weak, text);
    } else {
        let bytes: u64 = rows.iter().filter(|row| !row.shared_here).map(|row| row.done).sum();
        let mut text = format!("Deleting the files frees {} and cannot be undone.", format::size(bytes));
        if ours < rows.len() {
            text += " What you shared from this computer is not deleted in any case.";
        }
        field::remark(ui, Icon::Warning, look.warn, &text);
    }
}
