//! The three figures of the thesis: nPeers, nSeeds, timeSeed, now and over time.

use eframe::egui::Ui;
use egui_plot::PlotPoints;

use crate::api::{NetworkStatistics, SeedTime, StatisticsPoint};
use crate::gui::theme;
use crate::gui::widgets::format;
use crate::gui::widgets::graph::Graph;

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

/// Users over the time before now, and beside or below it how long seeds stay.
pub(in crate::gui::panels) fn history(ui: &mut Ui, whose: &str, points: &[StatisticsPoint], height: f32) {
    const BESIDE: f32 = 760.0;
    let whole = ui.available_width();
    if whole >= BESIDE {
        ui.columns(2, |columns| {
            users(&mut columns[0], whose, points, height);
            stays(&mut columns[1], whose, points, height);
        });
    } else {
        users(ui, whose, points, (height / 2.0).max(96.0));
        stays(ui, whose, points, (height / 2.0).max(96.0));
    }
}

/// Seconds from now back to each point, and how far the first one lies back.
fn before(points: &[StatisticsPoint]) -> (impl Fn(&StatisticsPoint) -> f64 + use<>, f64) {
    let now = points.last().map_or(0, |point| point.unix_secs);
    let before = move |point: &StatisticsPoint| -((now - point.unix_secs.min(now)) as f64);
    let oldest = points.first().map_or(0.0, |point| -before(point));
    (before, oldest)
}

fn users(ui: &mut Ui, whose: &str, points: &[StatisticsPoint], height: f32) {
    let look = theme::look(ui);
    let (before, oldest) = before(points);
    let series = |value: fn(&StatisticsPoint) -> u32| -> PlotPoints<'_> {
        points.iter().map(|point| [before(point), f64::from(value(point))]).collect()
    };
    let top = points.iter().map(|point| point.n_peers.max(point.n_seeds)).max().unwrap_or(0).max(3);
    let (peers, seeds) = points.last().map_or((0, 0), |point| (point.n_peers, point.n_seeds));
    let label = format!("Graph of users, {whose}, now {peers} downloading and {seeds} seeding");
    // Users are whole.
    let mark = |value: f64| if value.fract().abs() < 1e-6 { format!("{value:.0}") } else { String::new() };
    let lines = vec![
        ("nPeers", series(|point| point.n_peers), look.down),
        ("nSeeds", series(|point| point.n_seeds), look.up),
    ];
    Graph { name: "users", label, height, oldest, top: f64::from(top), mark }.show(ui, lines);
}

fn stays(ui: &mut Ui, whose: &str, points: &[StatisticsPoint], height: f32) {
    let look = theme::look(ui);
    let (before, oldest) = before(points);
    let series = points.iter().map(|point| [before(point), f64::from(point.time_seed_secs)]).collect();
    let top = points.iter().map(|point| f64::from(point.time_seed_secs)).fold(60.0, f64::max);
    let now = points.last().map_or(0.0, |point| point.time_seed_secs);
    let label = format!("Graph of timeSeed, {whose}, now {}", format::span(now.max(0.0).round() as u64));
    let mark = |value: f64| if value <= 0.0 { String::new() } else { format::span(value.round() as u64) };
    Graph { name: "stays", label, height, oldest, top, mark }.show(ui, vec![("timeSeed", series, look.warn)]);
}
