//! The points of a result.

use eframe::egui::{Ui, vec2};

use crate::api::{LabPoint, LabResult};
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::table::{Cell, Column, Rows, Table};

/// Rows in sight.
const ROWS: usize = 9;

const fn columns(axis: &'static str) -> [Column; 5] {
    [
        Column::text("series", "Curve", 260.0).growing(),
        Column::number("x", axis, 130.0),
        Column::number("secs", "Seconds", 100.0),
        Column::number("connections", "Connections", 100.0).tip("Connections from which data came"),
        Column::number("completed", "Complete", 90.0).tip("Downloads completed, of those begun"),
    ]
}

static COLUMNS: [[Column; 5]; 4] =
    [columns("File"), columns("Sources"), columns("Max_N"), columns("Mean stay, s")];

pub(super) fn show(ui: &mut Ui, scene: &mut Scene<'_>, result: &LabResult) {
    let mut points: Vec<&LabPoint> = result.points.iter().collect();
    let mut layout = scene.take_layout("lab");
    let key = layout.sort.key.clone();
    match key.as_str() {
        "series" => points.sort_by(|one, other| one.series.cmp(&other.series)),
        "x" => points.sort_by(|one, other| one.x.total_cmp(&other.x)),
        // What did not end took longest.
        "secs" => points
            .sort_by(|one, other| one.secs.unwrap_or(f64::MAX).total_cmp(&other.secs.unwrap_or(f64::MAX))),
        "connections" => points.sort_by_key(|point| point.connections),
        "completed" => points.sort_by_key(|point| point.completed),
        _ => {}
    }
    if layout.sort.descending {
        points.reverse();
    }
    let (axis, _) = result.plan.experiment.axis();
    let mut rows = PointRows { points: &points, axis };
    let columns = &COLUMNS[result.plan.experiment.number() as usize - 1];
    let bar = ui.spacing().scroll.allocated_width();
    let height = theme::HEADER + theme::ROW * points.len().min(ROWS) as f32 + bar;
    ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
        ui.set_min_height(height);
        Table::new("lab", "What was measured", columns, &mut layout).show(ui, &mut rows)
    });
    scene.put_layout("lab", layout);
}

struct PointRows<'a> {
    points: &'a [&'a LabPoint],
    axis: &'static str,
}

impl PointRows<'_> {
    fn secs(&self, row: usize, unit: &str) -> String {
        match self.points[row].secs {
            Some(secs) => format!("{secs:.2}{unit}"),
            None => "not complete".to_owned(),
        }
    }
}

impl Rows for PointRows<'_> {
    fn len(&self) -> usize {
        self.points.len()
    }

    fn key(&self, row: usize) -> u64 {
        row as u64
    }

    fn sentence(&self, row: usize) -> String {
        let point = self.points[row];
        let connections =
            point.connections.map(|count| format!(", connections: {count}")).unwrap_or_default();
        format!("{}, {} {}: {}{connections}", point.series, self.axis, point.x, self.secs(row, " seconds"))
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let point = self.points[row];
        match column {
            "series" => cell.text(&point.series),
            "x" => cell.text(&point.x.to_string()),
            "secs" => cell.text(&self.secs(row, "")),
            "connections" => {
                cell.weak(&point.connections.map_or_else(|| "–".to_owned(), |count| count.to_string()))
            }
            _ => cell.weak(&format!("{} of {}", point.completed, point.of)),
        }
    }
}
