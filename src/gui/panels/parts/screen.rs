//! The screen of one part of the network: its log in sentences, newest last.

use eframe::egui::Ui;

use crate::api::{ScreenLine, ScreenView};
use crate::gui::details::empty;
use crate::gui::scene::{Action, Scene};
use crate::gui::widgets::button::{Kind, Push};
use crate::gui::widgets::table::{Cell, Column, Rows, Table};
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 2] = [
    Column::text("time", "Time (UTC)", 80.0).unsorted(),
    Column::text("text", "What happened", 300.0).growing().unsorted(),
];

/// A screen, of which this window may have cleared the older part.
#[derive(Default)]
pub(in crate::gui::panels) struct ScreenPane {
    /// Lines up to this moment are not shown any more, in milliseconds since 1970.
    cleared: Option<u64>,
}

impl ScreenPane {
    /// Draws it into all the room there is.
    pub(in crate::gui::panels) fn ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        name: &'static str,
        screen: &ScreenView,
    ) {
        let shown = |line: &&ScreenLine| self.cleared.is_none_or(|cleared| line.unix_millis > cleared);
        let lines: Vec<&ScreenLine> = screen.lines.iter().filter(shown).collect();
        ui.horizontal(|ui| {
            field::heading(ui, "Screen");
            let push =
                Push::new("Clear").kind(Kind::Quiet).tip("Empties this screen; the log keeps everything");
            if push.enabled(!lines.is_empty()).show(ui).clicked() {
                self.cleared = screen.lines.last().map(|line| line.unix_millis);
            }
        });
        if lines.is_empty() {
            empty(ui, "Nothing has happened here yet.");
            return;
        }
        let mut layout = scene.take_layout(name);
        let done =
            Table::new(name, "Screen", &COLUMNS, &mut layout).stick_to_end().show(ui, &mut Lines(&lines));
        scene.put_layout(name, layout);
        if let Some(line) = done.opened.and_then(|row| lines.get(row)) {
            scene.ask(Action::Copy(line.text.clone(), "Line"));
        }
    }
}

struct Lines<'a>(&'a [&'a ScreenLine]);

impl Rows for Lines<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn key(&self, row: usize) -> u64 {
        row as u64
    }

    fn sentence(&self, row: usize) -> String {
        format!("{} {}", format::clock(self.0[row].unix_millis), self.0[row].text)
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let line = self.0[row];
        let look = cell.look();
        match column {
            "time" => cell.mono(&format::clock(line.unix_millis)),
            "text" if line.note => cell.colored(&line.text, look.accent),
            "text" => cell.text(&line.text),
            _ => {}
        }
    }
}
