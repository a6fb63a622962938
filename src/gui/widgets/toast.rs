//! Short messages in the corner: what went well disappears, what went wrong stays until it is read.

use eframe::egui::{self, Align2, Id, Label, Margin, Order, Role, Sense, Stroke, Ui, UiBuilder, vec2};

use crate::api::Level;
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;

/// Messages shown at the same time; older ones give way and stay in the log.
const MOST: usize = 4;
/// Seconds that good news stays.
const STAY: f64 = 6.0;

struct Toast {
    number: u64,
    level: Level,
    text: String,
    until: Option<f64>,
}

/// The messages being shown.
#[derive(Default)]
pub(crate) struct Toasts {
    shown: Vec<Toast>,
    count: u64,
}

impl Toasts {
    /// Shows a message from now on; the same message twice is shown once.
    pub(crate) fn say(&mut self, level: Level, text: impl Into<String>, now: f64) {
        let text = text.into();
        self.shown.retain(|toast| toast.text != text);
        self.count += 1;
        let until = (level <= Level::Info).then_some(now + STAY);
        self.shown.push(Toast { number: self.count, level, text, until });
        if self.shown.len() > MOST {
            self.shown.remove(0);
        }
    }

    /// Draws what is to be shown, and asks for the frame in which the next one goes.
    pub(crate) fn show(&mut self, ctx: &egui::Context, now: f64) {
        self.shown.retain(|toast| toast.until.is_none_or(|until| now < until));
        if self.shown.is_empty() {
            return;
        }
        if let Some(next) = self.shown.iter().filter_map(|toast| toast.until).reduce(f64::min) {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64((next - now).max(0.01)));
        }
        let mut closed = None;
        egui::Area::new(Id::unique("messages"))
            .anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -44.0))
            .order(Order::Tooltip)
            .show(ctx, |ui| {
                ui.spacing_mut().item_spacing.y = theme::GAP;
                for toast in &self.shown {
                    if toast.show(ui) {
                        closed = Some(toast.number);
                    }
                }
            });
        if let Some(number) = closed {
            self.shown.retain(|toast| toast.number != number);
        }
    }
}

impl Toast {
    fn show(&self, ui: &mut Ui) -> bool {
        let look = theme::look(ui);
        let (icon, color) = match self.level {
            Level::Debug | Level::Info => (Icon::Check, look.good),
            Level::Warning => (Icon::Warning, look.warn),
            Level::Error => (Icon::Warning, look.bad),
        };
        let width = 380.0_f32.min(ui.ctx().content_rect().width() - 60.0);
        let builder = UiBuilder::new()
            .id_salt(self.number)
            .accessibility_role(if self.level >= Level::Warning { Role::Alert } else { Role::Status })
            .accessibility_label(&self.text);
        ui.scope_builder(builder, |ui| {
            egui::Frame::new()
                .fill(look.card)
                .stroke(Stroke::new(1.0, color))
                .corner_radius(theme::CARD_RADIUS)
                .shadow(ui.visuals().popup_shadow)
                .inner_margin(Margin::symmetric(14, 10))
                .show(ui, |ui| {
                    ui.set_width(width);
                    ui.horizontal(|ui| {
                        let (rect, _) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
                        icon.paint(ui.painter(), rect, color);
                        let text = ui.available_width() - theme::CONTROL - theme::GAP;
                        ui.scope(|ui| {
                            ui.set_width(text);
                            ui.add(Label::new(&self.text).wrap());
                        });
                        Push::icon(Icon::Close, "Dismiss").show(ui).clicked()
                    })
                    .inner
                })
                .inner
        })
        .inner
    }
}
