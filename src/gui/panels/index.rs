//! The index panel: what the network's index keeps; without a network, what is shared from here.

use eframe::egui::Ui;

use crate::api::{TorrentRow, View};
use crate::base::InfoHash;
use crate::gui::details::empty;
use crate::gui::panels::parts::Entries;
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::{Cell, Column, Rows, Sort, Table};
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
}

impl Index {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let view = std::sync::Arc::clone(scene.view);
        if let Some(network) = &view.network {
            self.entries.ui(ui, scene, &network.index, view.unix_millis / 1_000);
            return;
        }
        let text = self.text.to_lowercase();
        let shared = |row: &&TorrentRow| row.shared_here;
        if !view.torrents.iter().map(AsRef::as_ref).any(|row| shared(&row)) {
            empty(
                ui,
                "Nothing is shared from here yet. What you upload stands here, with its link and its .torrent file.",
            );
            return;
        }
        let mut rows: Vec<&TorrentRow> = view
            .torrents
            .iter()
            .map(AsRef::as_ref)
            .filter(shared)
            .filter(|row| text.is_empty() || row.name.to_lowercase().contains(&text))
            .collect();
        self.buttons(ui, scene, &view);
        let mut layout = scene.take_layout("index");
        sort(&mut rows, &layout.sort);
        let mut table = IndexRows { rows: &rows, chosen: self.chosen, now: view.unix_millis / 1_000 };
        let done = Table::new("index", "Shared from here", &COLUMNS, &mut layout).show(ui, &mut table);
        scene.put_layout("index", layout);
        if let Some((row, _)) = done.clicked {
            self.chosen = rows.get(row).map(|row| row.info_hash);
        }
        if let Some(row) = done.opened.and_then(|row| rows.get(row)) {
            scene.ask(Action::Link(row.info_hash));
        }
    }

    fn buttons(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &View) {
        let chosen = view.torrents.iter().find(|row| row.shared_here && Some(row.info_hash) == self.chosen);
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

fn sort(rows: &mut [&TorrentRow], sort: &Sort) {
    match sort.key.as_str() {
        "name" => rows.sort_by_key(|row| row.name.to_lowercase()),
        "size" => rows.sort_by_key(|row| row.size),
        "added" => rows.sort_by_key(|row| row.added_unix),
        "peers" => rows.sort_by_key(|row| row.peers),
        "sent" => rows.sort_by_key(|row| row.uploaded),
        _ => {}
    }
    if sort.descending {
        rows.reverse();
    }
}

struct IndexRows<'a> {
    rows: &'a [&'a TorrentRow],
    chosen: Option<InfoHash>,
    now: u64,
}

impl Rows for IndexRows<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.rows[row].info_hash.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn sentence(&self, row: usize) -> String {
        let row = self.rows[row];
        let when = format::ago(row.added_unix, self.now);
        format!("{}, {}, shared {when}, {} peers", row.name, format::size(row.size), row.peers)
    }

    fn chosen(&self, row: usize) -> bool {
        self.chosen == Some(self.rows[row].info_hash)
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let row = self.rows[row];
        match column {
            "name" => cell.text(&row.name),
            "size" => cell.text(&format::size(row.size)),
            "added" => cell.weak(&format::ago(row.added_unix, self.now)),
            "peers" if row.peers > 0 => cell.text(&format::grouped(u64::from(row.peers))),
            "sent" if row.uploaded > 0 => cell.text(&format::size(row.uploaded)),
            _ => {}
        }
    }
}
