//! Buttons with an icon, in the kinds that the window knows.

use eframe::egui::{
    self, Color32, CornerRadius, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2,
};

use crate::gui::theme::{self, Look};
use crate::gui::widgets::icon::Icon;

/// How much a button asks to be pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The one thing to do here.
    Main,
    /// One of several.
    Plain,
    /// Seldom needed: no frame until the pointer is over it.
    Quiet,
    /// Destroys something.
    Danger,
}

/// A button: icon, text, or both. What is shown as an icon alone is read out and shown in a tip by its label.
#[derive(Clone, Copy)]
pub(crate) struct Push<'a> {
    label: &'a str,
    icon: Option<Icon>,
    kind: Kind,
    icon_only: bool,
    tip: Option<&'a str>,
    enabled: bool,
    chosen: bool,
    role: Role,
}

impl<'a> Push<'a> {
    /// A plain button.
    pub(crate) const fn new(label: &'a str) -> Self {
        let (icon, kind, tip) = (None, Kind::Plain, None);
        Self { label, icon, kind, icon_only: false, tip, enabled: true, chosen: false, role: Role::Button }
    }

    /// A quiet button of an icon alone.
    pub(crate) const fn icon(icon: Icon, label: &'a str) -> Self {
        let (kind, tip) = (Kind::Quiet, None);
        Self {
            label,
            icon: Some(icon),
            kind,
            icon_only: true,
            tip,
            enabled: true,
            chosen: false,
            role: Role::Button,
        }
    }

    /// With an icon before the text.
    pub(crate) const fn with(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// As another kind.
    pub(crate) const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// With a tip that says more than the label.
    pub(crate) const fn tip(mut self, tip: &'a str) -> Self {
        self.tip = Some(tip);
        self
    }

    /// Only to be pressed where this holds.
    pub(crate) const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// As one of several tabs.
    pub(crate) const fn tab(mut self, chosen: bool) -> Self {
        (self.kind, self.role) = (Kind::Quiet, Role::Tab);
        self.chosen(chosen)
    }

    /// Shown as the chosen one of several.
    pub(crate) const fn chosen(mut self, chosen: bool) -> Self {
        self.chosen = chosen;
        self
    }

    /// Puts it there.
    pub(crate) fn show(self, ui: &mut Ui) -> Response {
        let enabled = self.enabled;
        // Straight into the row where that can be, so that a row that wraps does so before it.
        let response =
            if enabled { self.draw(ui) } else { ui.add_enabled_ui(false, |ui| self.draw(ui)).inner };
        let tip = match (self.tip, self.icon_only) {
            (Some(tip), _) => tip,
            (None, true) => self.label,
            (None, false) => return response,
        };
        if enabled { response.on_hover_text(tip) } else { response.on_disabled_hover_text(tip) }
    }

    fn draw(self, ui: &mut Ui) -> Response {
        const ICON: f32 = 17.0;
        let look = theme::look(ui);
        let font = egui::TextStyle::Button.resolve(ui.style());
        let galley = (!self.icon_only)
            .then(|| ui.painter().layout_no_wrap(self.label.to_owned(), font, Color32::PLACEHOLDER));
        let text_width = galley.as_ref().map_or(0.0, |galley| galley.size().x);
        let inner = match (self.icon, &galley) {
            (Some(_), Some(_)) => ICON + 8.0 + text_width,
            (Some(_), None) => ICON,
            _ => text_width,
        };
        let padding = if self.icon_only { (theme::CONTROL - ICON) / 2.0 } else { 13.0 };
        let (rect, response) =
            ui.allocate_exact_size(vec2(inner + 2.0 * padding, theme::CONTROL), Sense::click());
        response.widget_info(|| match (self.chosen, self.role) {
            (true, _) | (_, Role::Tab) => {
                WidgetInfo::selected(self.role, ui.is_enabled(), self.chosen, self.label)
            }
            _ => WidgetInfo::labeled(self.role, ui.is_enabled(), self.label),
        });
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let (fill, text, outline) = self.colors(look, &response);
        let radius = CornerRadius::same(theme::RADIUS);
        let painter = ui.painter();
        painter.rect(rect, radius, fill, Stroke::new(1.0, outline), StrokeKind::Inside);
        if response.has_focus() {
            let ring = if self.kind == Kind::Main { look.text } else { look.accent };
            painter.rect_stroke(rect, radius, Stroke::new(2.0, ring), StrokeKind::Inside);
        }
        let mut x = rect.left() + padding;
        if let Some(icon) = self.icon {
            let place =
                Rect::from_min_size(egui::pos2(x, rect.center().y - ICON / 2.0).round(), vec2(ICON, ICON));
            icon.paint(painter, place, text);
            x += ICON + 8.0;
        }
        if let Some(galley) = galley {
            let y = rect.center().y - galley.size().y / 2.0;
            painter.galley(egui::pos2(x, y), galley, text);
        }
        response
    }

    fn colors(self, look: &Look, response: &Response) -> (Color32, Color32, Color32) {
        let over = response.hovered() || response.is_pointer_button_down_on();
        match self.kind {
            Kind::Main => {
                let fill = if over { look.accent_hover } else { look.accent };
                (fill, look.on_accent, fill)
            }
            Kind::Danger => (look.bad, look.on_bad, if over { look.text } else { look.bad }),
            _ if self.chosen => (look.chosen, look.text, look.chosen),
            Kind::Plain if over => (look.button_hover, look.text, look.weak),
            Kind::Plain => (look.button, look.text, look.outline),
            Kind::Quiet if over => (look.button_hover, look.text, Color32::TRANSPARENT),
            Kind::Quiet => (Color32::TRANSPARENT, look.text, Color32::TRANSPARENT),
        }
    }
}
