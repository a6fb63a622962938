//! The three figures of the thesis: nPeers, nSeeds, timeSeed, now and over time.

use eframe::egui::{self, Role, Ui, WidgetInfo};
use egui_plot::{Corner, Legend, Line, Plot, PlotPoints};

use crate::api::{NetworkStatistics, SeedTime, StatisticsPoint};
use crate::gui::theme;
use crate::gui::widgets::format;

/// The figures with what they are called.
pub(in crate::gui::panels) fn figures(statistics: &NetworkStatistics) -> Vec<(&'static str, String)> {
    vec![
        ("nPeers, downloading", format::grouped(u64::from(statistics.n_peers))),
        ("nSeeds, seeding", format::grouped(u64::from(statistics.n_seeds))),
        ("timeSeed, mean stay", stay(&statistics.time)),
        ("Connected users", format::grouped(u64::from(statistics.n_users))),
        ("Stays ended", format::grouped(statistics.time.finished)),
        ("Stays going on", format::grouped(statistics.time.running)),
    ]
}

/// A mean stay, or a dash before the first seed.
pub(in crate::gui::panels) fn stay(time: &SeedTime) -> String {
    time.time_seed_secs.map_or_else(|| "–".to_owned(), |secs| format::span(secs.max(0.0).round() as u64))
}

/// The figures against the time before now.
pub(in crate::gui::panels) fn history(
    ui: &mut Ui,
    name: &'static str,
    points: &[StatisticsPoint],
    height: f32,
) {
    let look = theme::look(ui);
    let now = points.last().map_or(0, |point| point.unix_secs);
    let before = |point: &StatisticsPoint| -((now - point.unix_secs.min(now)) as f64);
    let series = |value: fn(&StatisticsPoint) -> u32| -> PlotPoints<'_> {
        points.iter().map(|point| [before(point), f64::from(value(point))]).collect()
    };
    let oldest = points.first().map_or(60.0, |point| (-before(point)).max(60.0));
    let top = points.iter().map(|point| point.n_peers.max(point.n_seeds)).max().unwrap_or(0).max(3);
    let top = f64::from(top) * 1.15;
    let response = Plot::new(name)
        .height(height)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .show_grid([false, true])
        .show_background(false)
        .set_margin_fraction(egui::vec2(0.0, 0.0))
        .x_axis_formatter(|mark, _| match -mark.value {
            secs if secs < 0.5 => "now".to_owned(),
            secs => format!("−{}", format::span(secs.round() as u64)),
        })
        .legend(Legend::default().position(Corner::LeftTop))
        .label_formatter(|_| None)
        .show_crosshair(false)
        .show(ui, |plot| {
            plot.set_plot_bounds_x(-oldest..=0.0);
            plot.set_plot_bounds_y(0.0..=top);
            plot.line(Line::new("nPeers", series(|point| point.n_peers)).color(look.down).width(1.8));
            plot.line(Line::new("nSeeds", series(|point| point.n_seeds)).color(look.up).width(1.8));
        })
        .response;
    let (peers, seeds) = points.last().map_or((0, 0), |point| (point.n_peers, point.n_seeds));
    response.widget_info(|| {
        let label = format!("Graph of users, now {peers} downloading and {seeds} seeding");
        WidgetInfo::labeled(Role::Image, true, label)
    });
}
