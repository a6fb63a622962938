//! The index panel: what the network's index keeps, and its screen; without a network, what is shared from here.

use eframe::egui::{self, Ui};

use crate::api::{Part, TorrentRow, View};
use crate::base::InfoHash;
use crate::gui::details::empty;
use crate::gui::panels::parts::{self, Entries, Entry, Listing, ScreenPane, Value, hash_key};
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::Column;
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 5] = [
    Column::text("name", "Name", 280.0).growing(),
    Column::number("size", "Size", 90.0),
    Column::text("added", "Shared", 110.0),
    Column::number("peers", "Peers", 70.0).tip("Connected to this computer now"),
    Column::number("sent", "Sent", 90.0),
];

/// The index panel.
#[derive(Default)]
pub(crate) struct Index {
    text: String,
    chosen: Option<InfoHash>,
    entries: Entries,
    screen: ScreenPane,
}

impl Index {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = std::sync::Arc::clone(scene.view);
        let now = view.unix_millis / 1_000;
        let Some(network) = &view.network else {
            self.shared(ui, scene, &view, now);
            return;
        };
        parts::unread(ui, network);
        parts::below(ui, "index screen", |ui| {
            self.screen.ui(ui, scene, Part::Index, &network.index_screen, &[]);
        });
        egui::CentralPanel::no_frame().show(ui, |ui| {
            if network.index.is_empty() && network.fault.is_some() {
                empty(ui, "The index cannot be read until the coordinator answers.");
            } else {
                self.entries.ui(ui, scene, &network.index, now);
            }
        });
    }

    fn shared(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View, now: u64) {
        let text = self.text.to_lowercase();
        let shared: Vec<&TorrentRow> =
            view.torrents.iter().map(AsRef::as_ref).filter(|row| row.shared_here).collect();
        if shared.is_empty() {
            empty(
                ui,
                "Nothing is shared from here yet. What you upload stands here, with its link and its .torrent file.",
            );
            return;
        }
        self.buttons(ui, scene, &shared);
        let fits = |row: &&TorrentRow| text.is_empty() || row.name.to_lowercase().contains(&text);
        let rows = shared.into_iter().filter(fits).collect();
        let chosen = self.chosen.map(hash_key);
        let listing = Listing { name: "index", label: "Shared from here", columns: &COLUMNS, chosen, now };
        let (clicked, opened) = listing.show(ui, scene, rows);
        if let Some(row) = clicked {
            self.chosen = Some(row.info_hash);
        }
        if let Some(row) = opened {
            scene.ask(Action::Link(row.info_hash));
        }
    }

    fn buttons(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, shared: &[&TorrentRow]) {
        let chosen = shared.iter().find(|row| Some(row.info_hash) == self.chosen);
        ui.horizontal(|ui| {
            let width = 240.0_f32.min(ui.available_width() / 3.0);
            field::search(ui, &mut self.text, "Search in the index", "Search", width);
            let copy =
                Push::new("Copy magnet link").with(Icon::Link).enabled(chosen.is_some()).show(ui).clicked();
            let save = Push::new("Save .torrent…")
                .with(Icon::Save)
                .enabled(chosen.is_some() && !scene.picking)
                .show(ui)
                .clicked();
            if let Some(row) = chosen {
                if copy {
                    scene.ask(Action::Copy(row.magnet.clone(), "Magnet link"));
                }
                if save {
                    scene.ask(Action::Pick(Wanted::SaveTorrent(row.info_hash, row.name.clone())));
                }
            }
        });
        ui.add_space(theme::GAP);
    }
}

impl Entry for TorrentRow {
    fn key(&self) -> u64 {
        hash_key(self.info_hash)
    }

    fn sentence(&self, now: u64) -> String {
        let when = format::ago(self.added_unix, now);
        format!("{}, {}, shared {when}, {} peers", self.name, format::size(self.size), self.peers)
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "name" => Value::Text(self.name.as_str().into()),
            "size" => Value::Size(self.size),
            "added" => Value::When(self.added_unix),
            "peers" => Value::Count(self.peers.into()),
            _ => Value::Size(self.uploaded),
        }
    }
}
