//! Numbers of a form that may be left out: limits, counts, ratios, spans of time, and minutes of a day. Each answers whether it
//! is settled, rather than being typed or dragged.

use eframe::egui::{self, DragValue, Response, Ui};

use crate::gui::widgets::{field, format};

/// A number that can be switched off, in which case `none` is said.
fn optional<T: Copy>(
    ui: &mut Ui,
    label: &str,
    none: &str,
    value: &mut Option<T>,
    usual: T,
    edit: impl FnOnce(&mut Ui, &mut T) -> Response,
) -> bool {
    field::row(ui, label, |ui| {
        let mut on = value.is_some();
        let name = format!("{label} on");
        if ui.add(egui::Checkbox::without_text(&mut on)).accessible_name(name).changed() {
            *value = on.then_some(usual);
        }
        let Some(value) = value else {
            field::note(ui, none);
            return true;
        };
        is_settled(&edit(ui, value))
    })
}

fn is_settled(response: &Response) -> bool {
    !(response.dragged() || response.has_focus())
}

/// A limit in bytes per second, shown in KiB/s.
pub(crate) fn limit(ui: &mut Ui, label: &str, limit: &mut Option<u64>) -> bool {
    optional(ui, label, "No limit", limit, 1024 * 1024, |ui, bytes| {
        let mut kib = (*bytes / 1024).max(1);
        let response = ui.add(DragValue::new(&mut kib).range(1..=10_000_000).speed(8.0).suffix(" KiB/s"));
        if response.changed() {
            *bytes = kib * 1024;
        }
        response
    })
}

/// How many at most.
pub(crate) fn count(ui: &mut Ui, label: &str, count: &mut Option<u32>, usual: u32) -> bool {
    optional(ui, label, "As many as there are", count, usual, |ui, count| {
        ui.add(DragValue::new(count).range(0..=100_000).speed(0.2))
    })
}

/// A ratio.
pub(crate) fn ratio(ui: &mut Ui, label: &str, none: &str, ratio: &mut Option<f32>) -> bool {
    optional(ui, label, none, ratio, 2.0, |ui, ratio| {
        ui.add(DragValue::new(ratio).range(0.0..=10_000.0).speed(0.02).max_decimals(2))
    })
}

/// A span of time in seconds, shown in minutes.
pub(crate) fn span(ui: &mut Ui, label: &str, none: &str, secs: &mut Option<u64>, usual: u64) -> bool {
    optional(ui, label, none, secs, usual, |ui, secs| {
        let mut minutes = secs.div_ceil(60).max(1);
        let response = ui.add(DragValue::new(&mut minutes).range(1..=5_256_000).speed(1.0).suffix(" min"));
        if response.changed() {
            *secs = minutes * 60;
        }
        if *secs > 5_400 {
            field::note(ui, &format!("which is {}", format::span(*secs)));
        }
        response
    })
}

/// A minute of the day, shown as a clock does.
pub(crate) fn minute(ui: &mut Ui, label: &str, minute: &mut u16) -> bool {
    let shown = |minute: f64, _: std::ops::RangeInclusive<usize>| {
        let minute = minute as u16;
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    field::row(ui, label, |ui| {
        let value = DragValue::new(minute).range(0..=1_439).speed(5.0);
        is_settled(&ui.add(value.custom_formatter(shown).custom_parser(parse_minute)))
    })
}

/// Reads `22:30`, or an hour alone.
fn parse_minute(text: &str) -> Option<f64> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| f64::from(hour * 60 + minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_read_as_they_are_shown() {
        assert_eq!(parse_minute("22:30"), Some(1_350.0));
        assert_eq!(parse_minute(" 6 "), Some(360.0));
        assert_eq!((parse_minute("24:00"), parse_minute("1:60"), parse_minute("x")), (None, None, None));
    }
}
