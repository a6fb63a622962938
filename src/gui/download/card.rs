//! The card of one torrent that is to be added: what it is, where to, which files.

use std::path::{Path, PathBuf};

use eframe::egui::{self, RichText, Ui};

use crate::api::{AddOptions, FilePriority, Preview, RequestId, Source};
use crate::gui::details::{check, choose_priority};
use crate::gui::errand::Errand;
use crate::gui::pick::Wanted;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::{Cell, Column, Rows, Table};
use crate::gui::widgets::{dialog, field, format};

static COLUMNS: [Column; 4] = [
    Column::text("wanted", "Get", 46.0).unsorted(),
    Column::text("path", "File", 250.0).growing().unsorted(),
    Column::number("size", "Size", 88.0).unsorted(),
    Column::text("priority", "Priority", 110.0).unsorted(),
];

/// What became of the card in this frame.
pub(super) enum Answer {
    /// Nothing yet.
    Open,
    /// It is not wanted.
    Skip,
    /// It is to be added.
    Add(Source, AddOptions),
    /// It and all that wait are to be added.
    AddAll(Source, AddOptions),
}

/// One torrent to be added.
pub(super) struct Card {
    request: RequestId,
    source: Source,
    preview: Option<Preview>,
    /// In the order of the preview's files.
    priorities: Vec<FilePriority>,
    folder: String,
    /// The folder that was last asked about, and what is free there.
    asked: Option<PathBuf>,
    free: Option<u64>,
    paused: bool,
    sequential: bool,
    label: String,
    text: String,
}

impl Card {
    pub(super) fn new(request: RequestId, source: Source) -> Self {
        Self {
            request,
            source,
            preview: None,
            priorities: Vec::new(),
            folder: String::new(),
            asked: None,
            free: None,
            paused: false,
            sequential: false,
            label: String::new(),
            text: String::new(),
        }
    }

    pub(super) fn request(&self) -> RequestId {
        self.request
    }

    /// The source as a user would type it.
    pub(super) fn text(&self) -> String {
        match &self.source {
            Source::File(path) => path.to_string_lossy().into_owned(),
            Source::Magnet(link) => link.clone(),
            Source::Bytes(_) => String::new(),
        }
    }

    pub(super) fn inspected(&mut self, request: RequestId, preview: &Preview) -> bool {
        if request != self.request {
            return false;
        }
        self.priorities = vec![FilePriority::Normal; preview.files.len()];
        self.folder = preview.folder.to_string_lossy().into_owned();
        self.asked = Some(preview.folder.clone());
        self.free = preview.free_bytes;
        self.preview = Some(preview.clone());
        true
    }

    pub(super) fn save_into(&mut self, folder: &Path) {
        self.folder = folder.to_string_lossy().into_owned();
    }

    pub(super) fn free(&mut self, folder: &Path, bytes: Option<u64>) {
        if self.asked.as_deref() == Some(folder) {
            self.free = bytes;
        }
    }

    /// Bytes of the files that are wanted.
    fn wanted(&self, preview: &Preview) -> u64 {
        let wanted = preview.files.iter().zip(&self.priorities);
        wanted
            .filter(|(_, priority)| **priority != FilePriority::Skip)
            .map(|((_, file), _)| file.length)
            .sum()
    }

    fn options(&self, preview: &Preview) -> AddOptions {
        let mut priorities = Vec::new();
        // Nothing to say where everything is normal; otherwise by file number, padding between them included.
        if self.priorities.iter().any(|priority| *priority != FilePriority::Normal) {
            let last = preview.files.iter().map(|(number, _)| *number as usize + 1).max().unwrap_or(0);
            priorities = vec![FilePriority::Normal; last];
            for ((number, _), priority) in preview.files.iter().zip(&self.priorities) {
                priorities[*number as usize] = *priority;
            }
        }
        AddOptions {
            folder: Some(field::path(&self.folder)),
            paused: self.paused,
            priorities,
            sequential: self.sequential,
            label: self.label.clone(),
            ..AddOptions::default()
        }
    }

    /// Asks about a folder that was changed.
    fn look(&mut self, scene: &mut Scene<'_>) {
        let folder = field::path(&self.folder);
        if self.preview.is_some() && self.asked.as_ref() != Some(&folder) {
            self.asked = Some(folder.clone());
            self.free = None;
            scene.ask(Action::Errand(Errand::Free(folder)));
        }
    }

