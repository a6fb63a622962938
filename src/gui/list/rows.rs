//! What stands in each cell of the list, and the menu of a row.

use std::collections::BTreeSet;

use eframe::egui::{Color32, Ui};

use crate::api::{Command, State, TorrentRow, Turn, View};
use crate::base::InfoHash;
use crate::gui::details::TURNS;
use crate::gui::pick::Wanted;
use crate::gui::scene::Action;
use crate::gui::theme::Look;
use crate::gui::widgets::format;
use crate::gui::widgets::icon::Icon;
use crate::gui::widgets::table::{Cell, Column, Rows};

/// The columns of the list.
pub(super) static COLUMNS: [Column; 18] = [
    Column::text("name", "Name", 250.0).growing(),
    Column::number("size", "Size", 78.0),
    Column::text("progress", "Progress", 96.0),
    Column::text("status", "Status", 224.0).growing(),
    Column::number("down", "Down", 86.0).tip("Received a second, lately"),
    Column::number("up", "Up", 84.0).tip("Sent a second, lately"),
    Column::number("left", "Time left", 86.0).tip("Until it is complete at the present rate"),
    Column::number("peers", "Peers", 76.0).tip("Connected, and in brackets how many the trackers know of"),
    Column::number("ratio", "Ratio", 54.0).tip("Sent for each byte received"),
    Column::number("seeds", "Seeds", 60.0).tip("Connected peers that have everything").hidden(),
    Column::number("received", "Received", 90.0).hidden(),
    Column::number("sent", "Sent", 90.0).hidden(),
    Column::number("availability", "Copies", 66.0).tip("Whole copies among connected peers").hidden(),
    Column::text("added", "Added", 100.0).hidden(),
    Column::text("completed", "Completed", 100.0).hidden(),
    Column::text("folder", "Folder", 180.0).hidden(),
    Column::text("label", "Label", 110.0).hidden(),
    Column::number("queue", "Queue", 60.0).tip("Its place in the queue").hidden(),
];

/// The list as a table.
pub(super) struct TorrentRows<'a> {
    pub view: &'a View,
    pub order: &'a [u32],
    pub chosen: &'a BTreeSet<InfoHash>,
    pub actions: &'a mut Vec<Action>,
    /// Seconds since 1970.
    pub now: u64,
}

impl TorrentRows<'_> {
    fn at(&self, row: usize) -> &TorrentRow {
        &self.view.torrents[self.order[row] as usize]
    }
}

/// The colour that a state has everywhere.
pub(crate) fn color(state: State, look: &Look) -> Color32 {
    match state {
        State::Downloading | State::Metadata | State::Checking => look.accent,
        State::Seeding => look.good,
        State::Paused | State::Queued => look.weak,
        State::Failed => look.bad,
    }
}

fn icon(row: &TorrentRow) -> Icon {
    match row.state {
        State::Checking => Icon::Recheck,
        State::Metadata => Icon::Link,
        State::Downloading => Icon::Download,
        State::Seeding => Icon::Upload,
        State::Paused | State::Queued => Icon::Pause,
        State::Failed => Icon::Warning,
    }
}

