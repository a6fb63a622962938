//! Rates over time: the last samples kept, and drawn.

use std::collections::VecDeque;

use eframe::egui::{self, Color32, Role, Ui, WidgetInfo};
use egui_plot::{Corner, Legend, Line, Plot, PlotPoints};

use crate::gui::theme;
use crate::gui::widgets::format;

/// Samples kept of each series.
pub(crate) const KEPT: usize = 600;

/// Rates over the last minutes.
#[derive(Default)]
pub(crate) struct Samples {
    /// Milliseconds since 1970, bytes per second received, bytes per second sent.
    points: VecDeque<(u64, u64, u64)>,
}

impl Samples {
    /// Takes a sample; moments never run backwards, and at most four a second are kept.
    pub(crate) fn push(&mut self, unix_millis: u64, down: u64, up: u64) {
        const LEAST_MILLIS: u64 = 250;
        if let Some(&(last, ..)) = self.points.back()
            && unix_millis < last.saturating_add(LEAST_MILLIS)
        {
            return;
        }
        if self.points.len() == KEPT {
            self.points.pop_front();
        }
        self.points.push_back((unix_millis, down, up));
    }

    /// Draws both rates against seconds before now.
    pub(crate) fn show(&self, ui: &mut Ui, name: &'static str, height: f32) {
        let look = theme::look(ui);
        let now = self.points.back().map_or(0, |&(millis, ..)| millis);
        let series = |value: fn(&(u64, u64, u64)) -> u64| -> PlotPoints<'_> {
            self.points
                .iter()
                .map(|point| [-((now - point.0) as f64) / 1_000.0, value(point) as f64])
                .collect()
        };
        let top = self.points.iter().map(|point| point.1.max(point.2)).max().unwrap_or(0).max(10_240) as f64;
        let oldest = self.points.front().map_or(0.0, |point| (now - point.0) as f64 / 1_000.0);
        let (down, up) = self.points.back().map_or((0, 0), |&(_, down, up)| (down, up));
        let label = format!(
            "Graph of rates, now {} down and {} up",
            format::rate_or_zero(down),
            format::rate_or_zero(up)
        );
        let mark = |value| if value <= 0.0 { String::new() } else { format::rate(value as u64) };
        Graph { name, label, height, oldest, top, mark }.show(
            ui,
            vec![("Down", series(|point| point.1), look.down), ("Up", series(|point| point.2), look.up)],
        );
    }
}

/// A plot that is looked at and not handled: its parts stand where they are put.
pub(crate) fn plain_plot<'a>(name: impl egui::AsIdSalt, height: f32) -> Plot<'a> {
    Plot::new(name)
        .height(height)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_grid([false, true])
        .show_background(false)
        .show_crosshair(false)
        .label_formatter(|_| None)
        .set_margin_fraction(egui::vec2(0.0, 0.0))
}

/// Lines over the time before now.
pub(crate) struct Graph<M> {
    /// What its place in the window goes by.
    pub name: &'static str,
    /// What it is read out by.
    pub label: String,
    /// Its height in points.
    pub height: f32,
    /// How far back it reaches, in seconds; a minute is shown at least.
    pub oldest: f64,
    /// The greatest value.
    pub top: f64,
    /// What stands beside a value.
    pub mark: M,
}

impl<M: Fn(f64) -> String> Graph<M> {
    /// Draws lines, each with its name, points of seconds (0 is now, the past is negative) and values, and colour.
    pub(crate) fn show(self, ui: &mut Ui, lines: Vec<(&'static str, PlotPoints<'_>, Color32)>) {
        let (oldest, top) = (self.oldest.max(60.0), self.top * 1.12);
        let response = plain_plot(self.name, self.height)
            .include_y(0.0)
            .include_y(top)
            .default_x_bounds(-oldest, 0.0)
            .x_axis_formatter(|mark, _| match -mark.value {
                secs if secs < 0.5 => "now".to_owned(),
                secs => format!("−{}", format::span(secs.round() as u64)),
            })
            .y_axis_formatter(move |mark, _| (self.mark)(mark.value))
            .y_axis_min_width(74.0)
            .legend(Legend::default().position(Corner::LeftTop))
            .show(ui, |plot| {
                plot.set_plot_bounds_x(-oldest..=0.0);
                plot.set_plot_bounds_y(0.0..=top);
                for (name, points, color) in lines {
                    plot.line(Line::new(name, points).color(color).width(1.8));
                }
            })
            .response;
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, self.label.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_few_and_in_order() {
        let mut samples = Samples::default();
        for millis in 0..1_000_000 {
            samples.push(millis, millis, 0);
        }
        samples.push(5, 5, 5);
        assert_eq!(samples.points.len(), KEPT);
        assert!(samples.points.iter().zip(samples.points.iter().skip(1)).all(|(a, b)| a.0 + 250 <= b.0));
    }
}
