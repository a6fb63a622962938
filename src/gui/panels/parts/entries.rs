//! What the index of the network keeps: to be searched, downloaded, handed on as links, and taken out.

use eframe::egui::Ui;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::listing::{Entry, Listing, Value, hash_key};
use super::screen::ask;
use crate::api::{AddOptions, IndexEntry, NetworkCommand};
use crate::base::InfoHash;
use crate::gui::details::empty;
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::Column;
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
        let fits = |entry: &&IndexEntry| {
            text.split_whitespace().all(|word| entry.name.to_lowercase().contains(word))
        };
        let entries: Vec<&IndexEntry> = index.iter().filter(fits).collect();
        if entries.is_empty() {
            empty(ui, &format!("The index has nothing called {}.", self.text.trim()));
            return;
        }
        let chosen = self.chosen.map(hash_key);
        let listing = Listing { name: "entries", label: "Index", columns: &COLUMNS, chosen, now };
        let (clicked, opened) = listing.show(ui, scene, entries);
        if let Some(entry) = clicked {
            self.chosen = Some(entry.info_hash);
        }
        if let Some(entry) = opened {
            fetch(scene, entry);
        }
    }

    fn buttons(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, index: &[IndexEntry]) {
        let chosen = index.iter().find(|entry| Some(entry.info_hash) == self.chosen);
        let any = chosen.is_some();
        let narrow = ui.available_width() < 760.0;
        let push = |icon, label| {
            if narrow { Push::icon(icon, label) } else { Push::new(label).with(icon).kind(Kind::Quiet) }
        };
        ui.horizontal(|ui| {
            let width = 240.0_f32.min(ui.available_width() / 3.0);
            field::search(ui, &mut self.text, "Search in the index", "Search", width);
            let main = Push::new("Download").with(Icon::Download).kind(Kind::Main);
            let get = main.enabled(any).show(ui).clicked();
            let copy = push(Icon::Link, "Copy magnet link").enabled(any).show(ui).clicked();
            let may_save = any && !scene.picking;
            let save = push(Icon::Save, "Save .torrent…").enabled(may_save).show(ui).clicked();
            let remove = push(Icon::Remove, "Remove…").enabled(any).show(ui).clicked();
            let Some(entry) = chosen else { return };
            if get {
                fetch(scene, entry);
            }
            if copy {
                scene.ask(Action::Copy(magnet(entry), "Magnet link"));
            }
            if save {
                scene.ask(Action::Pick(Wanted::SaveEntry(entry.info_hash, entry.name.clone())));
            }
            if remove {
                scene.ask(Action::AskUnlist(entry.info_hash, name(entry)));
            }
        });
        ui.add_space(theme::GAP);
    }
}

/// Downloads an entry, or shows what is on the list already.
fn fetch(scene: &mut Scene<'_>, entry: &IndexEntry) {
    if scene.view.torrents.iter().any(|row| row.info_hash == entry.info_hash) {
        scene.ask(Action::Choose(entry.info_hash));
        return;
    }
    let request = scene.handle.next_request();
    // By the hash: others may have the same name.
    let name = entry.info_hash.to_hex();
    ask(scene, NetworkCommand::Fetch { request, name, options: AddOptions::default() });
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

/// The name, with a part of the info-hash where others have the same name.
fn name(entry: &IndexEntry) -> String {
    match entry.namesakes {
        0 => entry.name.clone(),
        _ => format!("{} ({})", entry.name, &entry.info_hash.to_hex()[..8]),
    }
}

impl Entry for IndexEntry {
    fn key(&self) -> u64 {
        hash_key(self.info_hash)
    }

    fn sentence(&self, now: u64) -> String {
        format!(
            "{}, {}, shared by {} {}, {} seeds, {} peers",
            name(self),
            format::size(self.size),
            self.uploader,
            format::ago(self.added_unix, now),
            self.seeds,
            self.peers
        )
    }

    fn value(&self, column: &'static str) -> Value<'_> {
        match column {
            "name" => Value::Text(name(self).into()),
            "size" => Value::Size(self.size),
            "files" => Value::Count(self.files.into()),
            "uploader" => Value::Text(self.uploader.as_str().into()),
            "added" => Value::When(self.added_unix),
            "seeds" => Value::Count(self.seeds.into()),
            _ => Value::Count(self.peers.into()),
        }
    }
}
