//! The files tab: every file, how much of it is there, and how much it is wanted.

use eframe::egui::{self, Ui};

use crate::api::{Command, Detail, FilePriority, FileRow, TorrentRow};
use crate::gui::details::nothing;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::table::{Cell, Column, Rows, Sort, Table};
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 5] = [
    Column::text("wanted", "Get", 46.0).tip("Whether it is fetched"),
    Column::text("path", "File", 300.0).growing(),
    Column::number("size", "Size", 90.0),
    Column::text("progress", "Progress", 130.0),
    Column::text("priority", "Priority", 120.0),
];

/// The files of a torrent.
#[derive(Default)]
pub(super) struct Files {
    text: String,
    chosen: Option<u32>,
}

/// A priority as a word.
pub(crate) const fn word(priority: FilePriority) -> &'static str {
    match priority {
        FilePriority::Skip => "Skip",
        FilePriority::Low => "Low",
        FilePriority::Normal => "Normal",
        FilePriority::High => "High",
    }
}

/// Every priority, from the least.
pub(crate) const PRIORITIES: [FilePriority; 4] =
    [FilePriority::High, FilePriority::Normal, FilePriority::Low, FilePriority::Skip];

impl Files {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow, detail: &Detail) {
        if detail.files.is_empty() {
            nothing(ui, detail, "This torrent holds no files.");
            return;
        }
        if detail.files.len() > 1 {
            self.all(ui, scene, row, detail);
        }
        let text = self.text.to_lowercase();
        let mut shown: Vec<&FileRow> = detail
            .files
            .iter()
            .filter(|file| text.is_empty() || file.path.to_lowercase().contains(&text))
            .collect();
        let mut layout = scene.take_layout("files");
        sort(&mut shown, &layout.sort);
        let mut rows = FileRows { files: &shown, row, chosen: self.chosen, actions: scene.actions };
        let done = Table::new("files", "Files", &COLUMNS, &mut layout).show(ui, &mut rows);
        scene.put_layout("files", layout);
        if let Some((at, _)) = done.clicked {
            self.chosen = shown.get(at).map(|file| file.index);
        }
        if done.opened.is_some() {
            scene.ask(Action::Open(row.folder.clone()));
        }
    }

    fn all(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow, detail: &Detail) {
        ui.horizontal(|ui| {
            let set = |priority| Command::Prioritise {
                torrent: row.info_hash,
                files: detail.files.iter().map(|file| (file.index, priority)).collect(),
            };
            if Push::new("Get all").show(ui).clicked() {
                scene.send(set(FilePriority::Normal));
            }
            if Push::new("Get none").show(ui).clicked() {
                scene.send(set(FilePriority::Skip));
            }
            let mut sequential = row.sequential;
            let hint = "For films and music that are to begin before all is there";
            if ui.checkbox(&mut sequential, "In order").on_hover_text(hint).changed() {
                scene.send(Command::Sequential { torrent: row.info_hash, on: sequential });
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let width = ui.available_width().clamp(80.0, 240.0);
                field::search(ui, &mut self.text, "Search in files", "Search in files", width);
            });
        });
        ui.add_space(theme::GAP / 2.0);
    }
}

fn sort(files: &mut [&FileRow], sort: &Sort) {
    match sort.key.as_str() {
        "path" => files.sort_by(|a, b| a.path.cmp(&b.path)),
        "size" => files.sort_by_key(|file| file.length),
        "progress" => files.sort_by(|a, b| part(a).total_cmp(&part(b))),
        "priority" | "wanted" => files.sort_by_key(|file| file.priority),
        _ => {}
    }
    if sort.descending {
        files.reverse();
    }
}

fn part(file: &FileRow) -> f32 {
    if file.length == 0 { 1.0 } else { (file.done as f64 / file.length as f64) as f32 }
}

struct FileRows<'a> {
    files: &'a [&'a FileRow],
    row: &'a TorrentRow,
    chosen: Option<u32>,
    actions: &'a mut Vec<Action>,
}

impl FileRows<'_> {
    fn set(&mut self, file: u32, priority: FilePriority) {
        let torrent = self.row.info_hash;
        self.actions.push(Action::Send(Command::Prioritise { torrent, files: vec![(file, priority)] }));
    }
}

impl Rows for FileRows<'_> {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn key(&self, row: usize) -> u64 {
        u64::from(self.files[row].index)
    }

    fn sentence(&self, row: usize) -> String {
        let file = self.files[row];
        format!(
            "{}, {}, {}, priority {}",
            file.path,
            format::size(file.length),
            format::percent(part(file)),
            word(file.priority).to_lowercase()
        )
    }

    fn chosen(&self, row: usize) -> bool {
        self.chosen == Some(self.files[row].index)
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let file = self.files[row];
        let look = cell.look();
        let skipped = file.priority == FilePriority::Skip;
        match column {
            "wanted" => {
                let mut wanted = !skipped;
                let name = format!("Get {}", file.path);
                if cell.add(|ui| check(ui, &mut wanted, &name)) {
                    self.set(file.index, if wanted { FilePriority::Normal } else { FilePriority::Skip });
                }
            }
            "path" if skipped => cell.weak(&file.path),
            "path" => cell.text(&file.path),
            "size" => cell.text(&format::size(file.length)),
            "progress" => {
                let color = if part(file) >= 1.0 { look.good } else { look.accent };
                cell.bar(part(file), color, &format::percent(part(file)));
            }
            "priority" => {
                let name = format!("Priority of {}", file.path);
                let mut priority = file.priority;
                if cell.add(|ui| choose(ui, &mut priority, &name, file.index)) {
                    self.set(file.index, priority);
                }
            }
            _ => {}
        }
    }
}

/// A box to tick without a text beside it; whether it was changed.
pub(crate) fn check(ui: &mut Ui, on: &mut bool, name: &str) -> bool {
    ui.add(egui::Checkbox::without_text(on)).accessible_name(name).changed()
}

/// A list of priorities to choose from; whether another one was chosen.
pub(crate) fn choose(ui: &mut Ui, priority: &mut FilePriority, name: &str, salt: u32) -> bool {
    let before = *priority;
    ui.spacing_mut().interact_size.y = 24.0;
    ui.spacing_mut().button_padding.y = 2.0;
    egui::ComboBox::from_id_salt(("priority", salt))
        .width(ui.available_width() - 4.0)
        .selected_text(word(*priority))
        .show_ui(ui, |ui| {
            for each in PRIORITIES {
                ui.selectable_value(priority, each, word(each));
            }
        })
        .response
        .accessible_name(name);
    *priority != before
}
