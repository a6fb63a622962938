//! The screen of one part of the network: its log in sentences, newest last, with the buttons that write on it.

use eframe::egui::{Key, Role, Ui, UiBuilder};

use crate::api::{Command, NetworkCommand, Part, Question, ScreenLine, ScreenView};
use crate::gui::details::empty;
use crate::gui::scene::{Action, Scene};
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::table::{Cell, Column, Rows, Table};
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 2] = [
    Column::text("time", "Time (UTC)", 80.0).unsorted(),
    Column::text("text", "What happened", 300.0).growing().unsorted(),
];

/// Letters of a note; the screen has lines, not pages.
const NOTE: usize = 200;

/// A button that asks something: the question, its name, and its tip.
pub(in crate::gui::panels) type Asks = [(Question, &'static str, &'static str)];

/// A screen, and the note that is being written for it.
#[derive(Default)]
pub(in crate::gui::panels) struct ScreenPane {
    note: String,
}

impl ScreenPane {
    /// Draws the screen of a part into all the room there is, with buttons for what can be asked.
    pub(in crate::gui::panels) fn ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        part: Part,
        screen: &ScreenView,
        asks: &Asks,
    ) {
        let builder = UiBuilder::new().accessibility_role(Role::Region).accessibility_label(spoken(part));
        ui.scope_builder(builder, |ui| self.content(ui, scene, part, screen, asks));
    }

    fn content(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, part: Part, screen: &ScreenView, asks: &Asks) {
        ui.horizontal(|ui| {
            field::heading(ui, "Screen");
            for (question, name, tip) in asks {
                if Push::new(name).tip(tip).show(ui).clicked() {
                    ask(scene, NetworkCommand::Ask(*question));
                }
            }
            if part == Part::Coordinator {
                let tip = "Lets people write notes on this screen, or stops them";
                if Push::new("Enable").chosen(screen.notes).tip(tip).show(ui).clicked() {
                    ask(scene, NetworkCommand::AllowNotes { part, on: !screen.notes });
                }
            }
            let push = Push::new("Clear").tip("Empties this screen; the log keeps everything");
            if push.enabled(!screen.lines.is_empty()).show(ui).clicked() {
                ask(scene, NetworkCommand::Clear(part));
            }
            if screen.notes {
                self.note(ui, scene, part);
            }
        });
        if screen.lines.is_empty() {
            empty(ui, "Nothing has happened here yet.");
            return;
        }
        let name = name(part);
        let mut layout = scene.take_layout(name);
        let done = Table::new(name, "Screen", &COLUMNS, &mut layout)
            .stick_to_end()
            .show(ui, &mut Lines(&screen.lines));
        scene.put_layout(name, layout);
        if let Some(line) = done.opened.and_then(|row| screen.lines.get(row)) {
            scene.ask(Action::Copy(line.text.clone(), "Line"));
        }
    }

    fn note(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, part: Part) {
        let width = (ui.available_width() - 84.0 - theme::GAP).clamp(120.0, 320.0);
        let edit = field::line(ui, &mut self.note, "Note", "A note for this screen", width);
        let entered = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let text: String = self.note.trim().chars().take(NOTE).collect();
        let written = Push::new("Write").enabled(!text.is_empty()).show(ui).clicked();
        if (written || entered) && !text.is_empty() {
            ask(scene, NetworkCommand::Note { part, text });
            self.note.clear();
        }
    }
}

/// Asks the network for something.
pub(in crate::gui::panels) fn ask(scene: &mut Scene<'_>, command: NetworkCommand) {
    scene.send(Command::Network(command));
}

const fn spoken(part: Part) -> &'static str {
    match part {
        Part::Coordinator => "Coordinator screen",
        Part::Tracker => "Tracker screen",
        Part::Peer => "Peer screen",
        Part::Index => "Index screen",
        Part::Statistics => "Statistics screen",
    }
}

/// What its table's layout goes by.
const fn name(part: Part) -> &'static str {
    match part {
        Part::Coordinator => "coordinator screen",
        Part::Tracker => "tracker screen",
        Part::Peer => "peer screen",
        Part::Index => "index screen",
        Part::Statistics => "statistics screen",
    }
}

struct Lines<'a>(&'a [ScreenLine]);

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
        let line = &self.0[row];
        let look = cell.look();
        match column {
            "time" => cell.mono(&format::clock(line.unix_millis)),
            "text" if line.note => cell.colored(&line.text, look.accent),
            "text" => cell.text(&line.text),
            _ => {}
        }
    }
}
