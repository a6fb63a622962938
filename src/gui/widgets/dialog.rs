//! Dialogs over the window: a card in its middle that is closed by Escape, never by a stray click.

use eframe::egui::{self, Id, Key, Margin, Modifiers, RichText, Role, Ui, UiBuilder, vec2};

use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::icon::Icon;

/// What became of a dialog in this frame.
pub(crate) struct Shown<R> {
    /// What its content returned.
    pub inner: R,
    /// Whether the user closed it without choosing.
    pub closed: bool,
}

/// Whether Enter was pressed for the dialog as a whole: neither for a control that has the keyboard nor by a key held down.
pub(crate) fn entered(ui: &Ui) -> bool {
    let fresh = |event: &egui::Event| match event {
        egui::Event::Key { key: Key::Enter, pressed, repeat, modifiers, .. } => {
            *pressed && !repeat && modifiers.is_none()
        }
        _ => false,
    };
    ui.memory(|memory| memory.focused().is_none()) && ui.input(|input| input.events.iter().any(fresh))
}

/// Shows a dialog: title, content that scrolls where it is too high, and a row of buttons that never does.
pub(crate) fn show<R>(
    ctx: &egui::Context,
    title: &str,
    width: f32,
    content: impl FnOnce(&mut Ui),
    buttons: impl FnOnce(&mut Ui) -> R,
) -> Shown<R> {
    let look = theme::of(ctx.theme() == egui::Theme::Dark);
    let room = ctx.content_rect();
    let frame = egui::Frame::new()
        .fill(look.card)
        .stroke(egui::Stroke::new(1.0, look.line))
        .corner_radius(theme::CARD_RADIUS)
        .shadow(ctx.global_style().visuals.window_shadow)
        .inner_margin(Margin::same(20));
    let id = Id::unique(("dialog", title));
    let modal = egui::Modal::new(id).backdrop_color(look.veil).frame(frame);
    let shown = modal.show(ctx, |ui| {
        let builder = UiBuilder::new().accessibility_role(Role::Dialog).accessibility_label(title);
        ui.scope_builder(builder, |ui| {
            ui.set_width(width.min(room.width() - 56.0));
            let mut closed = false;
            ui.horizontal(|ui| {
                ui.label(RichText::new(title).heading().size(18.0));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    closed = Push::icon(Icon::Close, "Close").show(ui).clicked();
                });
            });
            ui.add_space(4.0);
            egui::ScrollArea::vertical()
                .max_height((room.height() - 190.0).max(120.0))
                .auto_shrink([false, true])
                .show(ui, content);
            ui.add_space(theme::GAP);
            let inner = ui
                .allocate_ui_with_layout(
                    vec2(ui.available_width(), theme::CONTROL),
                    egui::Layout::right_to_left(egui::Align::Center),
                    buttons,
                )
                .inner;
            (inner, closed)
        })
        .inner
    });
    // It is placed by the size that it had; where that has changed, it moves in the next frame.
    let size = shown.response.rect.size();
    let last = ctx.data_mut(|data| std::mem::replace(data.get_temp_mut_or_default::<egui::Vec2>(id), size));
    if last != size {
        ctx.request_repaint();
    }
    let escape = shown.is_top_modal
        && !shown.any_popup_open
        && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    let (inner, closed) = shown.inner;
    Shown { inner, closed: closed || escape }
}
