//! Bars: progress with its text, and the pieces of a torrent.

use eframe::egui::{self, Color32, CornerRadius, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::gui::theme;
use crate::gui::widgets::format;

/// Draws progress into a rectangle; the text stands in the middle, in the colour that can be read on what is under it.
pub(crate) fn paint_progress(ui: &Ui, rect: Rect, part: f32, color: Color32, text: &str) {
    let look = theme::look(ui);
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    let painter = ui.painter();
    let radius = CornerRadius::same((rect.height() / 2.0).min(5.0) as u8);
    painter.rect_filled(rect, radius, look.trough);
    let mut filled = rect;
    filled.set_width(rect.width() * part);
    if part > 0.0 {
        // Clipped instead of narrowed, so that a short bar keeps the round end.
        painter.with_clip_rect(filled.intersect(ui.clip_rect())).rect_filled(rect, radius, color);
    }
    if text.is_empty() {
        return;
    }
    let font = egui::TextStyle::Small.resolve(ui.style());
    let galley = painter.layout_no_wrap(text.to_owned(), font, look.text);
    let place = rect.center() - galley.size() / 2.0;
    painter.galley(place, galley.clone(), look.text);
    painter.with_clip_rect(filled.intersect(ui.clip_rect())).galley_with_override_text_color(
        place,
        galley,
        look.on_accent,
    );
}

/// A bar of progress over the available width.
pub(crate) fn progress(ui: &mut Ui, part: f32, label: &str) -> Response {
    let look = theme::look(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, label);
    info.value = Some(f64::from((part.clamp(0.0, 1.0) * 1_000.0).round() / 10.0));
    response.widget_info(|| info.clone());
    paint_progress(ui, rect, part, look.accent, &format::percent(part));
    response
}

/// The pieces of a torrent from left to right: how much of each part is there, and how many peers have it.
pub(crate) fn pieces(ui: &mut Ui, there: &[u8], availability: &[u8], piece_count: u32) -> Response {
    let look = theme::look(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::hover());
    let whole = there.iter().filter(|&&part| part == 255).count();
    let label = format!(
        "Pieces: {} of {} parts complete, {} pieces in all",
        whole,
        there.len(),
        format::grouped(u64::from(piece_count))
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &label));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let split = rect.top() + 26.0;
    let upper = Rect::from_min_max(rect.min, pos2(rect.right(), split));
    let lower = Rect::from_min_max(pos2(rect.left(), split + 3.0), rect.max);
    strip(ui, upper, there, look.trough, look.accent, 255);
    let most = availability.iter().copied().max().unwrap_or(0).max(1);
    strip(ui, lower, availability, look.trough, look.good, most);
    let Some(pointer) = response.hover_pos() else { return response };
    let at = ((pointer.x - rect.left()) / rect.width()).clamp(0.0, 0.999);
    let value = |parts: &[u8]| parts.get((at * parts.len() as f32) as usize).copied().unwrap_or(0);
    let first = (f64::from(at) * f64::from(piece_count)) as u32;
    response.on_hover_text_at_pointer(format!(
        "Around piece {}: {} here, {} with connected peers",
        format::grouped(u64::from(first)),
        format::percent(f32::from(value(there)) / 255.0),
        format::counted(u64::from(value(availability)), "copy", "copies"),
    ))
}

/// One line of parts, runs of equal parts drawn as one.
fn strip(ui: &Ui, rect: Rect, parts: &[u8], none: Color32, all: Color32, most: u8) {
    let painter = ui.painter();
    painter.rect_filled(rect, 3.0, none);
    let x = |index: usize| rect.left() + rect.width() * index as f32 / parts.len().max(1) as f32;
    let mut begin = 0;
    while begin < parts.len() {
        let value = parts[begin];
        let end = begin + parts[begin..].iter().take_while(|&&part| part == value).count();
        if value > 0 {
            let color = none.lerp_to_gamma(all, 0.25 + 0.75 * f32::from(value) / f32::from(most));
            let run = Rect::from_min_max(pos2(x(begin), rect.top()), pos2(x(end), rect.bottom()));
            painter.rect_filled(run, 0.0, color);
        }
        begin = end;
    }
}
