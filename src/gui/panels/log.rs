//! The log panel: what happened, newest last, to be searched and copied.

use eframe::egui::{self, Ui};

use crate::api::{Level, LogLine};
use crate::gui::details::empty;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::table::{Cell, Column, Rows, Table};
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 4] = [
    Column::text("time", "Time (UTC)", 80.0).unsorted(),
    Column::text("level", "Level", 76.0).unsorted(),
    Column::text("room", "Part", 86.0).unsorted(),
    Column::text("text", "What happened", 500.0).growing().unsorted(),
];

/// The log panel.
pub(crate) struct Log {
    least: Level,
    text: String,
    /// What the lines below were chosen for.
    made_for: Option<(u64, Level, String)>,
    lines: Vec<LogLine>,
}

impl Default for Log {
    fn default() -> Self {
        Self { least: Level::Info, text: String::new(), made_for: None, lines: Vec::new() }
    }
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Debug => "Detail",
        Level::Info => "Note",
        Level::Warning => "Warning",
        Level::Error => "Error",
    }
}

impl Log {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.buttons(ui, scene);
        ui.add_space(theme::GAP);
        let wanted = (scene.log.generation(), self.least, self.text.to_lowercase());
        if self.made_for.as_ref() != Some(&wanted) {
            let fits = |line: &&LogLine| {
                line.level >= self.least
                    && (wanted.2.is_empty() || line.text.to_lowercase().contains(&wanted.2))
            };
            self.lines = scene.log.lines().iter().filter(fits).cloned().collect();
            self.made_for = Some(wanted);
        }
        if self.lines.is_empty() {
            let none = scene.log.lines().is_empty();
            empty(ui, if none { "Nothing has happened yet." } else { "Nothing of this kind has happened." });
            return;
        }
        let mut layout = scene.take_layout("log");
        let mut rows = LogRows { lines: &self.lines };
        let done = Table::new("log", "Log", &COLUMNS, &mut layout).stick_to_end().show(ui, &mut rows);
        scene.put_layout("log", layout);
        if let Some(line) = done.opened.and_then(|row| self.lines.get(row)) {
            scene.ask(Action::Copy(line.text.clone(), "Line"));
        }
    }

    fn buttons(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            for (level, label) in [
                (Level::Debug, "Everything"),
                (Level::Info, "Notes"),
                (Level::Warning, "Warnings"),
                (Level::Error, "Errors"),
            ] {
                let push = Push::new(label).kind(Kind::Quiet).chosen(self.least == level);
                if push.show(ui).clicked() {
                    self.least = level;
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if Push::new("Clear").show(ui).clicked() {
                    scene.log.clear();
                }
                if Push::new("Copy all").show(ui).clicked() {
                    let text: Vec<_> = self.lines.iter().map(line).collect();
                    scene.ask(Action::Copy(text.join("\n"), "Log"));
                }
                let width = (ui.available_width() - theme::GAP).clamp(80.0, 240.0);
                field::search(ui, &mut self.text, "Search in the log", "Search", width);
            });
        });
    }
}

fn line(line: &LogLine) -> String {
    format!("{} {} {}: {}", format::clock(line.unix_millis), word(line.level), line.room, line.text)
}

struct LogRows<'a> {
    lines: &'a [LogLine],
}

impl Rows for LogRows<'_> {
    fn len(&self) -> usize {
        self.lines.len()
    }

    fn key(&self, row: usize) -> u64 {
        row as u64
    }

    fn sentence(&self, row: usize) -> String {
        line(&self.lines[row])
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let line = &self.lines[row];
        let look = cell.look();
        match column {
            "time" => cell.mono(&format::clock(line.unix_millis)),
            "level" => {
                let color = match line.level {
                    Level::Debug | Level::Info => look.weak,
                    Level::Warning => look.warn,
                    Level::Error => look.bad,
                };
                cell.colored(word(line.level), color);
            }
            "room" => cell.weak(&line.room),
            "text" => cell.text(&line.text),
            _ => {}
        }
    }
}
