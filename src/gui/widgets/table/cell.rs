//! Drawing into one cell.

use std::hash::Hash;

use eframe::egui::{
    self, Align, Color32, FontId, Layout, Rect, TextStyle, Ui, UiBuilder,
    text::{LayoutJob, TextWrapping},
};

use crate::gui::theme::{self, Look};
use crate::gui::widgets::bar;
use crate::gui::widgets::icon::Icon;

/// One cell about to be drawn.
pub(crate) struct Cell<'a> {
    ui: &'a mut Ui,
    rect: Rect,
    right: bool,
    salt: egui::IdSalt,
    elided: Option<String>,
}

impl<'a> Cell<'a> {
    pub(super) fn new(ui: &'a mut Ui, rect: Rect, right: bool, salt: impl Hash + std::fmt::Debug) -> Self {
        Self { ui, rect, right, salt: egui::IdSalt::new(format!("{salt:?}")), elided: None }
    }

    /// The full text, where it did not fit.
    pub(super) fn into_elided(self) -> Option<String> {
        self.elided
    }

    /// The colours in force.
    pub(crate) fn look(&self) -> &'static Look {
        theme::look(self.ui)
    }

    /// Text in the usual colour.
    pub(crate) fn text(&mut self, text: &str) {
        self.colored(text, self.look().text);
    }

    /// Text that is read second.
    pub(crate) fn weak(&mut self, text: &str) {
        self.colored(text, self.look().weak);
    }

    /// Text in a colour.
    pub(crate) fn colored(&mut self, text: &str, color: Color32) {
        self.paint(text, TextStyle::Body, color);
    }

    /// Text in letters of one width.
    pub(crate) fn mono(&mut self, text: &str) {
        self.paint(text, TextStyle::Monospace, self.look().text);
    }

    /// An icon before the text.
    pub(crate) fn icon(&mut self, icon: Icon, color: Color32) {
        let side = 16.0;
        let place = Rect::from_min_size(
            egui::pos2(self.rect.left(), self.rect.center().y - side / 2.0),
            egui::vec2(side, side),
        );
        icon.paint(self.ui.painter(), place, color);
        self.rect.min.x += side + 8.0;
    }

    /// A bar of progress with a text in it.
    pub(crate) fn bar(&mut self, part: f32, color: Color32, text: &str) {
        let rect = Rect::from_center_size(self.rect.center(), egui::vec2(self.rect.width(), 18.0));
        bar::paint_progress(self.ui, rect, part, color, text);
    }

    /// Anything else.
    pub(crate) fn add<R>(&mut self, content: impl FnOnce(&mut Ui) -> R) -> R {
        let layout = match self.right {
            true => Layout::right_to_left(Align::Center),
            false => Layout::left_to_right(Align::Center),
        };
        let builder = UiBuilder::new().id_salt(self.salt).max_rect(self.rect).layout(layout);
        let mut ui = self.ui.new_child(builder);
        ui.shrink_clip_rect(self.rect);
        content(&mut ui)
    }

    fn paint(&mut self, text: &str, style: TextStyle, color: Color32) {
        if text.is_empty() || self.rect.width() < 4.0 {
            return;
        }
        let font: FontId = style.resolve(self.ui.style());
        let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
        job.wrap = TextWrapping::truncate_at_width(self.rect.width());
        let galley = self.ui.painter().layout_job(job);
        if galley.elided {
            self.elided = Some(text.to_owned());
        }
        let size = galley.size();
        let x = if self.right { self.rect.right() - size.x } else { self.rect.left() };
        let y = self.rect.center().y - size.y / 2.0;
        self.ui.painter().galley(egui::pos2(x, y), galley, color);
    }
}
