//! What the index of the network keeps: to be searched, downloaded, and handed on as links.

use eframe::egui::Ui;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::api::{IndexEntry, Source};
use crate::base::InfoHash;
use crate::gui::details::empty;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::{Cell, Column, Rows, Sort, Table};
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 7] = [
    Column::text("name", "Name", 260.0).growing(),
    Column::number("size", "Size", 86.0),
    Column::number("files", "Files", 60.0),
    Column::text("uploader", "Shared by", 110.0),
    Column::text("added", "Shared", 100.0),
    Column::number("seeds", "Seeds", 66.0).tip("Users seeding it"),
    Column::number("peers", "Peers", 66.0).tip("Users downloading it"),
];

/// The index of a network.
#[derive(Default)]
pub(in crate::gui::panels) struct Entries {
    text: String,
    chosen: Option<InfoHash>,
}

impl Entries {
    /// Draws it into all the room there is; `now` in seconds since 1970.
    pub(in crate::gui::panels) fn ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        index: &[IndexEntry],
        now: u64,
    ) {
        if index.is_empty() {
            empty(
                ui,
                "The index is empty. What anyone in the network uploads stands here, to be downloaded by its name.",
            );
            return;
        }
        self.buttons(ui, scene, index);
        let text = self.text.to_lowercase();
        let mut rows: Vec<&IndexEntry> = index
            .iter()
            .filter(|entry| text.split_whitespace().all(|word| entry.name.to_lowercase().contains(word)))
            .collect();
        if rows.is_empty() {
            empty(ui, &format!("The index has nothing called {}.", self.text.trim()));
            return;
        }
        let mut layout = scene.take_layout("entries");
        sort(&mut rows, &layout.sort);
        let mut table = EntryRows { rows: &rows, chosen: self.chosen, now };
        let done = Table::new("entries", "Index", &COLUMNS, &mut layout).show(ui, &mut table);
        scene.put_layout("entries", layout);
        if let Some((row, _)) = done.clicked {
            self.chosen = rows.get(row).map(|entry| entry.info_hash);
        }
        if let Some(entry) = done.opened.and_then(|row| rows.get(row)) {
            download(scene, entry);
        }
    }

    fn buttons(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, index: &[IndexEntry]) {
        let chosen = index.iter().find(|entry| Some(entry.info_hash) == self.chosen);
        ui.horizontal(|ui| {
            let width = 240.0_f32.min(ui.available_width() / 3.0);
            field::search(ui, &mut self.text, "Search in the index", "Search", width);
            let push = Push::new("Download").with(Icon::Download).kind(Kind::Main);
            let get = push.enabled(chosen.is_some()).show(ui).clicked();
            let push = Push::new("Copy magnet link").with(Icon::Link);
            let copy = push.enabled(chosen.is_some()).show(ui).clicked();
            if let Some(entry) = chosen {
                if get {
                    download(scene, entry);
                }
                if copy {
                    scene.ask(Action::Copy(magnet(entry), "Magnet link"));
                }
            }
        });
        ui.add_space(theme::GAP);
    }
}

/// Opens the card for an entry, or shows what is on the list already.
fn download(scene: &mut Scene<'_>, entry: &IndexEntry) {
    let known = scene.view.torrents.iter().any(|row| row.info_hash == entry.info_hash);
    scene.ask(match known {
        true => Action::Choose(entry.info_hash),
        false => Action::Download(Some(Source::Magnet(magnet(entry)))),
    });
}

/// The link that leads to an entry by the trackers of its tiers.
fn magnet(entry: &IndexEntry) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut link = format!("magnet:?xt=urn:btih:{}&dn={}", entry.info_hash, encoded(&entry.name));
    for url in entry.tiers.iter().flatten() {
        link += &format!("&tr={}", encoded(url));
    }
    link
}

fn sort(rows: &mut [&IndexEntry], sort: &Sort) {
    match sort.key.as_str() {
        "name" => rows.sort_by_key(|entry| entry.name.to_lowercase()),
        "size" => rows.sort_by_key(|entry| entry.size),
        "files" => rows.sort_by_key(|entry| entry.files),
        "uploader" => rows.sort_by(|a, b| a.uploader.cmp(&b.uploader)),
        "added" => rows.sort_by_key(|entry| entry.added_unix),
        "seeds" => rows.sort_by_key(|entry| entry.seeds),
        "peers" => rows.sort_by_key(|entry| entry.peers),
        _ => {}
    }
    if sort.descending {
        rows.reverse();
    }
}

struct EntryRows<'a> {
    rows: &'a [&'a IndexEntry],
    chosen: Option<InfoHash>,
    now: u64,
}

/// The name, with a part of the info-hash where others have the same name.
fn name(entry: &IndexEntry) -> String {
    match entry.namesakes {
        0 => entry.name.clone(),
        _ => format!("{} ({})", entry.name, &entry.info_hash.to_hex()[..8]),
    }
}

impl Rows for EntryRows<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn key(&self, row: usize) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.rows[row].info_hash.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn sentence(&self, row: usize) -> String {
        let entry = self.rows[row];
        format!(
            "{}, {}, shared by {} {}, {} seeds, {} peers",
            name(entry),
            format::size(entry.size),
            entry.uploader,
            format::ago(entry.added_unix, self.now),
            entry.seeds,
            entry.peers
        )
    }

    fn chosen(&self, row: usize) -> bool {
        self.chosen == Some(self.rows[row].info_hash)
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let entry = self.rows[row];
        match column {
            "name" => cell.text(&name(entry)),
            "size" => cell.text(&format::size(entry.size)),
            "files" => cell.text(&format::grouped(u64::from(entry.files))),
            "uploader" => cell.text(&entry.uploader),
            "added" => cell.weak(&format::ago(entry.added_unix, self.now)),
            "seeds" => cell.text(&format::grouped(u64::from(entry.seeds))),
            "peers" => cell.text(&format::grouped(u64::from(entry.peers))),
            _ => {}
        }
    }
}
