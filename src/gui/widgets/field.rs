//! Rows of a form, fields to search with, and facts.

use std::path::{Path, PathBuf};

use eframe::egui::{self, Margin, Response, RichText, TextEdit, Ui, vec2};

use crate::gui::theme;
use crate::gui::widgets::icon::Icon;

/// Width of the labels of a form.
const LABEL: f32 = 150.0;
/// How high the line of a known thing is.
const FACT: f32 = 20.0;

/// A field of one line, as high as the buttons.
pub(crate) fn line(ui: &mut Ui, text: &mut String, label: &str, hint: &str, width: f32) -> Response {
    let edit = TextEdit::singleline(text)
        .hint_text(hint.to_owned())
        .desired_width(width)
        .margin(Margin::symmetric(8, 6))
        .align(egui::Align2::LEFT_CENTER)
        .min_size(vec2(0.0, theme::CONTROL));
    ui.add(edit).accessible_name(label)
}

/// A field of several lines.
pub(crate) fn lines(ui: &mut Ui, text: &mut String, label: &str, hint: &str) -> Response {
    let edit = TextEdit::multiline(text)
        .hint_text(hint.to_owned())
        .desired_width(f32::INFINITY)
        .desired_rows(2)
        .margin(Margin::symmetric(8, 6));
    ui.add(edit).accessible_name(label)
}

/// A field to search with, by a magnifying glass.
pub(crate) fn search(ui: &mut Ui, text: &mut String, label: &str, hint: &str, width: f32) -> Response {
    let look = theme::look(ui);
    let edit = TextEdit::singleline(text)
        .hint_text(hint.to_owned())
        .desired_width(width - 38.0)
        .margin(Margin { left: 30, right: 8, top: 6, bottom: 6 })
        .align(egui::Align2::LEFT_CENTER)
        .min_size(vec2(0.0, theme::CONTROL));
    let response = ui.add(edit).accessible_name(label);
    let place = egui::Rect::from_center_size(
        egui::pos2(response.rect.left() + 17.0, response.rect.center().y),
        vec2(15.0, 15.0),
    );
    Icon::Search.paint(ui.painter(), place, look.weak);
    response
}

/// The choice of a piece size: automatic, or a power of two.
pub(crate) fn piece_size(ui: &mut Ui, length: &mut Option<u32>) {
    let name = |length: Option<u32>| match length {
        None => "Automatic".to_owned(),
        Some(length) if length >= 1 << 20 => format!("{} MiB", length >> 20),
        Some(length) => format!("{} KiB", length >> 10),
    };
    egui::ComboBox::from_id_salt("piece size").selected_text(name(*length)).show_ui(ui, |ui| {
        for choice in std::iter::once(None).chain((14..=24).map(|power| Some(1 << power))) {
            ui.selectable_value(length, choice, name(choice));
        }
    });
}

/// One row of a form: a label, which names its inputs, and what stands behind it.
pub(crate) fn row<R>(ui: &mut Ui, label: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    ui.horizontal(|ui| {
        let look = theme::look(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(LABEL, theme::CONTROL), egui::Sense::hover());
        let name = ui.place(rect, Left(RichText::new(label).color(look.weak)));
        ui.label_inputs_by(name.id, content)
    })
    .inner
}

/// A label at the left of the room it is given.
struct Left(RichText);

impl egui::Widget for Left {
    fn ui(self, ui: &mut Ui) -> Response {
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            ui.add(egui::Label::new(self.0).truncate())
        })
        .inner
    }
}

/// One known thing: what it is, and the value, which can be selected.
pub(crate) fn fact(ui: &mut Ui, label: &str, value: impl Into<String>) -> Response {
    ui.horizontal(|ui| {
        known(ui, label);
        ui.add(egui::Label::new(value.into()).selectable(true).truncate())
    })
    .inner
}

/// One known thing that is said in sentences, which take as many lines as they need.
pub(crate) fn said(ui: &mut Ui, label: &str, sentences: &str) -> Response {
    ui.horizontal_top(|ui| {
        known(ui, label);
        ui.vertical(|ui| {
            let line = ui.text_style_height(&egui::TextStyle::Body);
            ui.add_space((FACT - line) / 2.0);
            ui.add(egui::Label::new(sentences).selectable(true).wrap())
        })
        .inner
    })
    .inner
}

/// What it is that is known.
fn known(ui: &mut Ui, label: &str) {
    let look = theme::look(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(LABEL, FACT), egui::Sense::hover());
    ui.place(rect, Left(RichText::new(label).color(look.weak)));
}

/// The heading of a group.
pub(crate) fn heading(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).strong().size(15.0));
}

/// Text that is read second.
pub(crate) fn note(ui: &mut Ui, text: &str) -> Response {
    let look = theme::look(ui);
    ui.add(egui::Label::new(RichText::new(text).color(look.weak).small()).wrap())
}

/// A note in a colour, with an icon before it.
pub(crate) fn remark(ui: &mut Ui, icon: Icon, color: egui::Color32, text: &str) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(17.0, 17.0), egui::Sense::hover());
        icon.paint(ui.painter(), rect, color);
        ui.scope(|ui| {
            ui.set_width(ui.available_width());
            ui.add(egui::Label::new(RichText::new(text).color(color)).wrap());
        });
    });
}

/// What a user typed as a path: `~` is the home folder, and quotes and `file://` around it are taken off.
pub(crate) fn path(text: &str) -> PathBuf {
    let text = text.trim().trim_matches(|mark| mark == '"' || mark == '\'');
    let text = text.strip_prefix("file://").unwrap_or(text);
    match text.strip_prefix('~').map(|rest| rest.trim_start_matches(['/', '\\'])) {
        Some(rest) => std::env::home_dir().map_or_else(|| PathBuf::from(text), |home| home.join(rest)),
        None => PathBuf::from(text),
    }
}

/// Whether a path is that of a .torrent file.
pub(crate) fn is_torrent(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("torrent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_paths_are_understood() {
        assert_eq!(path(" '/a b' "), PathBuf::from("/a b"));
        assert_eq!(path("file:///tmp/x"), PathBuf::from("/tmp/x"));
        assert!(path("~/x").ends_with("x") && !path("~/x").starts_with("~"));
        assert!(is_torrent(Path::new("a.TORRENT")) && !is_torrent(Path::new("torrent")));
    }
}
