//! The list of torrents: what is in it, in which order, what is chosen, and what can be done with it.
//!
//! - `order`: sorting and filtering, done once for each change
//! - `rows`: what stands in each cell, and the menu of a row

mod order;
mod rows;

use std::collections::BTreeSet;

use eframe::egui::{self, Key, Modifiers, RichText, Ui};

use crate::api::{Command, State, TorrentRow, View};
use crate::base::InfoHash;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::{self, Done, Table};
use crate::gui::widgets::{field, format};

use order::Order;
pub(crate) use order::Shown;
use rows::{COLUMNS, TorrentRows};

/// The list.
#[derive(Default)]
pub(crate) struct List {
    order: Order,
    /// Words to look for in names.
    text: String,
    shown: Shown,
    chosen: BTreeSet<InfoHash>,
    /// The row that keys move from, and that the details are about.
    cursor: Option<InfoHash>,
    /// The row that a range begins at.
    anchor: Option<InfoHash>,
    /// A row to be scrolled to in the next frame.
    reveal: Option<InfoHash>,
    /// Rows laid out in the last frame.
    laid_out: usize,
}

impl List {
    /// The torrent that the details are about.
    pub(crate) fn current(&self) -> Option<InfoHash> {
        self.cursor
    }

    /// Rows laid out in the last frame.
    pub(crate) fn laid_out(&self) -> usize {
        self.laid_out
    }

    /// Chooses one torrent and brings it into sight.
    pub(crate) fn choose(&mut self, torrent: InfoHash) {
        self.chosen = [torrent].into();
        (self.cursor, self.anchor, self.reveal) = (Some(torrent), Some(torrent), Some(torrent));
    }