    pub(super) fn ui(&mut self, ctx: &egui::Context, scene: &mut Scene<'_>, more: usize) -> Answer {
        self.look(scene);
        let preview = self.preview.clone();
        let startable = preview.as_ref().is_some_and(|preview| {
            let some = preview.files.is_empty() || self.wanted(preview) > 0 || preview.total_length == 0;
            !preview.known && some && field::path(&self.folder).is_absolute()
        });
        let known = preview.as_ref().filter(|preview| preview.known).map(|preview| preview.info_hash);
        let width = if preview.as_ref().is_some_and(|preview| preview.files.len() > 1) {
            680.0
        } else {
            theme::DIALOG
        };
        let before = preview.as_ref().map(|preview| (self.wanted(preview), self.folder.clone()));
        let mut show = None;
        let shown = dialog::show(
            ctx,
            "Download",
            width,
            |ui| match &preview {
                None => {
                    field::note(ui, "Reading…");
                }
                Some(preview) => self.content(ui, scene, preview),
            },
            |ui| {
                let (mut start, mut all) = (false, false);
                if let Some(torrent) = known {
                    let go = Push::new("Show it").kind(Kind::Main).show(ui).clicked() || dialog::entered(ui);
                    show = go.then_some(torrent);
                } else {
                    let push = Push::new("Start").with(Icon::Download).kind(Kind::Main).enabled(startable);
                    start = push.show(ui).clicked() || (startable && dialog::entered(ui));
                    if more > 0 {
                        let label = format!("Start all {}", more + 1);
                        all = Push::new(&label).enabled(startable).show(ui).clicked();
                    }
                }
                (start, all, Push::new("Cancel").show(ui).clicked())
            },
        );
        if before != preview.as_ref().map(|preview| (self.wanted(preview), self.folder.clone())) {
            // Whether it can be started stands in the next frame.
            ctx.request_repaint();
        }
        let (start, all, cancel) = shown.inner;
        if let Some(torrent) = show {
            scene.ask(Action::Choose(torrent));
            return Answer::Skip;
        }
        match &preview {
            Some(preview) if start => Answer::Add(self.source.clone(), self.options(preview)),
            Some(preview) if all => Answer::AddAll(self.source.clone(), self.options(preview)),
            _ if cancel || shown.closed => Answer::Skip,
            _ => Answer::Open,
        }
    }

    fn content(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, preview: &Preview) {
        let look = theme::look(ui);
        ui.add(egui::Label::new(RichText::new(&preview.name).size(16.0)).truncate());
        let size = if preview.files.is_empty() {
            "Size and files are told by other people, once it is started".to_owned()
        } else {
            let files = format::counted(preview.files.len() as u64, "file", "files");
            format!("{}, {files}", format::size(preview.total_length))
        };
        let private = if preview.private { ", private" } else { "" };
        ui.label(RichText::new(size + private).color(look.weak));
        if let Some(comment) = preview.comment.as_deref().filter(|comment| !comment.is_empty()) {
            field::note(ui, comment);
        }
        if preview.known {
            field::remark(ui, Icon::Info, look.accent, "This torrent is on your list already.");
            return;
        }
        ui.add_space(theme::GAP / 2.0);
        self.folder(ui, scene, preview);
        if preview.files.len() > 1 {
            self.files(ui, scene, preview);
        }
        ui.horizontal_wrapped(|ui| {
            let mut now = !self.paused;
            ui.checkbox(&mut now, "Begin at once");
            self.paused = !now;
            let tip = "For films and music that are to begin before all is there";
            ui.checkbox(&mut self.sequential, "Download in order").on_hover_text(tip);
            field::line(ui, &mut self.label, "Label", "Label", 150.0);
        });
    }

