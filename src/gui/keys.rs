//! The keyboard: every shortcut of the window in one table, which the help shows and the window obeys.

use eframe::egui::{self, Key, KeyboardShortcut, Modifiers, RichText};

use crate::gui::panels::Panel;
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::dialog;

/// What a shortcut of the whole window does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortcut {
    Upload,
    Download,
    Details,
    Help,
    Gauge,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    Quit,
    Show(Panel),
}

const fn keys(modifiers: Modifiers, key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(modifiers, key)
}

/// Every shortcut of the whole window, with what the help says about it.
const TABLE: [(Shortcut, KeyboardShortcut, &str); 18] = [
    (Shortcut::Upload, keys(Modifiers::COMMAND, Key::N), "Upload a file or folder"),
    (Shortcut::Download, keys(Modifiers::COMMAND, Key::O), "Open a .torrent file or magnet link"),
    (Shortcut::Details, keys(Modifiers::COMMAND, Key::D), "Show or hide the details"),
    (Shortcut::Help, keys(Modifiers::NONE, Key::F1), "This list"),
    (Shortcut::Gauge, keys(Modifiers::NONE, Key::F12), "What a frame costs"),
    (Shortcut::ZoomIn, keys(Modifiers::COMMAND, Key::Plus), "Everything larger"),
    (Shortcut::ZoomIn, keys(Modifiers::COMMAND, Key::Equals), ""),
    (Shortcut::ZoomOut, keys(Modifiers::COMMAND, Key::Minus), "Everything smaller"),
    (Shortcut::ZoomReset, keys(Modifiers::COMMAND, Key::Num0), "Everything as it was"),
    (Shortcut::Quit, keys(Modifiers::COMMAND, Key::Q), "Close the program"),
    (Shortcut::Show(Panel::Peer), keys(Modifiers::COMMAND, Key::Num1), "Peer"),
    (Shortcut::Show(Panel::Coordinator), keys(Modifiers::COMMAND, Key::Num2), "Coordinator"),
    (Shortcut::Show(Panel::Trackers), keys(Modifiers::COMMAND, Key::Num3), "Trackers"),
    (Shortcut::Show(Panel::Index), keys(Modifiers::COMMAND, Key::Num4), "Index"),
    (Shortcut::Show(Panel::Statistics), keys(Modifiers::COMMAND, Key::Num5), "Statistics"),
    (Shortcut::Show(Panel::Lab), keys(Modifiers::COMMAND, Key::Num6), "Lab"),
    (Shortcut::Show(Panel::Settings), keys(Modifiers::COMMAND, Key::Num7), "Settings"),
    (Shortcut::Show(Panel::Log), keys(Modifiers::COMMAND, Key::Num8), "Log"),
];

/// Keys of the list, which obeys them itself.
const IN_THE_LIST: [(&str, &str); 10] = [
    ("Up, Down, Page, Home, End", "Choose; with Shift, a range"),
    ("Space", "Pause or resume"),
    ("Delete", "Remove…"),
    ("Enter", "Open the folder"),
    ("F5", "Ask the trackers now"),
    ("Ctrl+R", "Recheck the files"),
    ("Ctrl+A", "Choose all"),
    ("Ctrl+C", "Copy the magnet link"),
    ("Ctrl+V", "Add what was copied elsewhere"),
    ("Ctrl+F", "Search"),
];

/// The shortcuts pressed since the last frame.
pub(crate) fn pressed(ctx: &egui::Context) -> Vec<Shortcut> {
    ctx.input_mut(|input| {
        TABLE
            .iter()
            .filter(|(_, keys, _)| input.consume_shortcut(keys))
            .map(|(shortcut, ..)| *shortcut)
            .collect()
    })
}

/// The list of shortcuts; false once it is closed.
pub(crate) fn help(ctx: &egui::Context) -> bool {
    let shown = dialog::show(
        ctx,
        "Keyboard",
        460.0,
        |ui| {
            let look = theme::look(ui);
            egui::Grid::new("shortcuts").num_columns(2).spacing([24.0, 5.0]).show(ui, |ui| {
                let mut row = |keys: &str, text: &str| {
                    ui.label(RichText::new(keys).monospace());
                    ui.label(RichText::new(text).color(look.weak));
                    ui.end_row();
                };
                for (_, keys, text) in TABLE.iter().filter(|(_, _, text)| !text.is_empty()) {
                    row(&ctx.format_shortcut(keys), text);
                }
                for (keys, text) in IN_THE_LIST {
                    row(keys, text);
                }
            });
        },
        |ui| Push::new("Close").show(ui).clicked(),
    );
    !(shown.inner || shown.closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_shortcuts_share_their_keys() {
        for (at, (_, keys, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[..at].iter().all(|(_, other, _)| other != keys), "{keys:?}");
        }
        for panel in Panel::ALL {
            assert!(TABLE.iter().any(|(shortcut, ..)| *shortcut == Shortcut::Show(panel)), "{panel:?}");
        }
    }
}