    /// The chosen torrents in the order of the view.
    fn chosen_rows<'a>(&'a self, view: &'a View) -> impl Iterator<Item = &'a TorrentRow> + 'a {
        // Mostly nothing is chosen, and the list may be long.
        let some = if self.chosen.is_empty() { &[][..] } else { view.torrents.as_slice() };
        some.iter().map(AsRef::as_ref).filter(|row| self.chosen.contains(&row.info_hash))
    }

    /// Draws buttons, filters and the table.
    pub(crate) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = std::sync::Arc::clone(scene.view);
        self.forget_removed(&view);
        self.buttons(ui, scene, &view);
        let mut layout = scene.take_layout("torrents");
        layout.fit(&COLUMNS);
        self.filters(ui, &view, &mut layout);
        self.order.refresh(&view, &layout.sort, &self.text, self.shown);
        if self.order.rows().is_empty() && !view.torrents.is_empty() {
            scene.put_layout("torrents", layout);
            self.laid_out = 0;
            self.nothing_fits(ui);
            return;
        }
        let reveal = self.reveal.take().and_then(|torrent| self.order.position(&view, torrent));
        let mut rows = TorrentRows {
            view: &view,
            order: self.order.rows(),
            chosen: &self.chosen,
            actions: scene.actions,
            now: view.unix_millis / 1_000,
        };
        let count = view.torrents.len() as u64;
        let label = format!("Torrents, {}", format::counted(count, "entry", "entries"));
        let done =
            Table::new("torrents", &label, &COLUMNS, &mut layout).scroll_to(reveal).show(ui, &mut rows);
        scene.put_layout("torrents", layout);
        self.laid_out = done.laid_out;
        self.clicks(&view, &done, scene);
        self.keys(ui, &view, &done, scene);
    }

    fn forget_removed(&mut self, view: &View) {
        if !self.order.is_stale(view) || self.chosen.is_empty() {
            return;
        }
        let there: BTreeSet<_> =
            view.torrents.iter().map(|row| row.info_hash).filter(|hash| self.chosen.contains(hash)).collect();
        self.chosen = there;
        self.cursor = self.cursor.filter(|torrent| self.chosen.contains(torrent));
    }

    fn buttons(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View) {
        let any = !self.chosen.is_empty();
        ui.horizontal(|ui| {
            let unavailable = scene.unavailable();
            if upload_button(ui, unavailable) {
                scene.ask(Action::Upload(None));
            }
            if download_button(ui, unavailable) {
                scene.ask(Action::Download(None));
            }
            ui.add_space(theme::GAP);
            let resumable =
                self.chosen_rows(view).any(|row| matches!(row.state, State::Paused | State::Failed));
            let pausable = self.chosen_rows(view).any(|row| !matches!(row.state, State::Paused));
            if Push::icon(Icon::Resume, "Resume").enabled(resumable).show(ui).clicked() {
                self.resume(view, scene);
            }
            if Push::icon(Icon::Pause, "Pause").enabled(pausable).show(ui).clicked() {
                self.pause(view, scene);
            }
            if Push::icon(Icon::Folder, "Open folder").enabled(any).show(ui).clicked() {
                self.open(view, scene);
            }
            if Push::icon(Icon::Link, "Link and QR code").enabled(any).show(ui).clicked()
                && let Some(torrent) = self.cursor
            {
                scene.ask(Action::Link(torrent));
            }
            if Push::icon(Icon::Remove, "Remove…").enabled(any).show(ui).clicked() {
                scene.ask(Action::AskRemove(self.chosen.iter().copied().collect()));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let width = (ui.available_width() - theme::GAP).clamp(90.0, 260.0);
                let search = field::search(ui, &mut self.text, "Search in names", "Search", width);
                if ui.input(|input| input.modifiers.command && input.key_pressed(Key::F)) {
                    search.request_focus();
                }
                if search.has_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
                    self.text.clear();
                }
            });
        });
    }

    fn filters(&mut self, ui: &mut Ui, view: &View, layout: &mut table::Layout) {
        let counts = self.order.counts(view);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            for (shown, count) in Shown::ALL.into_iter().zip(counts) {
                if count == 0 && !matches!(shown, Shown::All) && self.shown != shown {
                    continue;
                }
                let label = format!("{} {}", shown.label(), format::grouped(count as u64));
                let push = Push::new(&label).kind(Kind::Quiet).chosen(self.shown == shown);
                if push.show(ui).clicked() {
                    self.shown = shown;
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let columns = Push::icon(Icon::Columns, "Columns").show(ui);
                egui::Popup::menu(&columns)
                    .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
                    .show(|ui| table::choose(ui, &COLUMNS, layout));
            });
        });
    }

    fn nothing_fits(&mut self, ui: &mut Ui) {
        let look = theme::look(ui);
        ui.vertical_centered(|ui| {
            ui.add_space((ui.available_height() * 0.4 - theme::CONTROL).max(theme::GAP));
            ui.label(RichText::new("Nothing fits the search and the filter.").color(look.weak));
            if Push::new("Show all").show(ui).clicked() {
                self.text.clear();
                self.shown = Shown::All;
            }
        });
    }

    fn clicks(&mut self, view: &View, done: &Done, scene: &mut Scene<'_>) {
        let hash = |list: &Self, row: usize| list.order.at(view, row).map(|row| row.info_hash);
        if let Some((row, modifiers)) = done.clicked
            && let Some(torrent) = hash(self, row)
        {
            self.reach(view, row, torrent, modifiers);
        }
        if let Some(torrent) = done.menu.and_then(|row| hash(self, row))
            && !self.chosen.contains(&torrent)
        {
            self.choose(torrent);
            self.reveal = None;
        }
        if done.opened.is_some() {
            self.open(view, scene);
        }
    }

    /// Chooses as desktops do: one, one more with Ctrl, a range with Shift.
    fn reach(&mut self, view: &View, row: usize, torrent: InfoHash, modifiers: Modifiers) {
        if modifiers.command {
            if !self.chosen.remove(&torrent) {
                self.chosen.insert(torrent);
            }
            self.anchor = Some(torrent);
        } else if modifiers.shift
            && let Some(from) = self.anchor.and_then(|anchor| self.order.position(view, anchor))
        {
            let range = from.min(row)..=from.max(row);
            self.chosen = range.filter_map(|row| self.order.at(view, row)).map(|row| row.info_hash).collect();
        } else {
            self.chosen = [torrent].into();
            self.anchor = Some(torrent);
        }
        self.cursor = self.chosen.contains(&torrent).then_some(torrent).or(self.chosen.first().copied());
    }

    fn keys(&mut self, ui: &Ui, view: &View, done: &Done, scene: &mut Scene<'_>) {
        let free = done.focused || ui.memory(|memory| memory.focused().is_none());
        let covered = ui.memory(|memory| memory.top_modal_layer().is_some()) || ui.any_popup_open();
        if !free || covered || self.order.rows().is_empty() {
            return;
        }
        let pressed =
            |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
        let last = self.order.rows().len() - 1;
        let at = self.cursor.and_then(|cursor| self.order.position(view, cursor));
        // With Shift first: a pattern without it also fits with it.
        for shift in [Modifiers::SHIFT, Modifiers::NONE] {
            let target = if pressed(shift, Key::ArrowDown) {
                at.map_or(0, |at| at + 1)
            } else if pressed(shift, Key::ArrowUp) {
                at.map_or(0, |at| at.saturating_sub(1))
            } else if pressed(shift, Key::PageDown) {
                at.map_or(0, |at| at + done.page)
            } else if pressed(shift, Key::PageUp) {
                at.map_or(0, |at| at.saturating_sub(done.page))
            } else if pressed(shift, Key::Home) {
                0
            } else if pressed(shift, Key::End) {
                last
            } else {
                continue;
            }
            .min(last);
            if let Some(torrent) = self.order.at(view, target).map(|row| row.info_hash) {
                self.reach(view, target, torrent, shift);
                self.cursor = Some(torrent);
                self.reveal = Some(torrent);
                ui.request_repaint();
            }
        }
        if pressed(Modifiers::COMMAND, Key::A) {
            let all = (0..=last).filter_map(|row| self.order.at(view, row));
            self.chosen = all.map(|row| row.info_hash).collect();
        }
        if self.chosen.is_empty() {
            return;
        }
        if pressed(Modifiers::NONE, Key::Space) {
            if self.chosen_rows(view).any(|row| !matches!(row.state, State::Paused | State::Failed)) {
                self.pause(view, scene);
            } else {
                self.resume(view, scene);
            }
        }
        if pressed(Modifiers::NONE, Key::Delete) || pressed(Modifiers::SHIFT, Key::Delete) {
            scene.ask(Action::AskRemove(self.chosen.iter().copied().collect()));
        }
        if pressed(Modifiers::NONE, Key::Enter) {
            self.open(view, scene);
        }
        if pressed(Modifiers::NONE, Key::F5) {
            for torrent in &self.chosen {
                scene.send(Command::Announce(*torrent));
            }
        }
        if pressed(Modifiers::COMMAND, Key::R) {
            for torrent in &self.chosen {
                scene.send(Command::Recheck(*torrent));
            }
        }
        if pressed(Modifiers::COMMAND, Key::C)
            || ui.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::Copy)))
        {
            let links: Vec<_> = self.chosen_rows(view).map(|row| row.magnet.as_str()).collect();
            scene.ask(Action::Copy(links.join("\n"), "Magnet link"));
        }
    }

    fn pause(&self, view: &View, scene: &mut Scene<'_>) {
        for row in self.chosen_rows(view).filter(|row| !matches!(row.state, State::Paused)) {
            scene.send(Command::Pause(row.info_hash));
        }
    }

    fn resume(&self, view: &View, scene: &mut Scene<'_>) {
        for row in self.chosen_rows(view).filter(|row| matches!(row.state, State::Paused | State::Failed)) {
            scene.send(Command::Resume(row.info_hash));
        }
    }

    fn open(&self, view: &View, scene: &mut Scene<'_>) {
        if let Some(row) = self.chosen_rows(view).find(|row| Some(row.info_hash) == self.cursor) {
            scene.ask(Action::Open(row.folder.clone()));
        }
    }
}

/// The button that begins a share, or says why none can begin.
pub(crate) fn upload_button(ui: &mut Ui, unavailable: Option<&str>) -> bool {
    Push::new("Upload")
        .with(Icon::Upload)
        .kind(Kind::Main)
        .enabled(unavailable.is_none())
        .tip(unavailable.unwrap_or("Share a file or folder (Ctrl+N)"))
        .show(ui)
        .clicked()
}

/// The button that begins a download, or says why none can begin.
pub(crate) fn download_button(ui: &mut Ui, unavailable: Option<&str>) -> bool {
    Push::new("Download")
        .with(Icon::Download)
        .enabled(unavailable.is_none())
        .tip(unavailable.unwrap_or("Open a .torrent file or a magnet link (Ctrl+O)"))
        .show(ui)
        .clicked()
}