    fn folder(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, preview: &Preview) {
        let look = theme::look(ui);
        ui.horizontal(|ui| {
            let label = ui.label(RichText::new("Save into").color(look.weak));
            let recent = !scene.state.folders.is_empty();
            let buttons = 104.0 + theme::GAP + if recent { theme::CONTROL + theme::GAP } else { 0.0 };
            let width = (ui.available_width() - buttons - theme::GAP).max(100.0);
            field::line(ui, &mut self.folder, "Save into", "Folder", width).labelled_by(label.id);
            if Push::new("Folder…").with(Icon::Folder).enabled(!scene.picking).show(ui).clicked() {
                scene.ask(Action::Pick(Wanted::SaveFolder(field::path(&self.folder))));
            }
            if recent {
                let button = Push::icon(Icon::More, "Folders used lately").show(ui);
                egui::Popup::menu(&button).show(|ui| {
                    for folder in &scene.state.folders {
                        if ui.button(folder.to_string_lossy()).clicked() {
                            self.folder = folder.to_string_lossy().into_owned();
                        }
                    }
                });
            }
        });
        let needed = self.wanted(preview);
        match self.free {
            _ if !field::path(&self.folder).is_absolute() => {
                field::remark(ui, Icon::Warning, look.warn, "Type the full path of a folder.");
            }
            Some(free) if free < needed => {
                let missing = format::size(needed - free);
                let text = format!(
                    "{} free: {missing} too little. Choose another folder or fewer files.",
                    format::size(free)
                );
                field::remark(ui, Icon::Warning, look.bad, &text);
            }
            // Of a magnet link the size is not known yet.
            Some(free) if needed == 0 => {
                field::note(ui, &format!("{} free", format::size(free)));
            }
            Some(free) => {
                field::note(ui, &format!("{} needed, {} free", format::size(needed), format::size(free)));
            }
            None if needed == 0 => {}
            None => {
                field::note(ui, &format!("{} needed", format::size(needed)));
            }
        }
    }

    fn files(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, preview: &Preview) {
        ui.add_space(theme::GAP / 2.0);
        ui.horizontal(|ui| {
            let mut set = |priority| self.priorities.fill(priority);
            if Push::new("All").show(ui).clicked() {
                set(FilePriority::Normal);
            }
            if Push::new("None").show(ui).clicked() {
                set(FilePriority::Skip);
            }
            if preview.files.len() > 10 {
                let width = (ui.available_width() - theme::GAP).clamp(80.0, 240.0);
                field::search(ui, &mut self.text, "Search in files", "Search in files", width);
            }
        });
        let text = self.text.to_lowercase();
        let shown: Vec<usize> = (0..preview.files.len())
            .filter(|&at| text.is_empty() || preview.files[at].1.path.to_lowercase().contains(&text))
            .collect();
        let height = theme::HEADER + theme::ROW * (shown.len().clamp(2, 7) as f32) + 4.0;
        let room = egui::vec2(ui.available_width(), height);
        ui.allocate_ui(room, |ui| {
            ui.set_min_size(room);
            let mut layout = scene.take_layout("files to add");
            let mut rows = PreviewRows { preview, shown: &shown, priorities: &mut self.priorities };
            Table::new("files to add", "Files", &COLUMNS, &mut layout).show(ui, &mut rows);
            scene.put_layout("files to add", layout);
        });
    }
}

struct PreviewRows<'a> {
    preview: &'a Preview,
    shown: &'a [usize],
    priorities: &'a mut [FilePriority],
}

impl Rows for PreviewRows<'_> {
    fn len(&self) -> usize {
        self.shown.len()
    }

    fn key(&self, row: usize) -> u64 {
        self.shown[row] as u64
    }

    fn sentence(&self, row: usize) -> String {
        let at = self.shown[row];
        let file = &self.preview.files[at].1;
        let wanted = if self.priorities[at] == FilePriority::Skip { "skipped" } else { "wanted" };
        format!("{}, {}, {wanted}", file.path, format::size(file.length))
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let at = self.shown[row];
        let file = &self.preview.files[at].1;
        let priority = &mut self.priorities[at];
        match column {
            "wanted" => {
                let mut wanted = *priority != FilePriority::Skip;
                if cell.add(|ui| check(ui, &mut wanted, &format!("Get {}", file.path))) {
                    *priority = if wanted { FilePriority::Normal } else { FilePriority::Skip };
                }
            }
            "path" if *priority == FilePriority::Skip => cell.weak(&file.path),
            "path" => cell.text(&file.path),
            "size" => cell.text(&format::size(file.length)),
            "priority" => {
                let name = format!("Priority of {}", file.path);
                cell.add(|ui| choose_priority(ui, priority, &name, at as u32));
            }
            _ => {}
        }
    }
}
