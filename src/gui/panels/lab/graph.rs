//! The curves of a result.

use eframe::egui::{Color32, Role, Ui, WidgetInfo};
use egui_plot::{Corner, Legend, Line, PlotPoints, Points};

use crate::api::LabResult;
use crate::gui::theme::{self, Look};
use crate::gui::widgets::graph::plain_plot;

const HEIGHT: f32 = 260.0;

/// The colours of curves, in turn.
fn colors(look: &Look) -> [Color32; 4] {
    [look.down, look.up, look.warn, look.bad]
}

/// Draws seconds against what the experiment varies.
pub(super) fn show(ui: &mut Ui, result: &LabResult) {
    let look = theme::look(ui);
    let (axis, _) = result.plan.experiment.axis();
    let ended = || result.points.iter().filter_map(|point| Some((point.x, point.secs?)));
    let top = ended().map(|(_, secs)| secs).fold(0.0, f64::max).max(0.001) * 1.25;
    let (least, most) = result
        .points
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), point| (least.min(point.x), most.max(point.x)));
    let edge = ((most - least) * 0.04).max(0.2);
    let response = plain_plot(("lab", result.plan.experiment.number()), HEIGHT)
        .x_axis_label(axis)
        .y_axis_label("Seconds")
        .legend(Legend::default().position(Corner::RightTop))
        .show(ui, |plot| {
            plot.set_plot_bounds_x(least - edge..=most + edge);
            plot.set_plot_bounds_y(0.0..=top);
            for (number, series) in result.series().into_iter().enumerate() {
                let color = colors(look)[number % 4];
                let curve = || -> PlotPoints<'_> {
                    result.of(series).filter_map(|point| Some([point.x, point.secs?])).collect()
                };
                plot.line(Line::new(series, curve()).color(color).width(1.8));
                plot.points(Points::new(series, curve()).color(color).radius(3.5));
            }
        })
        .response;
    response.widget_info(|| {
        let curves = result.series().join("; ");
        WidgetInfo::labeled(Role::Image, true, format!("Graph of seconds against {axis}: {curves}"))
    });
}
