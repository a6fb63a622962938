//! The peers tab: who is connected, with what, and what flows.

use std::net::SocketAddr;

use eframe::egui::{self, Ui};

use crate::api::{Command, Detail, PeerRow, TorrentRow};
use crate::gui::details::nothing;
use crate::gui::scene::Scene;
use crate::gui::theme;
use crate::gui::widgets::button::Push;
use crate::gui::widgets::table::{Cell, Column, Rows, Sort, Table};
use crate::gui::widgets::{field, format};

static COLUMNS: [Column; 8] = [
    Column::text("address", "Address", 190.0).growing(),
    Column::text("client", "Program", 150.0),
    Column::text("flags", "Flags", 80.0).tip("Point at the letters of a peer to see what they mean"),
    Column::text("progress", "Has", 110.0),
    Column::number("down", "Down", 90.0),
    Column::number("up", "Up", 90.0),
    Column::number("received", "Received", 90.0),
    Column::number("sent", "Sent", 90.0),
];

/// The peers of a torrent.
#[derive(Default)]
pub(super) struct Peers {
    /// An address being typed.
    address: String,
}

impl Peers {
    pub(super) fn ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow, detail: &Detail) {
        self.add(ui, scene, row);
        if detail.peers.is_empty() {
            nothing(ui, detail, "Nobody is connected. Trackers are asked for more from time to time.");
            return;
        }
        let mut shown: Vec<&PeerRow> = detail.peers.iter().collect();
        let mut layout = scene.take_layout("peers");
        sort(&mut shown, &layout.sort);
        Table::new("peers", "Peers", &COLUMNS, &mut layout).show(ui, &mut PeerRows { peers: &shown });
        scene.put_layout("peers", layout);
    }

    fn add(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, row: &TorrentRow) {
        ui.horizontal(|ui| {
            let edit = field::line(
                ui,
                &mut self.address,
                "Address of a peer",
                "Address of a peer, with its port",
                260.0,
            );
            let entered = edit.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let address = self.address.trim().parse::<SocketAddr>();
            let pressed = Push::new("Connect").enabled(address.is_ok()).show(ui).clicked();
            if let Ok(address) = address
                && (entered || pressed)
            {
                scene.send(Command::AddPeers { torrent: row.info_hash, peers: vec![address] });
                self.address.clear();
            }
        });
        ui.add_space(theme::GAP / 2.0);
    }
}

fn sort(peers: &mut [&PeerRow], sort: &Sort) {
    match sort.key.as_str() {
        "address" => peers.sort_by_key(|peer| peer.addr),
        "client" => peers.sort_by(|a, b| a.client.cmp(&b.client)),
        "flags" => peers.sort_by(|a, b| a.flags.cmp(&b.flags)),
        "progress" => peers.sort_by(|a, b| a.progress.total_cmp(&b.progress)),
        "down" => peers.sort_by_key(|peer| peer.down_rate),
        "up" => peers.sort_by_key(|peer| peer.up_rate),
        "received" => peers.sort_by_key(|peer| peer.downloaded),
        "sent" => peers.sort_by_key(|peer| peer.uploaded),
        _ => {}
    }
    if sort.descending {
        peers.reverse();
    }
}

struct PeerRows<'a> {
    peers: &'a [&'a PeerRow],
}

/// What the letters mean, one sentence a line.
fn explained(flags: &str) -> String {
    let line = |flag: char| match PeerRow::explain(flag) {
        "" => None,
        text => Some(format!("{flag}  {text}")),
    };
    flags.chars().filter_map(line).collect::<Vec<_>>().join("\n")
}

impl Rows for PeerRows<'_> {
    fn len(&self) -> usize {
        self.peers.len()
    }

    fn key(&self, row: usize) -> u64 {
        use std::hash::{Hash as _, Hasher as _};
        let mut hasher = std::hash::DefaultHasher::new();
        self.peers[row].addr.hash(&mut hasher);
        hasher.finish()
    }

    fn sentence(&self, row: usize) -> String {
        let peer = self.peers[row];
        format!(
            "{} at {}, has {}, {} down, {} up. {}",
            peer.client,
            peer.addr,
            format::percent(peer.progress),
            format::rate_or_zero(peer.down_rate),
            format::rate_or_zero(peer.up_rate),
            explained(&peer.flags).replace('\n', " ")
        )
    }

    fn cell(&mut self, row: usize, column: &'static str, cell: &mut Cell<'_>) {
        let peer = self.peers[row];
        let look = cell.look();
        match column {
            "address" => cell.text(&peer.addr.to_string()),
            "client" => cell.text(&peer.client),
            "flags" => cell.add(|ui| {
                let letters = egui::RichText::new(&peer.flags).monospace();
                ui.label(letters).on_hover_text(explained(&peer.flags));
            }),
            "progress" => {
                let color = if peer.progress >= 1.0 { look.good } else { look.accent };
                cell.bar(peer.progress, color, &format::percent(peer.progress));
            }
            "down" => cell.colored(&format::rate(peer.down_rate), look.down),
            "up" => cell.colored(&format::rate(peer.up_rate), look.up),
            "received" if peer.downloaded > 0 => cell.text(&format::size(peer.downloaded)),
            "sent" if peer.uploaded > 0 => cell.text(&format::size(peer.uploaded)),
            _ => {}
        }
    }
}
