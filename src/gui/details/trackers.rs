//! The trackers tab: who is asked for peers, what came of it, and when it is asked again.

use eframe::egui::Ui;

use crate::api::{Command, Detail, TorrentRow, TrackerRow, TrackerState};
use crate::gui::details::empty;
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::format;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::{Cell, Column, Rows, Table};

static COLUMNS: [Column; 7] = [
    Column::number("tier", "Tier", 46.0).tip("Those of the first tier are asked first").unsorted(),
    Column::text("url", "Tracker", 260.0).growing().unsorted(),
    Column::text("state", "State", 230.0).unsorted(),
    Column::number("next", "Asked again in", 110.0).unsorted(),
    Column::number("peers", "Gave", 60.0).tip("Peers that it gave the last time").unsorted(),
    Column::number("complete", "Seeds", 60.0).tip("Peers with everything that it knows of").unsorted(),
    Column::number("incomplete", "Peers", 60.0).tip("Downloading peers that it knows of").unsorted(),
];

pub(super) fn ui(ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow, detail: &Detail) {
    if detail.trackers.is_empty() {
        empty(ui, "This torrent names no tracker. Peers can be connected to by hand, under Peers.");
        return;
    }
    if Push::new("Ask now").with(Icon::Recheck).show(ui).clicked() {
        scene.send(Command::Announce(row.info_hash));
    }
    ui.add_space(theme::GAP / 2.0);
    let mut layout = scene.take_layout("trackers of a torrent");
    Table::new("trackers of a torrent", "Trackers", &COLUMNS, &mut layout)
        .show(ui, &mut TrackerRows { trackers: &detail.trackers });
    scene.put_layout("trackers of a torrent", layout);
}

struct TrackerRows<'a> {
    trackers: &'a [TrackerRow],
}

fn state(tracker: &TrackerRow) -> String {
    let state = match &tracker.state {
        TrackerState::Waiting => "Not asked yet".to_owned(),
        TrackerState::Announcing => "Being asked".to_owned(),
        TrackerState::Working => "Working".to_owned(),
        TrackerState::Failed(reason) => reason.clone(),
    };
    match &tracker.warning {
        Some(warning) => format!("{state}. It says: {warning}"),
        None => state,
    }
}

impl Rows for TrackerRows<'_> {
    fn len(&self) -> usize {
        self.trackers.len()
    }

    fn key(&self, row: usize) -> u64 {
        row as u64
    }

    fn sentence(&self, row: usize) -> String {
        let tracker = &self.trackers[row];
        let next = tracker
            .next_secs
            .map_or_else(String::new, |secs| format!(", asked again in {}", format::span(secs)));
        format!("{}: {}{next}", tracker.url, state(tracker))
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let tracker = &self.trackers[row];
        let look = cell.look();
        let known =
            |count: Option<u32>| count.map_or_else(String::new, |count| format::grouped(u64::from(count)));
        match column {
            "tier" => cell.weak(&(tracker.tier + 1).to_string()),
            "url" => cell.text(&tracker.url),
            "state" => match tracker.state {
                TrackerState::Working => cell.colored(&state(tracker), look.good),
                TrackerState::Failed(_) => cell.colored(&state(tracker), look.bad),
                _ => cell.weak(&state(tracker)),
            },
            "next" => cell.text(&tracker.next_secs.map_or_else(String::new, format::span)),
            "peers" => cell.text(&known((tracker.peers > 0).then_some(tracker.peers))),
            "complete" => cell.text(&known(tracker.complete)),
            "incomplete" => cell.text(&known(tracker.incomplete)),
            _ => {}
        }
    }
}