impl Rows for TorrentRows<'_> {
    fn len(&self) -> usize {
        self.order.len()
    }

    fn key(&self, row: usize) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.at(row).info_hash.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn sentence(&self, row: usize) -> String {
        let row = self.at(row);
        let mut text = format!(
            "{}, {}, {}. {}",
            row.name,
            format::size(row.size),
            format::percent(row.progress),
            row.reason
        );
        for (rate, way) in [(row.down_rate, "down"), (row.up_rate, "up")] {
            if rate > 0 {
                text += &format!(", {} {way}", format::rate(rate));
            }
        }
        if let Some(secs) = row.eta_secs {
            text += &format!(", {} left", format::span(secs));
        }
        text
    }

    fn chosen(&self, row: usize) -> bool {
        self.chosen.contains(&self.at(row).info_hash)
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let now = self.now;
        let row = self.at(row);
        let look = cell.look();
        match column {
            "name" => {
                cell.icon(icon(row), color(row.state, look));
                cell.text(&row.name);
            }
            "size" if row.size > 0 => cell.text(&format::size(row.size)),
            // What is complete is no longer a matter of how far.
            "progress" if matches!(row.state, State::Seeding) => {
                cell.icon(Icon::Check, look.good);
                cell.weak(&format::percent(row.progress));
            }
            "progress" => {
                let color = match row.state {
                    State::Paused => look.weak,
                    State::Failed => look.bad,
                    _ => look.accent,
                };
                cell.bar(row.progress, color, &format::percent(row.progress));
            }
            "status" if matches!(row.state, State::Failed) => cell.colored(&row.reason, look.bad),
            "status" => cell.weak(&row.reason),
            "down" => cell.colored(&format::rate(row.down_rate), look.down),
            "up" => cell.colored(&format::rate(row.up_rate), look.up),
            "left" => cell.text(&row.eta_secs.map_or_else(String::new, format::span)),
            "peers" => cell.text(&peers(row)),
            "ratio" if row.uploaded > 0 || row.downloaded > 0 => cell.text(&format::ratio(row.ratio)),
            "seeds" if row.seeds > 0 => cell.text(&format::grouped(u64::from(row.seeds))),
            "received" if row.downloaded > 0 => cell.text(&format::size(row.downloaded)),
            "sent" if row.uploaded > 0 => cell.text(&format::size(row.uploaded)),
            "availability" if row.availability > 0.0 => cell.text(&format!("{:.2}", row.availability)),
            "added" => cell.weak(&format::ago(row.added_unix, now)),
            "completed" => {
                cell.weak(&row.completed_unix.map_or_else(String::new, |then| format::ago(then, now)))
            }
            "label" => cell.text(&row.label),
            "queue" => cell.weak(&format::grouped(u64::from(row.queue))),
            "folder" => cell.weak(&row.folder.to_string_lossy()),
            _ => {}
        }
    }

    fn has_menu(&self) -> bool {
        true
    }

    fn menu(&mut self, row: usize, ui: &mut Ui) {
        ui.set_min_width(200.0);
        let row = &self.view.torrents[self.order[row] as usize];
        // A menu on one of several chosen rows speaks of all of them.
        let several = self.chosen.len() > 1 && self.chosen.contains(&row.info_hash);
        let which: Vec<InfoHash> =
            if several { in_turn(self.view, self.chosen) } else { vec![row.info_hash] };
        let mut each = |command: fn(InfoHash) -> Command| {
            self.actions.extend(which.iter().map(|torrent| Action::Send(command(*torrent))));
        };
        if matches!(row.state, State::Paused | State::Failed) {
            if ui.button("Resume").clicked() {
                each(Command::Resume);
            }
        } else if ui.button("Pause").clicked() {
            each(Command::Pause);
        }
        if ui.button("Recheck files").clicked() {
            each(Command::Recheck);
        }
        if ui.button("Ask trackers now").clicked() {
            each(Command::Announce);
        }
        ui.menu_button("Queue", |ui| {
            for (label, turn) in TURNS {
                if ui.button(label).clicked() {
                    // The last of several goes first to the end they all go to, so that they keep their order.
                    let turns = which.iter().map(|torrent| Command::Queue { torrent: *torrent, turn });
                    let mut turns: Vec<Action> = turns.map(Action::Send).collect();
                    if matches!(turn, Turn::First | Turn::Later) {
                        turns.reverse();
                    }
                    self.actions.append(&mut turns);
                }
            }
        });
        let mut sequential = row.sequential;
        if ui.checkbox(&mut sequential, "Download in order").changed() {
            self.actions.push(Action::Send(Command::Sequential { torrent: row.info_hash, on: sequential }));
            ui.close();
        }
        ui.separator();
        if ui.button("Open folder").clicked() {
            self.actions.push(Action::Open(row.folder.clone()));
        }
        if ui.button("Copy magnet link").clicked() {
            self.actions.push(Action::Copy(row.magnet.clone(), "Magnet link"));
        }
        if ui.button("Link and QR code…").clicked() {
            self.actions.push(Action::Link(row.info_hash));
        }
        if ui.button("Save .torrent file…").clicked() {
            self.actions.push(Action::Pick(Wanted::SaveTorrent(row.info_hash, row.name.clone())));
        }
        ui.separator();
        if ui.button("Remove…").clicked() {
            self.actions.push(Action::AskRemove(which));
        }
    }
}

/// The chosen torrents in the order of the queue.
fn in_turn(view: &View, chosen: &BTreeSet<InfoHash>) -> Vec<InfoHash> {
    let rows = view.torrents.iter().filter(|row| chosen.contains(&row.info_hash));
    let mut places: Vec<_> = rows.map(|row| (row.queue, row.info_hash)).collect();
    places.sort_unstable();
    places.into_iter().map(|(_, torrent)| torrent).collect()
}

fn peers(row: &TorrentRow) -> String {
    match row.swarm {
        Some((incomplete, complete)) if incomplete + complete > 0 => {
            format!("{} ({})", row.peers, format::grouped(u64::from(incomplete) + u64::from(complete)))
        }
        _ if row.peers == 0 => String::new(),
        _ => format::grouped(u64::from(row.peers)),
    }
}
