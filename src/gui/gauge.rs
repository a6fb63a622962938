//! What a frame costs: the window's own work, shown on demand.

use std::collections::VecDeque;
use std::time::Duration;

use eframe::egui::{self, Align2, Color32, Id, Margin, Order, RichText, vec2};

use crate::gui::theme;

/// Frames that percentiles are taken over.
const FRAMES: usize = 512;

/// Times of the last frames.
#[derive(Default)]
pub(crate) struct Gauge {
    /// Whether it is shown.
    shown: bool,
    times: VecDeque<Duration>,
    frames: u64,
    /// What was done for the frame that comes before it is drawn.
    ahead: Duration,
}

impl Gauge {
    /// Takes the time of what is done before a frame is drawn: events taken in, for one.
    pub(crate) fn ahead(&mut self, time: Duration) {
        self.ahead += time;
    }

    /// Takes the time of a frame.
    pub(crate) fn push(&mut self, time: Duration) {
        let time = time + std::mem::take(&mut self.ahead);
        if self.times.len() == FRAMES {
            self.times.pop_front();
        }
        self.times.push_back(time);
        self.frames += 1;
    }

    /// The time that a part of the frames stays below.
    pub(crate) fn percentile(&self, part: f64) -> Duration {
        let mut times: Vec<_> = self.times.iter().copied().collect();
        times.sort_unstable();
        let at = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
        times.get(at).copied().unwrap_or_default()
    }

    /// Shows it, or hides it again and says what it showed last.
    pub(crate) fn toggle(&mut self, rows: usize) -> Option<String> {
        self.shown = !self.shown;
        (!self.shown && !self.times.is_empty()).then(|| self.text(rows))
    }

    fn text(&self, rows: usize) -> String {
        let millis = |part| self.percentile(part).as_secs_f64() * 1_000.0;
        format!(
            "frame {}   rows laid out {rows}\nown work ms: p50 {:.2}  p95 {:.2}  p99 {:.2}  max {:.2}",
            self.frames,
            millis(0.50),
            millis(0.95),
            millis(0.99),
            millis(1.0),
        )
    }

    /// Shows it over everything.
    pub(crate) fn show(&self, ctx: &egui::Context, rows: usize, paint: Option<f32>) {
        if !self.shown {
            return;
        }
        let painted = paint.unwrap_or(0.0) * 1_000.0;
        let text = format!("{}\nwith painting: {painted:.2} ms", self.text(rows));
        egui::Area::new(Id::unique("gauge"))
            .anchor(Align2::RIGHT_TOP, vec2(-8.0, 8.0))
            .order(Order::Debug)
            .interactable(false)
            .show(ctx, |ui| {
                egui::Frame::new()
                    .fill(Color32::from_black_alpha(210))
                    .corner_radius(theme::RADIUS)
                    .inner_margin(Margin::same(8))
                    .show(ui, |ui| {
                        ui.label(RichText::new(text).monospace().color(Color32::WHITE));
                    });
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_the_last_frames() {
        let mut gauge = Gauge::default();
        for millis in 1..=1_000 {
            gauge.push(Duration::from_millis(millis));
        }
        assert_eq!(gauge.percentile(1.0), Duration::from_millis(1_000));
        assert_eq!(gauge.percentile(0.5), Duration::from_millis(489 + 256));
        // What was done ahead of a frame is a part of it.
        gauge.ahead(Duration::from_secs(1));
        gauge.ahead(Duration::from_secs(1));
        gauge.push(Duration::from_millis(5));
        gauge.push(Duration::from_millis(5));
        assert_eq!(gauge.percentile(1.0), Duration::from_millis(2_005));
        assert_eq!((gauge.toggle(3), gauge.shown), (None, true));
        let last = gauge.toggle(3).expect("what it showed");
        assert!(last.starts_with("frame 1002   rows laid out 3\nown work ms: p50 "), "{last}");
        assert_eq!((gauge.frames, Gauge::default().percentile(0.99)), (1_002, Duration::ZERO));
    }
}
